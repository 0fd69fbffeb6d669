/** contract: what the I/O worker tells other processes of a log that is open, and how it is asked. */
import type { WorkerStats } from '../control/contract.js';
import type { SegmentInfo } from '../control/segment-info.js';
import type { ResolvedOptions } from '../options.js';

/** What is told of the options. */
export const TOLD_OPTIONS = [
  'segmentBytes',
  'ringBytes',
  'windowUs',
  'maxGroupBytes',
  'maxGroupRecords',
  'recycle',
  'padGroups',
  'recordChecksums',
  'isEncrypted',
] as const satisfies (keyof ResolvedOptions)[];

/** A log that is open in some process, as its I/O worker tells it. Counters are since it was opened. */
export interface LiveStats extends WorkerStats {
  /** Of the process that has it open, as that process sees it. */
  readonly pid: number;
  readonly firstLsn: number;
  readonly durableLsn: number;
  /** 0: none. */
  readonly checkpointLsn: number;
  readonly options: Pick<ResolvedOptions, (typeof TOLD_OPTIONS)[number]>;
  /** The segments that hold records, oldest first. */
  readonly segments: readonly SegmentInfo[];
}

/** One line asks, one line of JSON answers: LiveStats, or an error; then the connection ends. */
export const ASK = 'stats\n';
export type LiveAnswer = { readonly stats: LiveStats } | { readonly error: string };
