/** summary: what opening a log found, as `log.recovery` tells it to the caller. */
import type { RecoveryMode } from '../options.js';

/** Damage that opening met and what it did about it; only `recovery: 'point-in-time'` opens a damaged log. */
export interface RecoveryDamage {
  /** File in which it was found, or that was put aside because it comes behind the damage. */
  readonly file: string;
  /** Byte offset in the file; undefined when it is the file as a whole. */
  readonly offset: number | undefined;
  /** What is wrong, as the refusal of the default mode says it. */
  readonly reason: string;
  /** First LSN that the log no longer has because of it; undefined when it is not known to have held any. */
  readonly firstLostLsn: number | undefined;
  /** The last such LSN that any header still names; undefined when that can't be known. */
  readonly lastLostLsn: number | undefined;
  /** Name in the log directory under which the file is kept as it was found; undefined: it was not put aside. */
  readonly keptAs: string | undefined;
}

/** What recovery found, for the caller. LSNs are counts, sizes bytes. */
export interface RecoverySummary {
  /** The option `recovery` with which the log was opened. */
  readonly mode: RecoveryMode;
  /** Whether the directory held no log before. */
  readonly created: boolean;
  /** LSN of the first record that is part of the log, or of the next one if there is none. */
  readonly firstLsn: number;
  /** LSN of the last record; `firstLsn - 1` if there is none. */
  readonly lastLsn: number;
  /** LSNs of the log: `lastLsn - firstLsn + 1`. Fragments and the ends of transactions have LSNs too. */
  readonly records: number;
  /** Segment files of the log, the one that this opening began included. */
  readonly segments: number;
  /** Number of the segment that this opening began: the highest of the log. */
  readonly lastSegment: number;
  /** Where a write was found that had not been completed; it was never acknowledged. */
  readonly tornTail:
    | {
        /** Name of the file. */
        readonly file: string;
        /** Byte offset in it. */
        readonly offset: number;
      }
    | undefined;
  /**
   * Bytes that were cut off with the torn tail: from `tornTail.offset` to the last byte of that file that is not
   * zero. What a file held before it was reused can't be told from the torn write and counts. 0: no torn tail.
   */
  readonly tornBytes: number;
  /** Records that were valid but not proven durable, and were logged again. */
  readonly reloggedRecords: number;
  /** Damage found, the place where the log was ended first. Empty but for `point-in-time`: other modes refuse. */
  readonly damage: readonly RecoveryDamage[];
  /** Names of files that this opening or earlier ones put aside; they stay until somebody removes them. */
  readonly keptAside: readonly string[];
  /** LSN of the last checkpoint; 0: none. */
  readonly checkpointLsn: number;
  /** How often the log has been opened for writing, this time included. */
  readonly epoch: number;
  /** How long recovery took, milliseconds. */
  readonly durationMs: number;
}
