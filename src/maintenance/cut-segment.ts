/**
 * cut-segment: builds the segment in which a log goes on that is cut behind one of its records.
 *
 * It is what recovery does with a torn end, at a place of one's own choosing: no old file is written. The new
 * segment's LINK says that its predecessor ends with the last whole group that stays; of a group that is cut in the
 * middle, the records that stay are copied behind the LINK. When no whole group stays of a segment, the new one takes
 * its place, and the LINK names the one before. All of that is durable before the segment is published,
 * and publishing it, one `link`, is the cut: what lies behind the LINK's place is from then on part of no chain.
 */
import { CorruptError, IoError, RingwalError } from '../errors.js';
import { decodeLink, type LinkBody } from '../format/group-body.js';
import { DATA, HAS_CHECKPOINT, LINK, saltKey } from '../format/group-header.js';
import { FRAME_HEADER_BYTES, RECORD_CHECKPOINT } from '../format/record-frame.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { SEGMENT_OVERHEAD_BYTES } from '../options.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import { layOutSegment, type SegmentLayout } from '../segment/prepare.js';
import { walkRecords } from '../segment/records.js';
import { type Group, SegmentCursor } from '../segment/segment-cursor.js';
import { SegmentWriter } from '../segment/segment-writer.js';
import type { Storage } from '../storage/storage.js';

export interface CutLayout extends SegmentLayout {
  readonly padGroups: boolean;
  readonly truncatedBefore: number;
}

/** The log behind the cut, once the segment is published. */
export interface CutLog {
  /** On a segment that is durable, and not yet published. */
  readonly writer: SegmentWriter;
  /** LSN of its first record, or of the next one. */
  readonly firstLsn: number;
  /** Header checksum of the group before it. */
  readonly previousChecksum: number;
  readonly openLsn: number;
  readonly checkpointLsn: number;
  /** The segments that stay before it, oldest first. */
  readonly closed: readonly ClosedSegment[];
}

/** What stays of the segment in which the cut lies. */
interface Rest {
  readonly link: LinkBody;
  readonly end: number;
  readonly lastLsn: number;
  readonly lastChecksum: number;
  /** LSN of the last checkpoint up to `lastLsn`; 0: none. */
  readonly checkpointLsn: number;
  /** Of the group that is cut in the middle: the frames that stay. */
  readonly head: Head | undefined;
}

interface Head {
  readonly body: Uint8Array;
  readonly records: number;
  /** 0: none. */
  readonly checkpointLsn: number;
}

/**
 * Builds the segment that ends the log with `lsn`; `segments` are all there are, oldest first, durable up to their
 * ends. Throws CorruptError or IoError; nothing but a file under preparation has changed then.
 */
export async function buildCut(
  storage: Storage,
  segments: readonly ClosedSegment[],
  lsn: number,
  layout: CutLayout,
): Promise<CutLog> {
  try {
    return await build(storage, segments, lsn, layout);
  } catch (error) {
    throw error instanceof RingwalError ? error : new IoError('Cutting the log', error);
  }
}

async function build(
  storage: Storage,
  segments: readonly ClosedSegment[],
  lsn: number,
  layout: CutLayout,
): Promise<CutLog> {
  const at = segments.findLastIndex(({ firstLsn, lastLsn }) => firstLsn <= lsn && firstLsn <= lastLsn);
  const segment = segments[Math.max(at, 0)] as ClosedSegment;
  const rest = await restOf(storage, segment, at < 0 ? 0 : lsn);
  const { head, end, lastLsn, lastChecksum } = rest;
  const { number, salt, firstLsn } = segment;
  const { truncatedBefore } = layout;
  // A segment of which no whole group stays is replaced, as by recovery: an empty one would be part of the chain, and
  // below every truncation mark.
  const isReplaced = lastLsn < firstLsn;
  const link: LinkBody = isReplaced
    ? { ...rest.link, truncatedBefore, openLsn: head === undefined ? 0 : segment.openLsn }
    : {
        predecessorSalt: salt,
        predecessorNumber: number,
        predecessorLastLsn: lastLsn,
        predecessorEnd: end,
        predecessorSealOffset: 0,
        truncatedBefore,
        // The records that are copied may end a span that began in the segment they come from.
        openLsn: head === undefined ? 0 : segment.openLsn || firstLsn,
        checkpointLsn: rest.checkpointLsn,
      };
  const previousChecksum = isReplaced ? segment.previousChecksum : lastChecksum;
  const before = segments.slice(0, Math.max(at, 0));
  return {
    writer: await write(storage, layout, link, previousChecksum, head),
    firstLsn: link.predecessorLastLsn + 1,
    previousChecksum,
    openLsn: link.openLsn,
    checkpointLsn: head?.checkpointLsn || link.checkpointLsn,
    closed: isReplaced ? before : [...before, { ...segment, end, lastLsn, lastChecksum, sealOffset: 0 }],
  };
}

/** Walks `segment` up to `lsn`; below its first record: up to its LINK. */
async function restOf(storage: Storage, segment: ClosedSegment, lsn: number): Promise<Rest> {
  const file = await storage.open(segment.name, 'read');
  try {
    const { firstLsn, previousChecksum } = segment;
    const start = { offset: BLOCK_BYTES, nextLsn: firstLsn, lastChecksum: previousChecksum };
    const cursor = new SegmentCursor(file, saltKey(segment.salt), segment.end, start);
    let rest: Rest | undefined;
    for (;;) {
      const step = cursor.next();
      if (step.kind === 'more') {
        await cursor.fill();
        continue;
      }
      if (step.kind === 'stop') throw damaged(segment, step.offset, cursor.nextLsn);
      const { type, headerChecksum: lastChecksum, records } = step.header;
      if (type === LINK) {
        const link = decodeLink(step.body);
        if (link === undefined) throw damaged(segment, step.offset, cursor.nextLsn);
        const { checkpointLsn } = link;
        rest = { link, end: step.end, lastLsn: firstLsn - 1, lastChecksum, checkpointLsn, head: undefined };
      } else if (type === DATA && rest !== undefined) {
        const head = headOf(segment, step, lsn);
        if (head.records < records) return { ...rest, head };
        const checkpointLsn = head.checkpointLsn || rest.checkpointLsn;
        rest = { ...rest, end: step.end, lastLsn: cursor.nextLsn - 1, lastChecksum, checkpointLsn };
      }
      if (rest !== undefined && rest.lastLsn >= lsn) return rest;
    }
  } finally {
    await file.close();
  }
}

/** The records of a group up to `lsn`. */
function headOf(segment: ClosedSegment, { header, body, offset }: Group, lsn: number): Head {
  let bytes = body.length;
  let checkpointLsn = 0;
  const records = Math.min(header.records, lsn + 1 - header.firstLsn);
  const isCut = records < header.records;
  if (isCut || (header.flags & HAS_CHECKPOINT) !== 0) {
    const wrong = walkRecords(body, header.records, header.firstLsn, (at, type, _flags, start) => {
      if (at <= lsn && type === RECORD_CHECKPOINT) checkpointLsn = at;
      if (at === lsn + 1) bytes = start - FRAME_HEADER_BYTES;
    });
    if (wrong !== undefined) throw damaged(segment, offset, header.firstLsn);
  }
  return { body: isCut ? body.slice(0, bytes) : body, records, checkpointLsn };
}

async function write(
  storage: Storage,
  layout: CutLayout,
  link: LinkBody,
  previousChecksum: number,
  head: Head | undefined,
): Promise<SegmentWriter> {
  const least = (head?.body.length ?? 0) + SEGMENT_OVERHEAD_BYTES;
  const segmentBytes = Math.max(layout.segmentBytes, Math.ceil(least / BLOCK_BYTES) * BLOCK_BYTES);
  const cutFrom = link.predecessorLastLsn + 1;
  const draft = await layOutSegment(storage, { ...layout, segmentBytes, cutFrom });
  try {
    const from = { end: BLOCK_BYTES, lastLsn: link.predecessorLastLsn, lastChecksum: previousChecksum };
    const writer = new SegmentWriter(draft, from, layout);
    writer.stageLink(link);
    if (head !== undefined) {
      const hasCheckpoint = head.checkpointLsn > 0;
      writer.stageData([head.body], head.body.length, head.records, { openLsn: link.openLsn, hasCheckpoint });
    }
    writer.write();
    writer.sync();
    return writer;
  } catch (error) {
    await draft.file.close().catch(() => {});
    throw error;
  }
}

function damaged(segment: ClosedSegment, offset: number, lsn: number): CorruptError {
  return new CorruptError(
    `The log was not cut: ${segment.name} is damaged at offset ${offset}, and LSN ${lsn} can't be read.`,
    { file: segment.name, offset, expectedLsn: lsn, lastGoodLsn: lsn - 1 },
  );
}
