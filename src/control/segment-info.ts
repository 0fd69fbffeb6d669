/** segment-info: a segment as users of the log are told of it. */
import type { ReadableSegment } from './contract.js';

/** One segment of the log, as `segments()` tells it. */
export interface SegmentInfo {
  readonly number: number;
  /** File name in the log directory. */
  readonly file: string;
  readonly firstLsn: number;
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
