/** contract: what the I/O worker tells other processes of a log that is open, and how it is asked. */
import type { WorkerStats } from '../control/contract.js';
import type { SegmentInfo } from '../control/segment-info.js';
import type { LogOptions } from '../options.js';

/** What is told of the options that a log was opened with, as `LogOptions` has them, with the defaults filled in. */
export interface LiveOptions
  extends Readonly<
    Required<
      Pick<
        LogOptions,
        | 'segmentBytes'
        | 'ringBytes'
        | 'windowUs'
        | 'maxGroupBytes'
        | 'maxGroupRecords'
        | 'recycle'
        | 'padGroups'
        | 'recordChecksums'
      >
    >
  > {
  /** Whether records are encrypted. */
  readonly isEncrypted: boolean;
}

/** A log that is open in some process, as its I/O worker tells it. Counters are since it was opened. */
export interface LiveStats extends WorkerStats {
  /** Of the process that has it open, as that process sees it. */
  readonly pid: number;
  /** Which opening of the log that is: it grows with each. */
  readonly epoch: number;
  /** First LSN of the log. */
  readonly firstLsn: number;
  /** The last LSN known to be on stable storage; 0 in an empty log. */
  readonly durableLsn: number;
  /** LSN of the last checkpoint; 0: none. */
  readonly checkpointLsn: number;
  /** What it was opened with. */
  readonly options: LiveOptions;
  /** The segments that hold records, oldest first. */
  readonly segments: readonly SegmentInfo[];
}

/** One line asks, one line of JSON answers: LiveStats, or an error; then the connection ends. */
export const ASK = 'stats\n';
export type LiveAnswer = { readonly stats: LiveStats } | { readonly error: string };
