/** interval: what a log did between two looks at it, by difference of its counters. */
import type { Look } from './shown-log.js';

/** Sums, not means: the page adds intervals up, and divides then. */
export interface Interval {
  /** Its end, in milliseconds of the dashboard's clock. */
  readonly at: number;
  readonly seconds: number;
  readonly records: number;
  /** Of records, with their frames. */
  readonly bytes: number;
  /** Groups with records. */
  readonly groups: number;
  /** How long the oldest records of those groups had waited when their groups were built, added up; microseconds. */
  readonly waitUs: number;
  /** Writes with a sync. */
  readonly syncs: number;
  /** What these took, added up; microseconds. */
  readonly syncUs: number;
  /** At index `i` how many of them took at most 2^i microseconds, and more than 2^(i-1); no zeros at the end. */
  readonly syncBuckets: readonly number[];
  /** At its end: appends of the shown thread, and the share in use of all rings (0 to 1). */
  readonly inFlight: number;
  readonly ringShare: number;
}

export function intervalBetween(before: Look, after: Look): Interval {
  const [a, b] = [before.stats, after.stats];
  return {
    at: after.at,
    seconds: (after.at - before.at) / 1000,
    records: b.records - a.records,
    bytes: b.bytes - a.bytes,
    groups: b.groups - a.groups,
    waitUs: b.waitUs.sum - a.waitUs.sum,
    syncs: b.syncUs.count - a.syncUs.count,
    syncUs: b.syncUs.sum - a.syncUs.sum,
    syncBuckets: bucketsBetween(a.syncUs.buckets, b.syncUs.buckets),
    inFlight: b.inFlight,
    ringShare: b.ringsCapacityBytes === 0 ? 0 : b.ringsUsedBytes / b.ringsCapacityBytes,
  };
}

function bucketsBetween(before: readonly number[], after: readonly number[]): number[] {
  const difference = after.map((count, i) => count - (before[i] ?? 0));
  while (difference.at(-1) === 0) difference.pop();
  return difference;
}
