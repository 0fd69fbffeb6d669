/**
 * watchdog: ends the process when a test file blocks its own thread for ever, which no time limit of a test can; those behind
 * it in that process are not run then, and the run has failed.
 * It happened: copyFileSync() never returns when its source shrinks meanwhile, and the whole run stood still.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, expect } from 'vitest';

const LIMIT_MS = 300_000;

const watch = `
  const { writeSync } = require('node:fs');
  const { workerData } = require('node:worker_threads');
  setTimeout(() => {
    writeSync(2, workerData.file + ' has not ended within ' + workerData.limitMs + ' ms, its process is killed\\n');
    process.kill(process.pid, 'SIGKILL');
  }, workerData.limitMs);
`;

const file = expect.getState().testPath ?? 'a test file';
const dog = new Worker(watch, { eval: true, workerData: { file, limitMs: LIMIT_MS } });
await once(dog, 'online'); // a thread that starts asks for the working directory, which a test may remove
dog.unref();
afterAll(() => dog.terminate());
