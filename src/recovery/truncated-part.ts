/**
 * truncated-part: finds, among the files that are not part of the log any more, those that were: the segments
 * before its beginning that truncation has freed and nobody has removed yet.
 *
 * It follows the LINKs on where `chain` stops, as far as they lead: a file that is missing, under reuse or damaged
 * ends the walk and is no damage. What a recovery has superseded is on no chain, and not found here: its records are
 * in the log anew.
 */
import type { LinkBody } from '../format/group-body.js';
import { sameBytes } from '../format/same-bytes.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import type { SegmentFile } from '../segment/segment-files.js';
import type { Chain } from './chain.js';

/** Oldest first. */
export function truncatedPart(
  segments: readonly SegmentFile[],
  chain: Pick<Chain, 'closed' | 'newest'>,
): ClosedSegment[] {
  const byNumber = new Map(segments.map((segment) => [segment.number, segment]));
  const found: ClosedSegment[] = [];
  let successor = byNumber.get(chain.closed[0]?.number ?? chain.newest.number);
  while (successor?.link !== undefined) {
    const { body, header } = successor.link;
    const segment = byNumber.get(body.predecessorNumber);
    if (segment === undefined || segment.number >= successor.number || !isNamed(segment, body)) break;
    found.push({
      name: segment.name,
      number: segment.number,
      epoch: segment.header.epoch,
      salt: segment.header.salt,
      fileBytes: segment.fileBytes,
      firstLsn: segment.link.header.firstLsn,
      lastLsn: body.predecessorLastLsn,
      end: body.predecessorEnd,
      sealOffset: body.predecessorSealOffset,
      openLsn: segment.link.body.openLsn,
      previousChecksum: segment.link.header.previousChecksum,
      lastChecksum: header.previousChecksum,
      closedUs: header.timestampUs,
    });
    successor = segment;
  }
  return found.reverse();
}

/** Whether the file is the one that the LINK names, in this life of it, and whole. */
function isNamed(
  segment: SegmentFile,
  link: LinkBody,
): segment is SegmentFile & {
  readonly header: NonNullable<SegmentFile['header']>;
  readonly link: NonNullable<SegmentFile['link']>;
} {
  if (segment.link === undefined || segment.fileBytes < link.predecessorEnd) return false;
  return sameBytes(segment.header?.salt, link.predecessorSalt);
}
