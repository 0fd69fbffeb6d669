/**
 * record-frame: the bytes of one record, the same in the submission ring and on disk.
 *
 *   0        4      5       6          8
 *   | length | type | flags | reserved | payload ... | zeros up to a multiple of 8 |
 *     u32 LE   u8     u8      u16 = 0
 *
 * `length` is the payload's. The caller's thread writes the frame straight into its ring, and the I/O worker
 * hands ring memory to the kernel as it lies, so a record is laid out once and copied once. Frames start at
 * multiples of 8: V8 copies into shared memory by words only when source and target are aligned alike.
 */

/** Bytes before the payload. */
export const FRAME_HEADER_BYTES = 8;

/** Frame sizes and positions are multiples of this. */
export const FRAME_ALIGNMENT = 8;

/** A whole record. The only type yet; a reader refuses types that it does not know. */
export const RECORD_FULL = 1;

/** Bytes that a record with a payload of `payloadBytes` takes, in a ring and on disk. */
export function frameBytes(payloadBytes: number): number {
  return (FRAME_HEADER_BYTES + payloadBytes + (FRAME_ALIGNMENT - 1)) & ~(FRAME_ALIGNMENT - 1);
}
