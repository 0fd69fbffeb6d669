/**
 * main: a cluster serves requests; one of its workers is killed with SIGKILL meanwhile; then all logs are read as one, and
 * compared with what was answered.
 *
 *   node dist-examples/cluster/main.js [workers]
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Fleet } from './fleet.js';
import { merged } from './merged.js';
import { post } from './post.js';

const REQUESTS = 2000;
const IN_FLIGHT = 50;

const count = Number(process.argv[2] ?? 3);
const directory = await mkdtemp(join(tmpdir(), 'ringwal-cluster-'));
const fleet = await Fleet.start(directory, count, (error) => console.error(error.message));
console.log(`${count} workers on ${fleet.url}, a log each in ${directory}`);

/** What was answered: the text by directory and LSN. */
const answered = new Map<string, string>();
let sent = 0;
let unanswered = 0;

async function client(): Promise<void> {
  while (sent < REQUESTS) {
    const text = `request ${sent++}`;
    if (sent === REQUESTS / 2) kill();
    try {
      const answer = await post(fleet.url, text);
      answered.set(`${answer.directory} ${answer.lsn}`, text);
    } catch {
      unanswered++; // its worker was killed: the record may be there or not
    }
  }
}

let replaced: Promise<unknown> = Promise.resolve();

function kill(): void {
  const worker = fleet.workerOf(fleet.directories[0] ?? '');
  if (worker === undefined) return;
  replaced = once(worker, 'exit');
  worker.process.kill('SIGKILL');
  console.log(`killed process ${worker.process.pid} with SIGKILL, in the middle of it`);
}

await Promise.all(Array.from({ length: IN_FLIGHT }, client));
await replaced;
await fleet.end();

const found = new Map<string, number>();
let missing = answered.size;
for await (const record of merged(fleet.directories)) {
  found.set(record.directory, record.lsn);
  if (answered.get(`${record.directory} ${record.lsn}`) === record.text) missing--;
}
for (const [own, lsn] of found) console.log(`${basename(own)}: ${lsn} records`);
console.log(
  `${answered.size} requests answered, ${unanswered} not; of the answered ones ${missing} are missing`,
);
if (missing > 0) process.exitCode = 1;
await rm(directory, { recursive: true });
