/**
 * chain: finds the log's newest segment and follows the LINKs from it back to the log's beginning.
 *
 *   C1  The newest segment is the one with the highest number that holds a valid LINK.
 *   C2  A LINK names its predecessor by number and salt; the file of that name must be there and have both.
 *   C3  The walk ends at a segment that names none, or whose predecessor lies wholly below the truncation mark and
 *       below what spans need that reach over it (open LSN).
 *   C4  A published file whose first block does not verify is damage (it is published only when that block is
 *       durable), unless it is older than everything the log still needs.
 *   C5  A segment off the chain is a leftover: truncated, prepared and never used, or left behind by a recovery
 *       that logged its groups again or by a cut. One that holds groups and was made after the writer of a later epoch had
 *       begun is the work of two writers at once: refuse.
 *   C6  No file may come from a later epoch than the newest segment: an epoch begins with a segment that holds
 *       a LINK, so that segment is lost.
 *   C7  A segment without a LINK has its full size: it is published at that size, and made shorter only when it
 *       has been in use. A shorter one was cut, and its LINK, and records, may be what is missing.
 */
import { CorruptError } from '../errors.js';
import type { LinkBody } from '../format/group-body.js';
import { sameBytes } from '../format/same-bytes.js';
import type { SegmentHeader } from '../format/segment-header.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import type { SegmentFile } from '../segment/segment-files.js';

/** A segment of the log, with both blocks that describe it. */
export interface ChainedSegment extends SegmentFile {
  readonly header: SegmentHeader;
  readonly link: NonNullable<SegmentFile['link']>;
}

export interface Chain {
  readonly newest: ChainedSegment;
  /** Everything before the newest segment, oldest first. */
  readonly closed: readonly ClosedSegment[];
  /** Segments that are not part of the log. */
  readonly leftovers: readonly SegmentFile[];
}

/** The newest segment (C1). Throws CorruptError when files are there and none is. `undefined`: no log yet. */
export function findNewest(segments: readonly SegmentFile[]): ChainedSegment | undefined {
  const newest = segments.findLast(isChained);
  if (newest !== undefined || segments.length === 0) return newest;
  const damaged = segments.find((segment) => segment.header === undefined);
  if (damaged) throw badHeader(damaged); // C4
  throw new CorruptError(
    'The directory holds prepared segments and none with records: the segments of the log are missing. No file was changed.',
  );
}

/**
 * Follows the LINKs back from `newest`; records below `truncatedBefore` are no longer part of the log. Throws
 * CorruptError when the files do not make one log.
 */
export function followChain(
  segments: readonly SegmentFile[],
  newest: ChainedSegment,
  truncatedBefore: number,
): Chain {
  const chain = linkedSegments(segments, newest, truncatedBefore);
  const { chained, leftovers } = chain;
  for (const segment of leftovers) checkLeftover(segment, chained, newest);
  return chain;
}

/** The same without a look at the segments that are not part of the log; `chained` runs from newest to oldest. */
export function linkedSegments(
  segments: readonly SegmentFile[],
  newest: ChainedSegment,
  truncatedBefore: number,
): Chain & { readonly chained: readonly ChainedSegment[] } {
  const byNumber = new Map(segments.map((segment) => [segment.number, segment]));
  const closed: ClosedSegment[] = [];
  const chained: ChainedSegment[] = [newest];
  // No record lies below LSN 1: a segment that ends before it was filled with marks, and may have been freed.
  let needed = Math.max(truncatedBefore, 1);
  for (let successor = newest; ; ) {
    const { body, header } = successor.link;
    if (body.openLsn > 0) needed = Math.min(needed, body.openLsn);
    if (body.predecessorNumber === 0) break;
    if (body.predecessorLastLsn < needed) break; // C3: its file may be gone, or under reuse
    if (header.firstLsn !== body.predecessorLastLsn + 1)
      throw contradiction(successor, 'its LINK gives two last LSNs for its predecessor');
    if (body.predecessorNumber >= successor.number)
      throw contradiction(successor, 'its LINK names a later segment as its predecessor');
    const predecessor = byNumber.get(body.predecessorNumber);
    const problem = misfit(predecessor, body, newest);
    if (problem !== undefined) throw gap(successor, body, problem);
    const fitting = predecessor as ChainedSegment;
    chained.push(fitting);
    closed.push({
      name: fitting.name,
      number: fitting.number,
      epoch: fitting.header.epoch,
      salt: fitting.header.salt,
      fileBytes: fitting.fileBytes,
      firstLsn: fitting.link.header.firstLsn,
      lastLsn: body.predecessorLastLsn,
      end: body.predecessorEnd,
      sealOffset: body.predecessorSealOffset,
      openLsn: fitting.link.body.openLsn,
      previousChecksum: fitting.link.header.previousChecksum,
      lastChecksum: header.previousChecksum,
      closedUs: header.timestampUs,
    });
    successor = fitting;
  }
  closed.reverse();
  const onChain = new Set(chained.map((segment) => segment.number));
  const leftovers = segments.filter((segment) => !onChain.has(segment.number));
  return { newest, closed, leftovers, chained };
}

export function isChained(segment: SegmentFile): segment is ChainedSegment {
  return segment.header !== undefined && segment.link !== undefined;
}

/** What keeps `candidate` from being the predecessor that `link` describes. */
function misfit(
  candidate: SegmentFile | undefined,
  link: LinkBody,
  newest: ChainedSegment,
): string | undefined {
  if (candidate === undefined) return 'is missing';
  if (candidate.header === undefined) return 'has a damaged first block';
  if (!sameBytes(candidate.header.logId, newest.header.logId)) return 'belongs to another log';
  if (!sameBytes(candidate.header.salt, link.predecessorSalt)) return 'is another file than the one it names';
  if (candidate.link === undefined) return 'has a damaged first group';
  if (candidate.fileBytes < link.predecessorEnd)
    return `was cut to ${candidate.fileBytes} of ${link.predecessorEnd} bytes`;
  return undefined;
}

function checkLeftover(
  segment: SegmentFile,
  chained: readonly ChainedSegment[],
  newest: ChainedSegment,
): void {
  const oldest = chained.at(-1) ?? newest;
  if (segment.number < oldest.number) return;
  // The log was ended before it on purpose, and it is kept under another name; only this name was not yet removed.
  if (segment.asideEpoch !== undefined && segment.asideEpoch <= newest.header.epoch) return;
  if (segment.header === undefined) throw badHeader(segment); // C4
  if (!sameBytes(segment.header.logId, newest.header.logId)) {
    throw new CorruptError(
      `${segment.name} belongs to another log than ${newest.name}. Remove the files that do not belong here. No file was changed.`,
      { file: segment.name },
    );
  }
  const { epoch, segmentBytes } = segment.header;
  if (segment.link === undefined && segment.fileBytes < segmentBytes) {
    throw new CorruptError(
      `${segment.name} was cut to ${segment.fileBytes} of ${segmentBytes} bytes: records in it may be lost. No file was changed.`,
      { file: segment.name, offset: segment.fileBytes, evidence: 'the size of the file' },
    ); // C7
  }
  if (epoch > newest.header.epoch) {
    throw new CorruptError(
      `${segment.name} was made when the log was opened for the ${epoch}th time, and no segment with records of that time is there: it is missing. No file was changed.`,
      {
        file: segment.name,
        expectedLsn: newest.link.header.firstLsn,
        evidence: `epoch ${epoch} in ${segment.name}`,
      },
    ); // C6
  }
  if (segment.link === undefined) return;
  const laterWriter = chained.some((other) => other.header.epoch > epoch && other.number > segment.number);
  if (!laterWriter) {
    throw new CorruptError(
      `${segment.name} holds records and is not part of the log that ends with ${newest.name}: two writers had the directory open at once. No file was changed.`,
      { file: segment.name, expectedLsn: segment.link.header.firstLsn },
    ); // C5
  }
}

function badHeader(segment: SegmentFile): CorruptError {
  return new CorruptError(`The first block of ${segment.name} is damaged. No file was changed.`, {
    file: segment.name,
    offset: 0,
  });
}

function contradiction(segment: ChainedSegment, what: string): CorruptError {
  return new CorruptError(`${segment.name} contradicts itself: ${what}. No file was changed.`, {
    file: segment.name,
  });
}

function gap(successor: ChainedSegment, link: LinkBody, problem: string): CorruptError {
  return new CorruptError(
    `Segment ${link.predecessorNumber}, which ends with LSN ${link.predecessorLastLsn} and comes before ${successor.name}, ${problem}. No file was changed.`,
    {
      file: successor.name,
      lastGoodLsn: link.predecessorLastLsn,
      firstGoodLsnAfter: successor.link.header.firstLsn,
    },
  );
}
