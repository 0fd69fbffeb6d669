/**
 * good-groups: finds every group of a damaged segment that verifies, and says what lies between them.
 *
 * As long as groups follow each other they are walked like in any segment: place, header, LSN, chain, body. Where
 * that fails, all headers behind the place that verify are listed, once, and the walk goes on at the one with the
 * least LSN that was not passed yet and whose body verifies too: least LSN and not least offset, so that a later
 * group that was written to a wrong place does not hide those between.
 *
 * Nothing here trusts a file: lengths are believed only as far as the file goes, a body is taken into memory only
 * after it verified, and bodies of groups that lie over each other are verified up to a budget. So time is linear in
 * the size of the file, and memory is one window, one group, and 16 bytes for each header listed.
 */
import { checksum } from '../format/checksum.js';
import {
  DATA,
  decodeGroupHeader,
  GROUP_ALIGNMENT,
  GROUP_HEADER_BYTES,
  type GroupHeader,
  MARK,
  type SaltKey,
} from '../format/group-header.js';
import { FRAME_HEADER_BYTES } from '../format/record-frame.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { headersIn } from '../recovery/evidence.js';
import { type TolerantFile, VIEW_BYTES } from './tolerant-file.js';

export type Piece =
  /** A group that verifies; `body` is valid until the next piece is asked for. */
  | {
      readonly kind: 'group';
      readonly offset: number;
      readonly header: GroupHeader;
      readonly body: Uint8Array;
    }
  /** In its place, with a header that verifies, and a body that does not. */
  | {
      readonly kind: 'bad-body';
      readonly offset: number;
      readonly header: GroupHeader;
      readonly body: Uint8Array;
    }
  /** No group here; the next one that verifies, if any, is elsewhere. */
  | { readonly kind: 'damage'; readonly offset: number; readonly reason: string }
  /** The last piece. */
  | {
      readonly kind: 'end';
      readonly offset: number;
      /** Whether zeros or the file's end follow. */
      readonly isBlank: boolean;
      /** The highest LSN that any header calls durable. */
      readonly durableLsn: number;
      /** Whether a header calls bytes at the end durable: there was more. */
      readonly isProven: boolean;
    };

/** The largest group that any log has. */
const MOST_BODY_BYTES = 1024 ** 3;
/** The largest damaged group that is taken into memory, for its single records. */
const MOST_BAD_BYTES = 64 * 1024 * 1024;
/** Headers listed at a time. */
const MOST_LISTED = 1024 * 1024;

/** What is known of a header behind a damaged place. */
interface Listed {
  readonly offset: number;
  readonly firstLsn: number;
}

export interface WalkOptions {
  /** Nothing is read at or behind it. */
  readonly limit: number;
  /** Whether the walk goes on behind damage. */
  readonly passesDamage: boolean;
  /** The end of the group behind which it begins, and what follows that; default: with the first group. */
  readonly from?: { readonly offset: number; readonly nextLsn: number; readonly lastChecksum: number };
}

export async function* goodGroups(
  file: TolerantFile,
  key: SaltKey,
  { limit, passesDamage, from }: WalkOptions,
): AsyncGenerator<Piece, void, void> {
  const end = Math.min(limit, file.bytes);
  let at = from?.offset ?? BLOCK_BYTES;
  let nextLsn = from?.nextLsn ?? 0;
  let lastChecksum = from?.lastChecksum;
  let durableLsn = 0;
  let durableEnd = 0;
  const listed: Listed[] = [];
  let listedTo = 0;
  let budget = 8 * end;

  const know = (header: GroupHeader): void => {
    durableLsn = Math.max(durableLsn, header.durableLsn, header.firstLsn - 1);
    durableEnd = Math.max(durableEnd, header.durableEnd);
  };
  const headerAt = async (offset: number): Promise<GroupHeader | undefined> => {
    if (offset + GROUP_HEADER_BYTES > end) return undefined;
    const bytes = await file.view(offset, offset + GROUP_HEADER_BYTES);
    if (bytes.length < GROUP_HEADER_BYTES) return undefined;
    const header = decodeGroupHeader(bytes, new DataView(bytes.buffer, bytes.byteOffset), 0, key);
    return header !== undefined && isPlausible(header, end - offset) ? header : undefined;
  };
  /** The next place at which a group verifies that was not passed yet. */
  const search = async (): Promise<number | undefined> => {
    for (;;) {
      if (listed.length === 0) {
        const from = Math.max(at, listedTo);
        if (from >= end) return undefined;
        listedTo = end;
        for await (const { offset, header } of headersIn(file, key, from, end)) {
          know(header);
          if (isPlausible(header, end - offset)) listed.push({ offset, firstLsn: header.firstLsn });
          if (listed.length < MOST_LISTED) continue;
          listedTo = offset + GROUP_ALIGNMENT;
          break;
        }
        if (listed.length === 0) return undefined;
        listed.sort((a, b) => b.firstLsn - a.firstLsn || b.offset - a.offset); // taken from the end
      }
      const { offset, firstLsn } = listed.pop() as Listed;
      if (offset < at || firstLsn < nextLsn) continue;
      const header = await headerAt(offset);
      if (header === undefined || budget < header.bodyBytes) continue;
      budget -= header.bodyBytes;
      if (await verifies(file, offset, header, key)) return offset;
    }
  };

  for (;;) {
    const aligned = Math.ceil(at / BLOCK_BYTES) * BLOCK_BYTES;
    const here = await headerAt(at);
    const offset = here === undefined ? aligned : at;
    const header = here ?? (await headerAt(aligned));
    const isNext =
      header !== undefined && (lastChecksum === undefined || header.previousChecksum === lastChecksum);
    if (header !== undefined && isNext && header.firstLsn >= nextLsn) {
      know(header);
      const isGood = await verifies(file, offset, header, key);
      if (isGood || passesDamage) {
        nextLsn = header.firstLsn + header.records;
        lastChecksum = header.headerChecksum;
        at = offset + GROUP_HEADER_BYTES + header.bodyBytes;
        const isTaken = isGood || header.bodyBytes <= MOST_BAD_BYTES;
        const body = isTaken ? await bodyOf(file, offset, header) : new Uint8Array(0);
        yield { kind: isGood ? 'group' : 'bad-body', offset, header, body };
        continue;
      }
    }
    const isBlank = header === undefined && (await isZero(file, at, end));
    const stoppedAt = at;
    // What is in the next block may be good, and yet not all that lies before it is passed.
    if (header !== undefined) at += GROUP_ALIGNMENT;
    const found = passesDamage ? await search() : undefined;
    if (found === undefined) {
      const isProven = durableEnd > stoppedAt;
      yield { kind: 'end', offset: stoppedAt, isBlank, durableLsn, isProven };
      return;
    }
    const reason = isBlank
      ? 'zeros'
      : header === undefined
        ? 'bytes that do not verify'
        : 'a group that does not belong here';
    yield { kind: 'damage', offset: stoppedAt, reason };
    at = found;
    lastChecksum = undefined;
  }
}

function isPlausible(header: GroupHeader, room: number): boolean {
  const { type, bodyBytes, records } = header;
  if (type < DATA || type > MARK || bodyBytes % GROUP_ALIGNMENT !== 0) return false;
  if (bodyBytes > Math.min(MOST_BODY_BYTES, room - GROUP_HEADER_BYTES)) return false;
  if (!Number.isSafeInteger(header.firstLsn + records) || header.firstLsn < 1) return false;
  if (!Number.isSafeInteger(header.durableLsn)) return false;
  return type === DATA ? records > 0 && records <= bodyBytes / FRAME_HEADER_BYTES : records === 0;
}

/** Whether the body of the group at `offset` verifies; reads it in windows. */
async function verifies(
  file: TolerantFile,
  offset: number,
  header: GroupHeader,
  key: SaltKey,
): Promise<boolean> {
  let sum = key.seed;
  const end = offset + GROUP_HEADER_BYTES + header.bodyBytes;
  for (let at = offset + GROUP_HEADER_BYTES; at < end; at += VIEW_BYTES) {
    sum = checksum(await file.view(at, Math.min(end, at + VIEW_BYTES)), sum);
  }
  return sum === header.bodyChecksum;
}

async function bodyOf(file: TolerantFile, offset: number, { bodyBytes }: GroupHeader): Promise<Uint8Array> {
  const start = offset + GROUP_HEADER_BYTES;
  if (bodyBytes <= VIEW_BYTES) return file.view(start, start + bodyBytes);
  const body = new Uint8Array(bodyBytes);
  await file.read(body, start);
  return body;
}

async function isZero(file: TolerantFile, at: number, end: number): Promise<boolean> {
  const bytes = await file.view(at, Math.min(at + GROUP_HEADER_BYTES, Math.max(at, end)));
  return bytes.every((byte) => byte === 0);
}
