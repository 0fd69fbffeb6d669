/**
 * watch: ends this process when it takes too much of the processor or of the memory: a mutant may loop for ever. Time of
 * the processor, so that it is the same however busy the machine is.
 */
import { Worker } from 'node:worker_threads';

const MOST_BYTES = 1.5 * 2 ** 30;

const watch = `
  const { workerData } = require('node:worker_threads');
  const words = new Int32Array(workerData.phase);
  let phase = -1;
  let from = 0;
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    const now = (user + system) / 1e6;
    if (words[0] !== phase) [phase, from] = [words[0], now];
    if (now - from > workerData.seconds || process.memoryUsage.rss() > workerData.bytes) process.kill(process.pid, 'SIGKILL');
  }, 100);
`;

/** Returns what begins the next phase, which has the same time again. */
export function watchProcess(seconds: number): () => void {
  const phase = new SharedArrayBuffer(4);
  new Worker(watch, { eval: true, workerData: { phase, seconds, bytes: MOST_BYTES } }).unref();
  return () => {
    Atomics.add(new Int32Array(phase), 0, 1);
  };
}
