/**
 * read-log: reads records from segment files, verified, in the order in which they took effect.
 *
 * A reader takes no lock and holds nothing up: it opens files as it comes to them, and copies every group out
 * of the file before it verifies it. When a segment was truncated meanwhile, and its file removed or reused,
 * nothing in it verifies any more; the reader then asks where the log begins now, and says so.
 *
 * To see large records and transactions whole that end behind the LSN asked for, it begins where the oldest of
 * them begins that is open there; the log keeps what lies before its truncation mark for that.
 */
import type { ReadableSegment, ReadView } from '../control/contract.js';
import { CorruptError, IoError, RingwalError, TruncatedError } from '../errors.js';
import { checksum } from '../format/checksum.js';
import { decodeSeal, type IndexEntry, MAX_OPEN_BACK } from '../format/group-body.js';
import {
  DATA,
  decodeGroupHeader,
  GROUP_HEADER_BYTES,
  type SaltKey,
  SEAL,
  saltKey,
} from '../format/group-header.js';
import { HAS_CHECKSUM } from '../format/record-frame.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { frameChecksum, walkRecords } from '../segment/records.js';
import { type Group, SegmentCursor } from '../segment/segment-cursor.js';
import type { Storage, StorageFile } from '../storage/storage.js';
import {
  type LogRecord,
  type PayloadDecoder,
  RecordAssembler,
  type TransactionMode,
} from './record-assembler.js';

/** What is to be read. */
export interface ReadRange {
  /** First and last LSN, both included. */
  readonly from: number;
  readonly to: number;
  readonly transactions: TransactionMode;
  readonly decoder: PayloadDecoder | undefined;
}

/**
 * Yields the records of `range` that `view` holds, those of a group at a time. `firstLsn` says where the log begins
 * at the moment; records that get truncated while this runs end it with TruncatedError.
 */
export async function* readGroups(
  storage: Storage,
  view: ReadView,
  range: ReadRange,
  firstLsn: () => number,
): AsyncGenerator<LogRecord[], void, void> {
  const assembler = new RecordAssembler(range.from, range.transactions, range.decoder, range.to);
  let next = range.from;
  let start = range.from;
  const first = view.segments.find(({ lastLsn }) => lastLsn >= range.from);
  if (first === undefined) return;
  let name = first.name;
  try {
    start = await spanStart(storage, first, range.from);
    for (const segment of view.segments) {
      if (segment.lastLsn < start) continue;
      if (segment.firstLsn > range.to) return;
      name = segment.name;
      for await (const group of readSegment(storage, segment, Math.max(start, segment.firstLsn), range.to)) {
        const { records: count, firstLsn: groupLsn } = group.header;
        await range.decoder?.prepare(group.body, count, groupLsn, range.from, range.to);
        const records = recordsOf(segment, group, assembler);
        if (next < firstLsn()) throw new TruncatedError(next, firstLsn());
        next = Math.max(next, groupLsn + count);
        if (records.length > 0) yield records;
      }
    }
  } catch (error) {
    if (next < firstLsn()) throw new TruncatedError(next, firstLsn());
    throw error instanceof RingwalError ? error : new IoError(`Reading ${name}`, error);
  }
}

/** Yields the DATA groups with the records `from` to `to` of one segment; may begin with a group before them. */
async function* readSegment(
  storage: Storage,
  segment: ReadableSegment,
  from: number,
  to: number,
): AsyncGenerator<Group, void, void> {
  const file = await storage.open(segment.name, 'read');
  try {
    const cursor = await cursorAt(file, segment, from);
    const last = Math.min(to, segment.lastLsn);
    while (cursor.nextLsn <= last) {
      const step = cursor.next();
      if (step.kind === 'more') await cursor.fill();
      else if (step.kind === 'stop') throw damaged(segment, step.offset, cursor.nextLsn);
      else if (step.header.type === DATA) {
        checkWithin(segment, step);
        yield step;
      }
    }
  } finally {
    await file.close();
  }
}

/** The next segment begins behind the last LSN of this one: a group that goes on behind that would be read twice in part. */
export function checkWithin(segment: ReadableSegment, { header, offset }: Group): void {
  if (header.firstLsn + header.records - 1 > segment.lastLsn)
    throw damaged(segment, offset, segment.lastLsn + 1);
}

/** Where reading must begin so that what takes effect at `lsn` or later, in `segment` or behind it, is seen whole. */
export async function spanStart(storage: Storage, segment: ReadableSegment, lsn: number): Promise<number> {
  const entry = await indexEntry(storage, segment, lsn);
  if (entry !== undefined && entry.openBack !== MAX_OPEN_BACK) return entry.firstLsn - entry.openBack;
  // Never behind what is sought, whatever the LINK says: nobody would miss what lies between.
  return Math.min(lsn, segment.firstLsn, segment.openLsn || Number.POSITIVE_INFINITY);
}

async function indexEntry(
  storage: Storage,
  segment: ReadableSegment,
  lsn: number,
): Promise<IndexEntry | undefined> {
  if (segment.sealOffset === 0 || lsn === segment.firstLsn) return undefined;
  const file = await storage.open(segment.name, 'read');
  try {
    return await indexedEntry(file, segment, saltKey(segment.salt), lsn);
  } finally {
    await file.close();
  }
}

/** A cursor at or before the group with `lsn`: by the segment's index if it was sealed, else at its start. */
export async function cursorAt(
  file: StorageFile,
  segment: ReadableSegment,
  lsn: number,
): Promise<SegmentCursor> {
  const key = saltKey(segment.salt);
  const start = { offset: BLOCK_BYTES, nextLsn: segment.firstLsn, lastChecksum: segment.previousChecksum };
  const entry =
    segment.sealOffset === 0 || lsn === segment.firstLsn
      ? undefined
      : await indexedEntry(file, segment, key, lsn);
  if (entry === undefined) return new SegmentCursor(file, key, segment.end, start);
  const bytes = new Uint8Array(GROUP_HEADER_BYTES);
  await file.read(bytes, entry.offset);
  const header = decodeGroupHeader(bytes, new DataView(bytes.buffer), 0, key);
  // A walk that began behind the LSN sought would leave records out, and nobody would miss them.
  if (header === undefined || header.type !== DATA || header.firstLsn !== entry.firstLsn)
    throw damaged(segment, entry.offset, lsn);
  return new SegmentCursor(file, key, segment.end, {
    offset: entry.offset,
    nextLsn: header.firstLsn,
    lastChecksum: header.previousChecksum,
  });
}

/** The last indexed group that begins at or before `lsn`. */
async function indexedEntry(
  file: StorageFile,
  segment: ReadableSegment,
  key: SaltKey,
  lsn: number,
): Promise<IndexEntry | undefined> {
  // The offset comes from the successor's LINK: a hostile one may point at the segment's end, or behind it.
  if (segment.sealOffset + GROUP_HEADER_BYTES > segment.end) throw damaged(segment, segment.sealOffset, lsn);
  const bytes = new Uint8Array(segment.end - segment.sealOffset);
  await file.read(bytes, segment.sealOffset);
  const header = decodeGroupHeader(bytes, new DataView(bytes.buffer), 0, key);
  const body = bytes.subarray(GROUP_HEADER_BYTES, GROUP_HEADER_BYTES + (header?.bodyBytes ?? 0));
  // No cursor walks over this group, so it is verified here: what decides where a read begins must be true.
  const isWhole = header?.type === SEAL && checksum(body, key.seed) === header.bodyChecksum;
  const seal = isWhole ? decodeSeal(body) : undefined;
  if (seal === undefined) throw damaged(segment, segment.sealOffset, lsn);
  return seal.index.findLast((entry) => entry.firstLsn <= lsn);
}

/** The records that are whole with a group. Throws CorruptError when it can't be taken apart. */
export function recordsOf(segment: ReadableSegment, group: Group, assembler: RecordAssembler): LogRecord[] {
  const { firstLsn, records, timestampUs } = group.header;
  const { body } = group;
  const found: LogRecord[] = [];
  const wrong = walkRecords(body, records, firstLsn, (lsn, type, flags, start, end) => {
    const stated = (flags & HAS_CHECKSUM) === 0 ? 0 : frameChecksum(body, start, end, flags);
    assembler.take(found, lsn, type, flags, body, start, end, stated, timestampUs);
  });
  if (wrong !== undefined) {
    throw new CorruptError(
      `A group of ${segment.name} at offset ${group.offset} can't be taken apart: ${wrong}.`,
      { file: segment.name, offset: group.offset, expectedLsn: firstLsn },
    );
  }
  return found;
}

/** The error for a group that should be there and does not verify. */
export function damaged(segment: ReadableSegment, offset: number, lsn: number): CorruptError {
  return new CorruptError(
    `Acknowledged data in ${segment.name} is damaged at offset ${offset}: LSN ${lsn} can't be read.`,
    { file: segment.name, offset, expectedLsn: lsn, lastGoodLsn: lsn - 1 },
  );
}
