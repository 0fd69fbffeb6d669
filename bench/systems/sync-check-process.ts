/** sync-check-process: the process that `sync-check` watches: opens a system and makes appends one after the other. */
import { randomBytes } from 'node:crypto';
import { accessSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { flushCounter } from './flush-counter.js';
import { KINDS } from './index.js';
import { BEGIN, END } from './sync-trace.js';

export interface SyncCheckTask {
  readonly kind: string;
  readonly directory: string;
  readonly appends: number;
}

export interface SyncCheckAnswer {
  /** Appends during which the disk was flushed. */
  readonly flushed: number;
  /** Why flushes could not be counted. */
  readonly uncounted?: string;
}

/** Before each append, so that what the last one has left behind is over. */
const PAUSE_MS = 20;
/** Appends before those that count: new files and the first checkpoints sync for themselves. */
const FIRST_APPENDS = 5;
const PAYLOAD = randomBytes(128);

const { kind, directory, appends } = JSON.parse(process.argv[2] ?? '') as SyncCheckTask;
const counter = flushCounter(directory);
const count = typeof counter === 'string' ? () => 0 : counter;
const system = await KINDS.find(({ name }) => name === kind)?.open(directory);
if (system === undefined) throw new Error(`There is no system "${kind}".`);
for (let i = 0; i < FIRST_APPENDS; i++) await system.append(PAYLOAD);
let flushed = 0;
for (let i = 0; i < appends; i++) {
  await sleep(PAUSE_MS);
  mark(BEGIN);
  const before = count();
  await system.append(PAYLOAD);
  if (count() > before) flushed++;
  mark(END);
}
await system.close();
const answer: SyncCheckAnswer = typeof counter === 'string' ? { flushed, uncounted: counter } : { flushed };
process.stdout.write(JSON.stringify(answer));

/** Asks for a file that is not there: strace shows it among the other calls. */
function mark(name: string): void {
  try {
    accessSync(join(directory, name));
  } catch {
    // As expected.
  }
}
