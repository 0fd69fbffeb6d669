/** interval: what a log did between two looks at its counters. */
import type { LiveStats } from '../../index.js';
import { bucketsSince, percentile } from './percentile.js';

export interface Sample {
  /** Of a clock that only goes forward. */
  readonly atMs: number;
  readonly stats: LiveStats;
}

export interface Interval {
  readonly seconds: number;
  readonly appendsPerSecond: number;
  /** Bytes of records with their frames. */
  readonly bytesPerSecond: number;
  readonly groupsPerSecond: number;
  /** Undefined, as the next two: there was no group. */
  readonly recordsPerGroup: number | undefined;
  readonly bytesPerGroup: number | undefined;
  /** Write and sync of a group together, from buckets that double: estimates. Undefined: there was none. */
  readonly syncP50Us: number | undefined;
  readonly syncP99Us: number | undefined;
}

/** Undefined when the log was opened anew in between: its counters began again. */
export function intervalBetween(before: Sample, after: Sample): Interval | undefined {
  const [old, now] = [before.stats, after.stats];
  const syncs = bucketsSince(old.syncUs.buckets, now.syncUs.buckets);
  const isSame = old.pid === now.pid && old.epoch === now.epoch;
  const seconds = (after.atMs - before.atMs) / 1000;
  if (!isSame || syncs === undefined || seconds <= 0) return undefined;
  const groups = now.groups - old.groups;
  const records = now.records - old.records;
  const bytes = now.bytes - old.bytes;
  return {
    seconds,
    appendsPerSecond: records / seconds,
    bytesPerSecond: bytes / seconds,
    groupsPerSecond: groups / seconds,
    recordsPerGroup: groups === 0 ? undefined : records / groups,
    bytesPerGroup: groups === 0 ? undefined : bytes / groups,
    syncP50Us: percentile(syncs, 0.5),
    syncP99Us: percentile(syncs, 0.99),
  };
}
