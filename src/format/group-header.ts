/**
 * group-header: the 64 bytes before every group, encoded and decoded here and nowhere else.
 *
 * A group is the unit of write, of durability, of checksum and of recovery. All integers are little-endian.
 *
 *    0  u32  magic "RWGR"
 *    4  u8   type: DATA 1, LINK 2, SEAL 3, MARK 4
 *    5  u8   flags: 1 a record of it is a checkpoint
 *    6  u16  reserved, 0
 *    8  u64  first LSN: of the first record, or for a group without records the next LSN to be given
 *   16  u64  durable LSN: the last LSN proven durable when this group was written
 *   24  u64  time of writing, microseconds since 1970
 *   32  u32  records
 *   36  u32  body bytes, a multiple of 8; the body follows the header
 *   40  u32  header checksum of the group before this one (in a LINK: of the predecessor's last group)
 *   44  u32  body checksum
 *   48  u64  the first 8 bytes of the segment's salt
 *   56  u32  durable end: bytes of this segment proven durable when this group was written
 *   60  u32  header checksum, over bytes 0..59
 *
 * Both checksums are CRC-32 seeded with the segment's 16-byte salt (the CRC of salt followed by the bytes).
 * So bytes of another segment, of this file's former life, or of a payload that imitates a group never
 * verify, and neither do zeros. "Durable end" tells recovery exactly which damage hits acknowledged bytes: a
 * group that verifies proves that everything in its segment before its durable end had been synced.
 */
import { checksum } from './checksum.js';

export const GROUP_HEADER_BYTES = 64;
export const GROUP_ALIGNMENT = 8;
export const GROUP_MAGIC = 0x52475752; // "RWGR" in little-endian order

/** Group types. */
export const DATA = 1;
export const LINK = 2;
export const SEAL = 3;
export const MARK = 4;

/** Group flags. */
export const HAS_CHECKPOINT = 1;

const TYPE_OFFSET = 4;
const FLAGS_OFFSET = 5;
const FIRST_LSN_OFFSET = 8;
const DURABLE_LSN_OFFSET = 16;
const TIMESTAMP_OFFSET = 24;
const RECORDS_OFFSET = 32;
const BODY_BYTES_OFFSET = 36;
const PREVIOUS_CHECKSUM_OFFSET = 40;
const BODY_CHECKSUM_OFFSET = 44;
const SALT_OFFSET = 48;
const DURABLE_END_OFFSET = 56;
const HEADER_CHECKSUM_OFFSET = 60;

/** What a group header says. LSNs are counts, the rest bytes, checksums and microseconds. */
export interface GroupHeader {
  type: number;
  flags: number;
  firstLsn: number;
  durableLsn: number;
  timestampUs: number;
  records: number;
  bodyBytes: number;
  previousChecksum: number;
  bodyChecksum: number;
  durableEnd: number;
  /** The header's own checksum, by which the next group names this one. */
  headerChecksum: number;
}

/** A segment's salt in the two forms that encoding and verifying need. */
export interface SaltKey {
  /** Checksum of the salt: the seed of every checksum in the segment. */
  readonly seed: number;
  /** The salt's first 8 bytes as they stand in group headers. */
  readonly prefixLow: number;
  readonly prefixHigh: number;
}

export function saltKey(salt: Uint8Array): SaltKey {
  const view = new DataView(salt.buffer, salt.byteOffset, salt.byteLength);
  return { seed: checksum(salt, 0), prefixLow: view.getUint32(0, true), prefixHigh: view.getUint32(4, true) };
}

/** Writes a u64 from a safe integer. Two 32-bit stores: BigInt would allocate on the commit path. */
export function setU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true);
}

/** Reads a u64; above 2^53 - 1 the result is not exact, and callers refuse it. */
export function getU64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
}

/**
 * Encodes `header` into 64 bytes at `offset` of `view` (over `bytes`), computes the header checksum, stores
 * it in the bytes and in `header.headerChecksum`.
 */
export function encodeGroupHeader(
  header: GroupHeader,
  key: SaltKey,
  bytes: Uint8Array,
  view: DataView,
  offset: number,
): void {
  view.setUint32(offset, GROUP_MAGIC, true);
  view.setUint32(offset + TYPE_OFFSET, header.type | (header.flags << 8), true); // reserved is zero
  setU64(view, offset + FIRST_LSN_OFFSET, header.firstLsn);
  setU64(view, offset + DURABLE_LSN_OFFSET, header.durableLsn);
  setU64(view, offset + TIMESTAMP_OFFSET, header.timestampUs);
  view.setUint32(offset + RECORDS_OFFSET, header.records, true);
  view.setUint32(offset + BODY_BYTES_OFFSET, header.bodyBytes, true);
  view.setUint32(offset + PREVIOUS_CHECKSUM_OFFSET, header.previousChecksum, true);
  view.setUint32(offset + BODY_CHECKSUM_OFFSET, header.bodyChecksum, true);
  view.setUint32(offset + SALT_OFFSET, key.prefixLow, true);
  view.setUint32(offset + SALT_OFFSET + 4, key.prefixHigh, true);
  view.setUint32(offset + DURABLE_END_OFFSET, header.durableEnd, true);
  header.headerChecksum = checksum(bytes.subarray(offset, offset + HEADER_CHECKSUM_OFFSET), key.seed);
  view.setUint32(offset + HEADER_CHECKSUM_OFFSET, header.headerChecksum, true);
}

/**
 * Decodes the header at `offset`, or returns undefined when the 64 bytes are not a group header written
 * under this salt. The caller checks that 64 bytes are there. The cheap tests come first: this also runs at
 * every 8th byte when recovery searches for evidence behind a damaged place.
 */
export function decodeGroupHeader(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  key: SaltKey,
): GroupHeader | undefined {
  if (view.getUint32(offset, true) !== GROUP_MAGIC) return undefined;
  if (view.getUint32(offset + SALT_OFFSET, true) !== key.prefixLow) return undefined;
  if (view.getUint32(offset + SALT_OFFSET + 4, true) !== key.prefixHigh) return undefined;
  const headerChecksum = view.getUint32(offset + HEADER_CHECKSUM_OFFSET, true);
  if (checksum(bytes.subarray(offset, offset + HEADER_CHECKSUM_OFFSET), key.seed) !== headerChecksum)
    return undefined;
  return {
    type: view.getUint8(offset + TYPE_OFFSET),
    flags: view.getUint8(offset + FLAGS_OFFSET),
    firstLsn: getU64(view, offset + FIRST_LSN_OFFSET),
    durableLsn: getU64(view, offset + DURABLE_LSN_OFFSET),
    timestampUs: getU64(view, offset + TIMESTAMP_OFFSET),
    records: view.getUint32(offset + RECORDS_OFFSET, true),
    bodyBytes: view.getUint32(offset + BODY_BYTES_OFFSET, true),
    previousChecksum: view.getUint32(offset + PREVIOUS_CHECKSUM_OFFSET, true),
    bodyChecksum: view.getUint32(offset + BODY_CHECKSUM_OFFSET, true),
    durableEnd: view.getUint32(offset + DURABLE_END_OFFSET, true),
    headerChecksum,
  };
}
