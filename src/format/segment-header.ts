/**
 * segment-header: the first 4096 bytes of a segment file, and the names of the files.
 *
 *     0   8  magic "RINGWAL" and 0x1a
 *     8  u32 format version, 1; looked at before anything else but the magic, so that a log of a later
 *            version is reported as such and never as damage
 *    12  u32 block bytes, 4096: the header's size, and where a group may start besides right behind another
 *    16  16B log id: random, the same in all segments of a log
 *    32  16B salt: random, new for every segment and for every reuse of a file
 *    48  u64 segment number, the one in the file name
 *    56  u32 epoch: how many times the log had been opened for writing, this time included, or cut
 *    60  u32 reserved, 0
 *    64  u64 segment bytes: the size the file was laid out for
 *    72  u64 time of creation, microseconds since 1970
 *    80  u64 cut from: records of segments with lower numbers from this LSN on were cut off; 0: none
 *    88      zeros
 *  4092  u32 CRC-32 of bytes 0..4091
 *
 * A segment is published under its name only after its header is durable: a published file without a valid
 * header is therefore damage, never the trace of a crash.
 */
import { checksum } from './checksum.js';
import { GROUP_MAGIC, getU64, setU64 } from './group-header.js';

export const FORMAT_VERSION = 1;

/** 32 bits hold no more. */
export const LARGEST_EPOCH = 0xffff_ffff;

/** Segment header size; also the boundary to which marks and padded groups are moved. */
export const BLOCK_BYTES = 4096;

const MAGIC = new Uint8Array([0x52, 0x49, 0x4e, 0x47, 0x57, 0x41, 0x4c, 0x1a]);
const VERSION_OFFSET = MAGIC.length;
const BLOCK_BYTES_OFFSET = VERSION_OFFSET + 4;
const LOG_ID_OFFSET = BLOCK_BYTES_OFFSET + 4;
const SALT_OFFSET = LOG_ID_OFFSET + 16;
const NUMBER_OFFSET = SALT_OFFSET + 16;
const EPOCH_OFFSET = NUMBER_OFFSET + 8;
const SEGMENT_BYTES_OFFSET = EPOCH_OFFSET + 8;
const CREATED_OFFSET = SEGMENT_BYTES_OFFSET + 8;
const CUT_FROM_OFFSET = CREATED_OFFSET + 8;
const CHECKSUM_OFFSET = BLOCK_BYTES - 4;

export interface SegmentHeader {
  /** 16 bytes. */
  logId: Uint8Array;
  /** 16 bytes. */
  salt: Uint8Array;
  number: number;
  epoch: number;
  segmentBytes: number;
  createdUs: number;
  /**
   * In the segment that `truncateAfter` began, or an opening that ended the log before damage or a torn write: the LSN from
   * which on records in segments with lower numbers are not part of the log; 0: no other. Its LINK says where that is;
   * this is for who reads the log without that one.
   */
  cutFrom: number;
}

export type SegmentHeaderVerdict =
  | { readonly state: 'valid'; readonly header: SegmentHeader }
  | { readonly state: 'unsupported'; readonly version: number }
  | { readonly state: 'invalid' };

export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(BLOCK_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint32(VERSION_OFFSET, FORMAT_VERSION, true);
  view.setUint32(BLOCK_BYTES_OFFSET, BLOCK_BYTES, true);
  bytes.set(header.logId, LOG_ID_OFFSET);
  bytes.set(header.salt, SALT_OFFSET);
  setU64(view, NUMBER_OFFSET, header.number);
  view.setUint32(EPOCH_OFFSET, header.epoch, true);
  setU64(view, SEGMENT_BYTES_OFFSET, header.segmentBytes);
  setU64(view, CREATED_OFFSET, header.createdUs);
  setU64(view, CUT_FROM_OFFSET, header.cutFrom);
  view.setUint32(CHECKSUM_OFFSET, checksum(bytes.subarray(0, CHECKSUM_OFFSET), 0), true);
  return bytes;
}

/** Decodes the first block of a file; fewer bytes than a block are `invalid`. */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeaderVerdict {
  if (bytes.length < BLOCK_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte)) return { state: 'invalid' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint32(VERSION_OFFSET, true);
  if (version !== FORMAT_VERSION) return { state: 'unsupported', version };
  const sum = checksum(bytes.subarray(0, CHECKSUM_OFFSET), 0);
  if (view.getUint32(CHECKSUM_OFFSET, true) !== sum) return { state: 'invalid' };
  if (view.getUint32(BLOCK_BYTES_OFFSET, true) !== BLOCK_BYTES) return { state: 'invalid' };
  // Offsets inside a segment are 32 bits wide.
  if (getU64(view, SEGMENT_BYTES_OFFSET) > 0xffff_f000) return { state: 'invalid' };
  return {
    state: 'valid',
    header: {
      logId: bytes.slice(LOG_ID_OFFSET, LOG_ID_OFFSET + 16),
      salt: bytes.slice(SALT_OFFSET, SALT_OFFSET + 16),
      number: getU64(view, NUMBER_OFFSET),
      epoch: view.getUint32(EPOCH_OFFSET, true),
      segmentBytes: getU64(view, SEGMENT_BYTES_OFFSET),
      createdUs: getU64(view, CREATED_OFFSET),
      cutFrom: getU64(view, CUT_FROM_OFFSET),
    },
  };
}

/** Bytes of a file that `statedCut` looks at. */
const STATED_CUT_BYTES = BLOCK_BYTES + 16;

/**
 * `cutFrom` of a file that begins with these bytes and whose first block is damaged; 0: none that can be believed. It is
 * when the header of the first group, in another block, has the same number as its first LSN, as that of a cut does.
 */
export function statedCut(bytes: Uint8Array): number {
  if (bytes.length < STATED_CUT_BYTES) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(BLOCK_BYTES, true) !== GROUP_MAGIC) return 0;
  const cutFrom = getU64(view, CUT_FROM_OFFSET);
  return cutFrom === getU64(view, BLOCK_BYTES + 8) ? cutFrom : 0;
}

const SEGMENT_NAME = /^(\d{20})\.wal$/;

/** `<segment number, 20 digits>.wal`, so that names sort as the log runs. */
export function segmentName(number: number): string {
  return `${String(number).padStart(20, '0')}.wal`;
}

/** A segment under preparation; whatever has this name is never part of the log. */
export function preparedName(number: number): string {
  return `${String(number).padStart(20, '0')}.new`;
}

/** The segment number of a file name, or undefined for names that are not a segment's. */
export function parseSegmentName(name: string): number | undefined {
  const number = Number(SEGMENT_NAME.exec(name)?.[1]);
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}

export function isPreparedName(name: string): boolean {
  return /^\d{20}\.new$/.test(name);
}

const ASIDE_NAME = /^(\d{20}\.wal)\.lost-(\d{1,10})$/;

/** A second name for segment `name`, given to it by opening number `epoch`, which ended the log before it. */
export function asideName(name: string, epoch: number): string {
  return `${name}.lost-${epoch}`;
}

/** The segment's name and the epoch of a name that `asideName` made, or undefined for other names. */
export function parseAsideName(name: string): { segment: string; epoch: number } | undefined {
  const [, segment, epoch] = ASIDE_NAME.exec(name) ?? [];
  return segment === undefined || Number(epoch) > LARGEST_EPOCH
    ? undefined
    : { segment, epoch: Number(epoch) };
}
