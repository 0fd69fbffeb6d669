/** records: takes the body of a verified DATA group apart into record frames. */
import { FRAME_HEADER_BYTES, frameBytes, idBytes, isKnownFrame } from '../format/record-frame.js';

/** Called with each record's position in the log, its type and flags, and where its content lies in the body. */
export type OnRecord = (lsn: number, type: number, flags: number, start: number, end: number) => void;

/**
 * Walks `body`, which must hold exactly `count` frames, and returns what is wrong with it, or undefined. The
 * body's checksum was verified before: what is found here was written so.
 */
export function walkRecords(
  body: Uint8Array,
  count: number,
  firstLsn: number,
  onRecord: OnRecord,
): string | undefined {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + FRAME_HEADER_BYTES > body.length) return `record ${i} of ${count} has no header`;
    const length = view.getUint32(at, true);
    const word = view.getUint32(at + 4, true);
    const type = word & 0xff;
    const flags = word >>> 8; // with the reserved bits, none of which is known
    if (!isKnownFrame(type, flags))
      return `record ${i} of ${count} has a type or flags unknown to this version`;
    const bytes = frameBytes(length, flags);
    if (length > body.length || at + bytes > body.length)
      return `record ${i} of ${count} is longer than its group`;
    if (length < idBytes(type, flags)) return `record ${i} of ${count} is too short for its type`;
    onRecord(firstLsn + i, type, flags, at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length);
    at += bytes;
  }
  return at === body.length ? undefined : 'the group holds more bytes than its records';
}

/** The checksum at the end of a frame that has one; `end` is where its content ends. */
export function frameChecksum(body: Uint8Array, start: number, end: number, flags: number): number {
  const at = start - FRAME_HEADER_BYTES + frameBytes(end - start, flags) - 4;
  return new DataView(body.buffer, body.byteOffset + at, 4).getUint32(0, true);
}
