/** segment-info: a segment as users of the log are told of it. */
import type { ReadableSegment } from './contract.js';

/** One segment of the log, as `segments()` tells it. */
export interface SegmentInfo {
  /** Segments are numbered from 1, and never a number twice. */
  readonly number: number;
  /** File name in the log directory. */
  readonly file: string;
  /** LSN of its first record. */
  readonly firstLsn: number;
  /** LSN of its last record. */
  readonly lastLsn: number;
  /** Bytes of the file that belong to the log. */
  readonly bytes: number;
  /** Whether it is closed: nothing is written to it any more. */
  readonly isClosed: boolean;
}

export function segmentInfo(segment: ReadableSegment): SegmentInfo {
  const { number, name, firstLsn, lastLsn, end, isClosed } = segment;
  return { number, file: name, firstLsn, lastLsn, bytes: end, isClosed };
}
