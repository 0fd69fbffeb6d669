/** group-sealer: what the worker keeps of spans while it encrypts. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { GroupSealer } from '../../dist/src/codec/group-sealer.js';
import { digestIndependently, openIndependently } from '../support/independent-opener.js';

const [BEGIN, COMMIT, ABORT] = [6, 7, 8];
const ENCRYPTED = 2;
const FRAME_BYTES = 56;
const logId = Buffer.alloc(16, 'log');
const key = { keyId: 1, key: Buffer.alloc(32, 'k') };
const ids = Buffer.from([7, 0, 0, 0, 1, 0, 0, 0]);

/** Frames of these types, which begin and end one transaction. */
function frames(types: readonly number[]): Buffer {
  return Buffer.concat(
    types.map((type) => {
      const frame = Buffer.alloc(FRAME_BYTES);
      frame.writeUInt32LE(FRAME_BYTES - 8);
      frame[4] = type;
      frame[5] = ENCRYPTED;
      ids.copy(frame, 8);
      return frame;
    }),
  );
}

// All were kept as long as any was open: of 200 000 transactions that overlapped 56 MB.
it.each([
  ['committed', COMMIT],
  ['aborted', ABORT],
])('a transaction that was %s is forgotten while others are open', (_, end) => {
  const sealer = new GroupSealer(logId, key, randomBytes);
  const ring = {};
  const [first, second] = [frames([BEGIN, end]), frames([BEGIN, COMMIT])];
  sealer.seal(first, 1, ring, true);
  sealer.seal(second, 3, ring, true);
  const stored = (frame: number): Buffer =>
    second.subarray(FRAME_BYTES * frame + 16, FRAME_BYTES * (frame + 1));
  const span = digestIndependently(undefined, stored(0));
  const place = { lsn: 4n, type: COMMIT, flags: ENCRYPTED, ids, span };
  expect(openIndependently(logId, key.key, stored(1), place)).toHaveLength(0);
});
