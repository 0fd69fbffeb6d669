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
  const { parentPort, workerData: limitMs } = require('node:worker_threads');
  let timer;
  parentPort.on('message', (file) => {
    clearTimeout(timer);
    if (file === undefined) return;
    timer = setTimeout(() => {
      writeSync(2, file + ' has not ended within ' + limitMs + ' ms, its process is killed\\n');
      process.kill(process.pid, 'SIGKILL');
    }, limitMs);
  });
`;

/** One for all files of the process; this module is loaded anew for each. */
const here = globalThis as { watchdog?: Worker };

if (here.watchdog === undefined) {
  here.watchdog = new Worker(watch, { eval: true, workerData: LIMIT_MS });
  await once(here.watchdog, 'online'); // a thread that starts asks for the working directory, which a test may remove
  here.watchdog.unref();
}
const { watchdog } = here;
watchdog.postMessage(expect.getState().testPath ?? 'a test file');
afterAll(() => watchdog.postMessage(undefined));
