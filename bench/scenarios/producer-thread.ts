/** producer-thread: one producer of the `producers` scenario: appends in a closed loop, keeps the LSNs it is told. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachLog, type LogHandle } from 'ringwal';
import { LatencyHistogram } from '../harness/histogram.js';
import type { Latency } from '../harness/load.js';

export interface ProducerTask {
  readonly handle: LogHandle;
  readonly thread: number;
  readonly inFlight: number;
  readonly ms: number;
  readonly payloadBytes: number;
}

export interface ProducerReport {
  /** LSN of each record, by its index. */
  readonly lsns: Float64Array;
  readonly ms: number;
  readonly latency: Latency;
}

const MAX_RECORDS = 20_000_000;
const TIME_EVERY = 16;

const task = workerData as ProducerTask;
const log = await attachLog(task.handle);
const lsns = new Float64Array(MAX_RECORDS);
const payload = new Uint8Array(task.payloadBytes);
const view = new DataView(payload.buffer);
view.setUint32(0, task.thread, true);
const latency = new LatencyHistogram();
const start = performance.now();
let next = 0;
let isOver = false;
setTimeout(() => {
  isOver = true;
}, task.ms);

async function caller(): Promise<void> {
  while (!isOver) {
    const index = next++;
    view.setUint32(4, index, true);
    const from = performance.now();
    lsns[index] = await log.append(payload);
    if (index % TIME_EVERY === 0) latency.record((performance.now() - from) * 1000);
  }
}

await Promise.all(Array.from({ length: task.inFlight }, caller));
const report: ProducerReport = {
  lsns: lsns.slice(0, next),
  ms: performance.now() - start,
  latency: latency.latency,
};
await log.close();
parentPort?.postMessage(report, [report.lsns.buffer as ArrayBuffer]);
