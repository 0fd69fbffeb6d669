/** measure: puts a system under a load, and tells what came of it. */
import { randomBytes } from 'node:crypto';
import { cpuTime } from './cpu.js';
import { type Driven, driveBursts, driveClosed, driveOpen } from './drivers.js';
import type { ClosedLoad, Load, Measurement } from './load.js';
import type { System } from './system.js';

/** Different payloads, in bytes together: more than a CPU's cache, and quickly made. */
const PAYLOADS_BYTES = 32 * 1024 * 1024;
const MOST_PAYLOADS = 4096;

/** Random, so that nothing can compress them; made once for each size. */
const payloadsBySize = new Map<number, readonly Uint8Array[]>();

export function payloadsOf(bytes: number): readonly Uint8Array[] {
  let payloads = payloadsBySize.get(bytes);
  if (payloads === undefined) {
    const count = Math.max(8, Math.min(MOST_PAYLOADS, Math.floor(PAYLOADS_BYTES / Math.max(1, bytes))));
    payloads = Array.from({ length: count }, () => new Uint8Array(randomBytes(bytes)));
    payloadsBySize.set(bytes, payloads);
  }
  return payloads;
}

export async function measure(system: System, load: Load): Promise<Measurement> {
  const payloads = payloadsOf(load.payloadBytes);
  const groupsBefore = await system.groups?.();
  const cpuBefore = cpuTime();
  const driven = await drive(system, payloads, load);
  const cpuAfter = cpuTime();
  const groupsAfter = await system.groups?.();
  const { records, seconds, latency, backlog, timeline, rotationsMs } = driven;
  const ofRecord = (us: number): number => us / Math.max(1, records);
  const all = cpuAfter.process - cpuBefore.process;
  const own =
    cpuBefore.thread === undefined || cpuAfter.thread === undefined
      ? undefined
      : cpuAfter.thread - cpuBefore.thread;
  return {
    ...{ records, seconds, recordsPerSecond: records / seconds, latency: latency.latency },
    bytesPerSecond: (records * load.payloadBytes) / seconds,
    ...(load.kind !== 'open' &&
      own !== undefined && { appCpuUs: ofRecord(own), otherCpuUs: ofRecord(Math.max(0, all - own)) }),
    ...(groupsBefore &&
      groupsAfter && {
        groupRecords:
          (groupsAfter.records - groupsBefore.records) /
          Math.max(1, groupsAfter.groups - groupsBefore.groups),
      }),
    ...(backlog !== undefined && { backlog }),
    ...(timeline !== undefined && { timeline }),
    ...(rotationsMs !== undefined && { rotationsMs }),
  };
}

function drive(system: System, payloads: readonly Uint8Array[], load: Load): Promise<Driven> {
  if (load.kind === 'closed') {
    const { beside } = load;
    if (beside === undefined) return driveClosed(system, payloads, load);
    return whileBusy(system, beside, () => driveClosed(system, payloads, load));
  }
  if (load.kind === 'open') return driveOpen(system, payloads, load);
  return driveBursts(system, payloads, load);
}

/** Runs `task` while others append through another ring. */
async function whileBusy<T>(
  system: System,
  { inFlight, payloadBytes }: Required<ClosedLoad>['beside'],
  task: () => Promise<T>,
): Promise<T> {
  const payloads = payloadsOf(payloadBytes);
  let isOver = false;
  const caller = async (_: unknown, n: number): Promise<void> => {
    while (!isOver) await system.appendBeside?.(payloads[n % payloads.length] as Uint8Array);
  };
  const callers = Promise.all(Array.from({ length: inFlight }, caller));
  try {
    return await task();
  } finally {
    isOver = true;
    await callers;
  }
}

/** What was done once, and how long it took, in the form of a measurement. */
export function once(
  ms: number,
  done: { readonly records?: number; readonly bytes?: number; readonly extra?: Measurement['extra'] } = {},
): Measurement {
  const { records = 0, bytes = 0, extra } = done;
  const us = ms * 1000;
  return {
    ...{
      records,
      seconds: ms / 1000,
      recordsPerSecond: records / (ms / 1000),
      bytesPerSecond: bytes / (ms / 1000),
    },
    latency: { p50Us: us, p90Us: us, p99Us: us, p999Us: us, maxUs: us, curve: [] },
    ...(extra && { extra }),
  };
}
