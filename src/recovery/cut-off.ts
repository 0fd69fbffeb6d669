/**
 * cut-off: from which LSN on `truncateAfter`, or an opening, has cut off what lies in a segment, as the headers of later
 * segments say.
 *
 * The LINK of the segment that was begun then says where its predecessor ends. Who has to do without that LINK, because it
 * is damaged, must not take what was cut off for the log: its groups are sound, and follow one another.
 */
import type { SegmentHeader } from '../format/segment-header.js';

/** A segment file; `header` is undefined if it is damaged. */
interface Numbered {
  readonly number: number;
  readonly header: SegmentHeader | undefined;
  /** What a damaged one says of a cut, if that can be believed; 0 or undefined: nothing. */
  readonly statedCut?: number | undefined;
}

/** Tells the first LSN that was cut off in a segment, by its number; Infinity: none was. `segments` ascend by number. */
export function cutOffFrom(segments: readonly Numbered[]): (number: number) => number {
  const limits = new Map<number, number>();
  let limit = Number.POSITIVE_INFINITY;
  for (const { number, header, statedCut } of segments.toReversed()) {
    limits.set(number, limit);
    limit = Math.min(limit, (header ? header.cutFrom : statedCut) || Number.POSITIVE_INFINITY);
  }
  return (number) => limits.get(number) ?? Number.POSITIVE_INFINITY;
}
