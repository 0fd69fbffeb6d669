/**
 * main: a text is split over a pool of threads, which do the work on it and append what comes of it.
 *
 *   node dist-examples/worker-pool/main.js [threads]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from 'ringwal';
import { appenderPool } from './pool.js';

const TASKS = 400;
const LINES = 50;

const threads = Number(process.argv[2] ?? 2);
const directory = await mkdtemp(join(tmpdir(), 'ringwal-pool-'));
const log = await openLog(directory);
const pool = await appenderPool(log, threads, (error) => console.error(`pool: ${error.message}`));
const start = performance.now();
const lsns = await Promise.all(
  Array.from({ length: TASKS }, (_, task) =>
    pool.run(Array.from({ length: LINES }, (_, line) => `line ${line} of task ${task}`)),
  ),
);
const seconds = (performance.now() - start) / 1000;
const { records, groups, producers } = await log.stats();
console.log(`${threads} threads appended ${lsns.flat().length} lines in ${seconds.toFixed(2)} s`);
console.log(
  `${producers} rings, ${records} records in ${groups} groups, LSN 1 to ${Math.max(...lsns.flat())}`,
);
await pool.close();
await log.close();
await rm(directory, { recursive: true });
