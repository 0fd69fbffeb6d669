/** records: takes the body of a verified DATA group apart into records. */
import { FRAME_HEADER_BYTES, frameBytes, RECORD_FULL } from '../format/record-frame.js';

/** Called with each record's position in the log and where its payload lies in the body. */
export type OnRecord = (lsn: number, payloadStart: number, payloadEnd: number) => void;

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
    const end = at + FRAME_HEADER_BYTES + length;
    if (end > body.length) return `record ${i} of ${count} is longer than its group`;
    if (view.getUint32(at + 4, true) !== RECORD_FULL)
      return `record ${i} of ${count} has a type or flags unknown to this version`;
    onRecord(firstLsn + i, at + FRAME_HEADER_BYTES, end);
    at += frameBytes(length);
  }
  return at === body.length ? undefined : 'the group holds more bytes than its records';
}
