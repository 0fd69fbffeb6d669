/** opening: opens a log in this process and says what is in it, as the witness wants to hear it. */
import { createHash } from 'node:crypto';
import { LogEngine } from '../../dist/src/engine/log-engine.js';
import { systemEnvironment } from '../../dist/src/environment.js';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { openLog } from '../../dist/src/index.js';
import { resolveOptions } from '../../dist/src/options.js';
import { readGroups } from '../../dist/src/read/read-log.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { NodeStorage } from '../../dist/src/storage/node-storage.js';
import { HarnessProducer } from './harness-producer.js';
import { Oracle } from './oracle.js';
import type { Found, Opening } from './witness.js';

const OPTIONS = { segmentBytes: 65_536, ringBytes: 32_768, syncMode: 'fdatasync' } as const;
/** Rounds after which an append that is not answered counts as hung. */
const PATIENCE = 200;

export function digestOf(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('base64url').slice(0, 20);
}

/** Uses the log before it is closed; `opening` is what is found in it. */
export type OpenedTask = (append: (payload: string) => Promise<number>, opening: Opening) => Promise<void>;

/** Opens, reads, and lets `task` use the log before it is closed. */
export async function openedLog(directory: string, task?: OpenedTask): Promise<Opening> {
  await using log = await openLog(directory, OPTIONS);
  const records: Found[] = [];
  for await (const { lsn, commitLsn, payload } of log.read())
    records.push({ lsn, commitLsn, digest: digestOf(payload) });
  const { firstLsn, lastLsn } = log.recovery;
  const opening = { records, firstLsn, lastLsn, checkpointLsn: log.checkpointLsn };
  await task?.((payload) => log.append(payload), opening);
  return opening;
}

/** The same by the engine alone, in this thread, without a lock: the start of a worker takes most of an opening's time. */
export async function openedByEngine(directory: string, task: OpenedTask): Promise<void> {
  const storage = await NodeStorage.open(directory, { create: true });
  try {
    const state = new LogState();
    const options = resolveOptions(OPTIONS);
    const engine = await LogEngine.open(options, { storage, state, environment: systemEnvironment });
    try {
      const view = engine.view();
      const range = { from: view.firstLsn, to: view.durableLsn, transactions: 'committed' as const };
      const records: Found[] = [];
      for await (const group of readGroups(
        storage,
        view,
        { ...range, decoder: undefined },
        () => state.firstLsn,
      ))
        for (const { lsn, commitLsn, payload } of group)
          records.push({ lsn, commitLsn, digest: digestOf(payload) });
      const { firstLsn, lastLsn } = engine.summary;
      const producer = new HarnessProducer(engine, state, options, new Oracle(), 0);
      await task((payload) => committed(engine, producer, payload), {
        records,
        firstLsn,
        lastLsn,
        checkpointLsn: state.checkpointLsn,
      });
    } finally {
      await engine.close();
    }
  } finally {
    await storage.close();
  }
}

async function committed(engine: LogEngine, producer: HarnessProducer, payload: string): Promise<number> {
  const frame = { type: RECORD_FULL, flags: 0, payload: Buffer.from(payload) };
  const answer = producer.submit([frame], {});
  for (let round = 0; round < PATIENCE && producer.inFlight > 0; round++) {
    if (engine.step() === 'failed') producer.fail();
    producer.drain();
    await engine.maintenanceIdle();
  }
  if (producer.inFlight > 0) throw new Error('opening: an append is not answered');
  return answer;
}
