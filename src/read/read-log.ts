/**
 * read-log: reads records from segment files, verified, in LSN order.
 *
 * A reader takes no lock and holds nothing up: it opens files as it comes to them, and copies every group out
 * of the file before it verifies it. When a segment was truncated meanwhile, and its file removed or reused,
 * nothing in it verifies any more; the reader then asks where the log begins now, and says so.
 */
import type { ReadableSegment, ReadView } from '../control/contract.js';
import { CorruptError, IoError, RingwalError, TruncatedError } from '../errors.js';
import { checksum } from '../format/checksum.js';
import { decodeSeal } from '../format/group-body.js';
import {
  DATA,
  decodeGroupHeader,
  GROUP_HEADER_BYTES,
  type SaltKey,
  SEAL,
  saltKey,
} from '../format/group-header.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { walkRecords } from '../segment/records.js';
import { type Group, SegmentCursor } from '../segment/segment-cursor.js';
import type { Storage, StorageFile } from '../storage/storage.js';

/** One record as `read` yields it. */
export interface LogRecord {
  readonly lsn: number;
  /** The record's bytes. The caller owns them: no other record and no file shares their memory. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** When the record's group was written: microseconds since 1970, by the writer's environment. */
  readonly timestampUs: number;
}

/**
 * Yields the records `from` to `to` (both included) that `view` holds, a group at a time. `firstLsn` says where
 * the log begins at the moment; records that get truncated while this runs end it with TruncatedError.
 */
export async function* readGroups(
  storage: Storage,
  view: ReadView,
  from: number,
  to: number,
  firstLsn: () => number,
): AsyncGenerator<LogRecord[], void, void> {
  for (const segment of view.segments) {
    if (segment.lastLsn < from) continue;
    if (segment.firstLsn > to) return;
    yield* readSegment(
      storage,
      segment,
      Math.max(from, segment.firstLsn),
      Math.min(to, segment.lastLsn),
      firstLsn,
    );
  }
}

async function* readSegment(
  storage: Storage,
  segment: ReadableSegment,
  from: number,
  to: number,
  firstLsn: () => number,
): AsyncGenerator<LogRecord[], void, void> {
  let next = from;
  const truncated = (): TruncatedError | undefined =>
    next < firstLsn() ? new TruncatedError(next, firstLsn()) : undefined;
  let file: StorageFile | undefined;
  try {
    file = await storage.open(segment.name, 'read');
    const cursor = await cursorAt(file, segment, from);
    while (next <= to) {
      const step = cursor.next();
      if (step.kind === 'more') {
        await cursor.fill();
        continue;
      }
      if (step.kind === 'stop') throw damaged(segment, step.offset, next);
      if (step.header.type !== DATA) continue;
      const records = recordsOf(segment, step, next, to);
      const gone = truncated();
      if (gone) throw gone;
      // A group before the first record asked for must not take the position back.
      next = Math.max(next, step.header.firstLsn + step.header.records);
      if (records.length > 0) yield records;
    }
  } catch (error) {
    const gone = truncated();
    if (gone) throw gone;
    throw error instanceof RingwalError ? error : new IoError(`Reading ${segment.name}`, error);
  } finally {
    await file?.close();
  }
}

/** A cursor at or before the group with `lsn`: by the segment's index if it was sealed, else at its start. */
async function cursorAt(file: StorageFile, segment: ReadableSegment, lsn: number): Promise<SegmentCursor> {
  const key = saltKey(segment.salt);
  const start = { offset: BLOCK_BYTES, nextLsn: segment.firstLsn, lastChecksum: segment.previousChecksum };
  const offset =
    segment.sealOffset === 0 || lsn === segment.firstLsn
      ? undefined
      : await indexedOffset(file, segment, key, lsn);
  if (offset === undefined) return new SegmentCursor(file, key, segment.end, start);
  const bytes = new Uint8Array(GROUP_HEADER_BYTES);
  await file.read(bytes, offset);
  const header = decodeGroupHeader(bytes, new DataView(bytes.buffer), 0, key);
  // A walk that began behind the LSN sought would leave records out, and nobody would miss them.
  if (header === undefined || header.type !== DATA || header.firstLsn > lsn)
    throw damaged(segment, offset, lsn);
  return new SegmentCursor(file, key, segment.end, {
    offset,
    nextLsn: header.firstLsn,
    lastChecksum: header.previousChecksum,
  });
}

/** Offset of the last indexed group that begins at or before `lsn`. */
async function indexedOffset(
  file: StorageFile,
  segment: ReadableSegment,
  key: SaltKey,
  lsn: number,
): Promise<number | undefined> {
  const bytes = new Uint8Array(segment.end - segment.sealOffset);
  await file.read(bytes, segment.sealOffset);
  const header = decodeGroupHeader(bytes, new DataView(bytes.buffer), 0, key);
  const body = bytes.subarray(GROUP_HEADER_BYTES, GROUP_HEADER_BYTES + (header?.bodyBytes ?? 0));
  // No cursor walks over this group, so it is verified here: what decides where a read begins must be true.
  const isWhole = header?.type === SEAL && checksum(body, key.seed) === header.bodyChecksum;
  const seal = isWhole ? decodeSeal(body) : undefined;
  if (seal === undefined) throw damaged(segment, segment.sealOffset, lsn);
  return seal.index.findLast((entry) => entry.firstLsn <= lsn)?.offset;
}

function recordsOf(segment: ReadableSegment, group: Group, from: number, to: number): LogRecord[] {
  const { firstLsn, records, timestampUs } = group.header;
  const found: LogRecord[] = [];
  const wrong = walkRecords(group.body, records, firstLsn, (lsn, start, end) => {
    if (lsn >= from && lsn <= to)
      found.push({ lsn, payload: group.body.slice(start, end) as Uint8Array<ArrayBuffer>, timestampUs });
  });
  if (wrong !== undefined) {
    throw new CorruptError(
      `A group of ${segment.name} at offset ${group.offset} can't be taken apart: ${wrong}.`,
      {
        file: segment.name,
        offset: group.offset,
        expectedLsn: firstLsn,
      },
    );
  }
  return found;
}

function damaged(segment: ReadableSegment, offset: number, lsn: number): CorruptError {
  return new CorruptError(
    `Acknowledged data in ${segment.name} is damaged at offset ${offset}: LSN ${lsn} can't be read.`,
    {
      file: segment.name,
      offset,
      expectedLsn: lsn,
      lastGoodLsn: lsn - 1,
    },
  );
}
