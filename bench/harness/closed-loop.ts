/** closed-loop: so many callers, each of which appends its next record when its last one is durable. */
import { LatencyHistogram, type Percentiles } from './histogram.js';
import type { System } from './system.js';

export interface Measurement extends Percentiles {
  readonly recordsPerSecond: number;
  readonly groupRecords: number;
  /** CPU time of the whole process, all threads, for a million records. */
  readonly cpuSecondsPerMillion: number;
}

/** Above so many callers only every 16th append is timed: two clock reads a record would be a tenth of the work. */
const TIME_ALL_UP_TO = 100;
const TIME_EVERY = 16;

export async function measure(
  system: System,
  payloads: readonly Uint8Array[],
  inFlight: number,
  ms: number,
): Promise<Measurement> {
  const latency = new LatencyHistogram();
  const before = await system.groups();
  const cpu = process.cpuUsage();
  const start = performance.now();
  let isOver = false;
  let appended = 0;
  const timer = setTimeout(() => {
    isOver = true;
  }, ms);
  const mask = inFlight <= TIME_ALL_UP_TO ? 0 : TIME_EVERY - 1;
  const caller = async (): Promise<void> => {
    while (!isOver) {
      const n = appended++;
      const payload = payloads[n % payloads.length] as Uint8Array;
      if ((n & mask) !== 0) {
        await system.append(payload);
        continue;
      }
      const from = performance.now();
      await system.append(payload);
      latency.record((performance.now() - from) * 1000);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  clearTimeout(timer);
  const seconds = (performance.now() - start) / 1000;
  const { user, system: kernel } = process.cpuUsage(cpu);
  const after = await system.groups();
  return {
    recordsPerSecond: appended / seconds,
    groupRecords: (after.records - before.records) / Math.max(1, after.groups - before.groups),
    ...latency.percentiles(),
    cpuSecondsPerMillion: (user + kernel) / appended,
  };
}

/** Runs `task` while `inFlight` callers append again and again. */
export async function whileBusy<T>(
  append: () => Promise<unknown>,
  inFlight: number,
  task: () => Promise<T>,
): Promise<T> {
  let isOver = false;
  const caller = async (): Promise<void> => {
    while (!isOver) await append();
  };
  const callers = Promise.all(Array.from({ length: inFlight }, caller));
  try {
    return await task();
  } finally {
    isOver = true;
    await callers;
  }
}
