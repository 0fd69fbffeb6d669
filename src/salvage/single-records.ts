/**
 * single-records: the records of a group whose body does not verify that can be trusted all the same, because they
 * carry a checksum of their own.
 *
 * That checksum covers the payload and nothing else: not the frame's length, type and flags. So a frame is taken
 * only when these are beyond doubt too: all frames fill the body exactly, or every frame before it verifies, which
 * proves where it begins; and it is a plain record, which nothing else can be mistaken for by a few flipped bits and
 * still have the right checksum. (A checkpoint can, so it is taken only when its group says there is one and one frame
 * says that it is it.)
 */
import { checksum } from '../format/checksum.js';
import { type GroupHeader, HAS_CHECKPOINT } from '../format/group-header.js';
import { HAS_CHECKSUM, RECORD_CHECKPOINT, RECORD_FULL } from '../format/record-frame.js';
import { frameChecksum, walkRecords } from '../segment/records.js';

/** The LSNs of the records in `body` that are good. */
export function goodRecords(header: GroupHeader, body: Uint8Array): Set<number> {
  const good = new Set<number>();
  const types: number[] = [];
  let isUnbroken = true;
  const unbroken = new Set<number>();
  const wrong = walkRecords(body, header.records, header.firstLsn, (lsn, type, flags, start, end) => {
    types.push(type);
    const isPlain = (type === RECORD_FULL || type === RECORD_CHECKPOINT) && flags === HAS_CHECKSUM;
    const isGood =
      isPlain && checksum(body.subarray(start, end), 0) === frameChecksum(body, start, end, flags);
    isUnbroken &&= isGood;
    if (isGood) good.add(lsn);
    if (isUnbroken) unbroken.add(lsn);
  });
  const checkpoints = types.filter((type) => type === RECORD_CHECKPOINT).length;
  const isClear = checkpoints === ((header.flags & HAS_CHECKPOINT) === 0 ? 0 : 1);
  if (!isClear) return new Set();
  return wrong === undefined ? good : unbroken;
}
