/** shown-log: what the page needs of a log, and one look at it. */
import type { LogAppender, LogStats, SegmentInfo } from '../index.js';

/** What is needed of a log: one of `openLog`, or a thread's of `attachLog`. */
export type ShownLog = Pick<LogAppender, 'directory' | 'checkpointLsn' | 'stats' | 'segments'>;

/** The log at one moment. */
export interface Look {
  /** Milliseconds of the dashboard's clock. */
  readonly at: number;
  readonly stats: LogStats;
  readonly checkpointLsn: number;
  /** Oldest first. */
  readonly segments: readonly SegmentInfo[];
}

/** How a log has ended, as plain values. */
export interface Ending {
  readonly state: 'failed' | 'closed';
  /** The code of the error; empty when the log answers, and says that a write has failed. */
  readonly code: string;
  readonly message: string;
}

/** What an error says about the log that it came from. */
export function endingOf(error: unknown): Ending {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return { state: code === 'RINGWAL_CLOSED' ? 'closed' : 'failed', code, message };
}

const WRITE_FAILED: Ending = {
  state: 'failed',
  code: 'RINGWAL_POISONED',
  message:
    'A write or its sync failed. What was pending is rejected, and nothing more is taken: find the cause in the ' +
    "rejected appends' errors, mend it, and open the log again.",
};

/** A log that a failed write has ended goes on answering; it is told by its counter. */
export function endingIn({ stats }: Look): Ending | undefined {
  return stats.ioErrors > 0 ? WRITE_FAILED : undefined;
}
