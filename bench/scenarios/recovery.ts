/** recovery: how long a large log takes to open after a clean close, and how fast it is verified and read; beside `cat`. */
import { execFileSync } from 'node:child_process';
import { once as event } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { openLog, openReader, verifyLog } from 'ringwal';
import type { Measurement } from '../harness/load.js';
import { once, payloadsOf } from '../harness/measure.js';
import type { ChecksumTask } from './checksum-thread.js';
import type { Scenario } from './scenario.js';

const RECORD_BYTES = 1024;
const BATCH_RECORDS = 2000;
/** Milliseconds for a gigabyte, roughly: to build it, and to read it once. */
const BUILD_MS_A_GB = 3000;
const READ_MS_A_GB = 700;
const CHECKSUM_THREAD = new URL('./checksum-thread.js', import.meta.url);
/** To be checksummed; the threads' beginning, tens of milliseconds, is lost in it. */
const CHECKSUM_BYTES = 16e9;

const settings = (isQuick: boolean) => ({ gigabytes: isQuick ? 0.5 : 10, rounds: isQuick ? 1 : 3 });

export const recovery: Scenario = {
  name: 'recovery',
  what: 'opening, verifying and reading a log of 10 GB',
  hasPeers: false,
  estimateMs({ isQuick }) {
    const { gigabytes, rounds } = settings(isQuick);
    return gigabytes * (BUILD_MS_A_GB + rounds * 4 * READ_MS_A_GB);
  },
  async run({ directory, isQuick, progress }) {
    const { gigabytes, rounds } = settings(isQuick);
    const { bavail, bsize } = await statfs(directory);
    const wanted = Math.min(gigabytes * 1e9, (bavail * bsize) / 2);
    const path = join(directory, 'log');
    progress.say('building a log');
    await build(path, wanted);
    progress.advance(gigabytes * BUILD_MS_A_GB);
    const names = Object.keys(TASKS);
    const cells = names.map((what) => ({ system: 'ringwal', at: { what }, rounds: [] as Measurement[] }));
    for (let round = 0; round < rounds; round++) {
      for (const { at, rounds: measured } of cells) {
        progress.say(at.what);
        const start = performance.now();
        const done = await (TASKS[at.what] as Task)(path);
        measured.push(once(performance.now() - start, done));
        progress.advance((gigabytes * 4 * READ_MS_A_GB) / names.length);
      }
    }
    return cells;
  },
};

interface Done {
  readonly bytes: number;
  readonly records: number;
}

type Task = (path: string) => Promise<Done>;
const TASKS: Readonly<Record<string, Task>> = {
  async open(path) {
    const log = await openLog(path);
    await log.close();
    return { bytes: 0, records: 0 };
  },
  'verify, 1 thread': (path) => verify(path, 1),
  'verify, all cores': (path) => verify(path, undefined),
  async read(path) {
    let [bytes, records] = [0, 0];
    const reader = await openReader(path);
    for await (const { payload } of reader.read()) {
      bytes += payload.length;
      records++;
    }
    await reader.close();
    return { bytes, records };
  },
  async 'cat > /dev/null'(path) {
    const files = readdirSync(path)
      .filter((name) => name.endsWith('.wal'))
      .map((name) => join(path, name));
    execFileSync('sh', ['-c', 'cat "$@" > /dev/null', 'sh', ...files]);
    return { bytes: files.reduce((sum, file) => sum + statSync(file).size, 0), records: 0 };
  },
  /** What a verified scan can't pass: nothing is read, and what is checksummed stays in the CPU's caches. */
  async 'checksums alone, all cores'() {
    const threads = availableParallelism();
    const workerData: ChecksumTask = { bytes: CHECKSUM_BYTES / threads };
    const workers = Array.from({ length: threads }, () => new Worker(CHECKSUM_THREAD, { workerData }));
    await Promise.all(workers.map((worker) => event(worker, 'exit')));
    return { bytes: CHECKSUM_BYTES, records: 0 };
  },
};

async function verify(path: string, threads: number | undefined): Promise<Done> {
  const { bytes, records, damage } = await verifyLog(path, threads === undefined ? {} : { threads });
  if (damage.length > 0) throw damage[0];
  return { bytes, records };
}

async function build(path: string, bytes: number): Promise<void> {
  const log = await openLog(path);
  const batch = payloadsOf(RECORD_BYTES).slice(0, BATCH_RECORDS);
  for (let written = 0; written < bytes; written += 8 * RECORD_BYTES * BATCH_RECORDS)
    await Promise.all(Array.from({ length: 8 }, () => log.appendBatch(batch)));
  await log.close();
}
