/**
 * record-frame: the bytes of one record, the same in the submission ring and on disk.
 *
 *   0        4      5       6          8
 *   | length | type | flags | reserved | content ... | zeros | checksum |
 *     u32 LE   u8     u8      u16 = 0                          u32 LE, with HAS_CHECKSUM
 *
 * `length` is the content's. A frame is a multiple of 8 bytes long; the zeros before its end fill it up, and the
 * checksum, if there is one, is its last 4 bytes. The content is, one after the other:
 *
 *   u64  id of the transaction, with IN_TRANSACTION and in the records that begin and end one
 *   u64  id of the large record, in FIRST, MIDDLE and LAST
 *   ...  the payload: as it was appended; compressed and encrypted if the flags say so; a part of it in a fragment
 *
 * The caller's thread writes the frame straight into its ring, and the I/O worker hands ring memory to the kernel
 * as it lies, so a record is laid out once and copied once. Frames start at multiples of 8: V8 copies into shared
 * memory by words only when source and target are aligned alike; that is also why the checksum comes last.
 */

/** Bytes before the content. */
export const FRAME_HEADER_BYTES = 8;

/** Frame sizes and positions are multiples of this. */
export const FRAME_ALIGNMENT = 8;

/** The zeros that fill a frame up and its checksum are no more than these. */
export const FRAME_END_BYTES = 12;

/** Bytes of a frame's checksum, and of an id in its content. */
export const CHECKSUM_BYTES = 4;
export const ID_BYTES = 8;

/** Record types. */
export const RECORD_FULL = 1;
/** A large record in parts; its LSN is that of its LAST. */
export const RECORD_FIRST = 2;
export const RECORD_MIDDLE = 3;
export const RECORD_LAST = 4;
/** A record like FULL, which the log remembers the last of. */
export const RECORD_CHECKPOINT = 5;
/** A transaction begins, is committed, is aborted: records with an empty payload. */
export const RECORD_TXN_BEGIN = 6;
export const RECORD_TXN_COMMIT = 7;
export const RECORD_TXN_ABORT = 8;

/** Record flags. */
export const COMPRESSED = 1;
export const ENCRYPTED = 2;
/** The frame ends with the CRC-32 of the payload as its caller gave it; of a large record, its LAST does. */
export const HAS_CHECKSUM = 4;
export const IN_TRANSACTION = 8;
const KNOWN_FLAGS = COMPRESSED | ENCRYPTED | HAS_CHECKSUM | IN_TRANSACTION;

/** Bytes that a record with `contentBytes` takes, in a ring and on disk. */
export function frameBytes(contentBytes: number, flags = 0): number {
  const checksum = (flags & HAS_CHECKSUM) === 0 ? 0 : CHECKSUM_BYTES;
  return (FRAME_HEADER_BYTES + contentBytes + checksum + (FRAME_ALIGNMENT - 1)) & ~(FRAME_ALIGNMENT - 1);
}

/** A frame's second word. */
export function typeAndFlags(type: number, flags: number): number {
  return type | (flags << 8);
}

/** Bytes of ids before the payload. */
export function idBytes(type: number, flags: number): number {
  const inTransaction = (flags & IN_TRANSACTION) !== 0 || type >= RECORD_TXN_BEGIN;
  const isFragment = type >= RECORD_FIRST && type <= RECORD_LAST;
  return (inTransaction ? ID_BYTES : 0) + (isFragment ? ID_BYTES : 0);
}

/** Where a payload belongs, which encryption binds it to. */
export interface RecordPlace {
  readonly lsn: number;
  readonly type: number;
  readonly flags: number;
  /** The ids before the payload, as they lie there. */
  readonly ids: Uint8Array;
  /** In LAST and COMMIT: the digest of the frames of the large record, or transaction, before it; else empty. */
  readonly span: Uint8Array;
}

/** Whether this version can read frames of this type with these flags. */
export function isKnownFrame(type: number, flags: number): boolean {
  return type >= RECORD_FULL && type <= RECORD_TXN_ABORT && (flags & ~KNOWN_FLAGS) === 0;
}
