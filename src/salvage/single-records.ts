/**
 * single-records: the records of a group whose body does not verify that can be trusted all the same, because they
 * carry a checksum of their own.
 *
 * That checksum covers the payload and nothing else: not the frame's length, type and flags, nor its place. So a frame
 * is taken only when these are beyond doubt too:
 *
 *   - Where it begins: all frames fill the body exactly, or every frame before it verifies.
 *   - What it is: a plain record, which nothing else can be mistaken for by a few flipped bits and still have the right
 *     checksum. (A checkpoint can, so it is taken only when its group says there is one and one frame says that it is it.)
 *   - Whose place it has. A disk may put a whole sector of one place into another, and there are segments with frames at
 *     the same offsets: a record inside of such a sector verifies, under another's LSN. But what crosses an edge of that
 *     sector does not, nor does the group's header if that is in it. So a record is taken only if it crosses an edge
 *     itself, or shares its sector with a record that crosses one and verifies, or with the group's header; and the
 *     same for the larger unit of pages and blocks. (What crosses by a few bytes only may have them from any record.)
 */
import { recordChecksum } from '../format/checksum.js';
import { GROUP_HEADER_BYTES, type GroupHeader, HAS_CHECKPOINT } from '../format/group-header.js';
import {
  FRAME_HEADER_BYTES,
  frameBytes,
  HAS_CHECKSUM,
  RECORD_CHECKPOINT,
  RECORD_FULL,
} from '../format/record-frame.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { frameChecksum, walkRecords } from '../segment/records.js';

/** In which disks and page caches lose and misplace content. */
const UNITS_BYTES = [512, BLOCK_BYTES] as const;

/** Of a record that crosses an edge, what must lie on either side. */
const LEAST_PIECE_BYTES = 16;

/** What lies where in its file: of a record, what its checksum covers, and that. */
interface Extent {
  readonly from: number;
  readonly to: number;
}

/** The LSNs of the records in `body` that are good; its group's header is at `offset` in the file. */
export function goodRecords(header: GroupHeader, body: Uint8Array, offset: number): Set<number> {
  const good = new Map<number, Extent>();
  const types: number[] = [];
  let isUnbroken = true;
  const unbroken = new Map<number, Extent>();
  const bodyAt = offset + GROUP_HEADER_BYTES;
  const wrong = walkRecords(body, header.records, header.firstLsn, (lsn, type, flags, start, end) => {
    types.push(type);
    const isPlain = (type === RECORD_FULL || type === RECORD_CHECKPOINT) && flags === HAS_CHECKSUM;
    const isGood =
      isPlain && recordChecksum(body.subarray(start, end)) === frameChecksum(body, start, end, flags);
    isUnbroken &&= isGood;
    const frameEnd = start - FRAME_HEADER_BYTES + frameBytes(end - start, flags);
    const extent = { from: bodyAt + start, to: bodyAt + frameEnd };
    if (isGood) good.set(lsn, extent);
    if (isUnbroken) unbroken.set(lsn, extent);
  });
  const checkpoints = types.filter((type) => type === RECORD_CHECKPOINT).length;
  const isClear = checkpoints === ((header.flags & HAS_CHECKPOINT) === 0 ? 0 : 1);
  if (!isClear) return new Set();
  return inPlace(wrong === undefined ? good : unbroken, { from: offset, to: bodyAt });
}

/** The LSNs of the `records` that are where they were written, as what lies around them shows. */
function inPlace(records: ReadonlyMap<number, Extent>, header: Extent): Set<number> {
  const lsns = new Set(records.keys());
  for (const unitBytes of UNITS_BYTES) {
    const unitOf = (at: number): number => Math.floor(at / unitBytes);
    const known = new Set([unitOf(header.from), unitOf(header.to - 1)]);
    for (const { from, to } of records.values()) {
      const first = unitOf(from + LEAST_PIECE_BYTES - 1);
      const last = unitOf(to - LEAST_PIECE_BYTES);
      if (first < last) for (let unit = first; unit <= last; unit++) known.add(unit);
    }
    for (const [lsn, { from, to }] of records) if (!known.has(unitOf((from + to) / 2))) lsns.delete(lsn);
  }
  return lsns;
}
