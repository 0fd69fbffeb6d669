/** record-frame: how long frames are, what of them is not the payload, and which of them this version can read. */
import { expect, it } from 'vitest';
import { recordChecksum } from '../../dist/src/format/checksum.js';
import {
  frameBytes,
  HAS_CHECKSUM,
  idBytes,
  isKnownFrame,
  typeAndFlags,
} from '../../dist/src/format/record-frame.js';

it.each([
  [0, 0, 8],
  [1, 0, 16],
  [8, 0, 16],
  [9, 0, 24],
  [0, HAS_CHECKSUM, 16],
  [4, HAS_CHECKSUM, 16],
  [5, HAS_CHECKSUM, 24],
  [12, HAS_CHECKSUM, 24],
  [13, HAS_CHECKSUM, 32],
  [8, 0xff & ~HAS_CHECKSUM, 16],
])('a frame with %d bytes of content and flags %d has %d bytes', (content, flags, bytes) => {
  expect(frameBytes(content, flags)).toBe(bytes);
});

it('without flags a frame has no checksum', () => {
  expect(frameBytes(8)).toBe(16);
  expect(typeAndFlags(5, 0x0c)).toBe(0x0c05);
});

it.each([
  // FULL, FIRST, MIDDLE, LAST, CHECKPOINT, TXN_BEGIN, TXN_COMMIT, TXN_ABORT
  ['outside of a transaction', 0, [0, 8, 8, 8, 0, 8, 8, 8]],
  ['in a transaction', 8, [8, 16, 16, 16, 8, 8, 8, 8]],
  ['with all other flags', 7, [0, 8, 8, 8, 0, 8, 8, 8]],
] as const)('of the ids that lie before the payload: %s', (_, flags, expected) => {
  expect([1, 2, 3, 4, 5, 6, 7, 8].map((type) => idBytes(type, flags))).toEqual(expected);
});

it('types 1 to 8 with any of four flags are known, and no others', () => {
  const known: [number, number][] = [];
  for (let type = 0; type <= 0xff; type++)
    for (let flags = 0; flags <= 0x1ff; flags++) if (isKnownFrame(type, flags)) known.push([type, flags]);
  const expected = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((type) =>
    Array.from({ length: 16 }, (_, flags) => [type, flags]),
  );
  expect(known).toEqual(expected);
});

it('a record carries the CRC-32 of its payload, masked', () => {
  const crc = 0xcbf43926n; // the check value of CRC-32: that of "123456789"
  const masked = (((crc >> 15n) | ((crc << 17n) & 0xffff_ffffn)) + 0xa282ead8n) & 0xffff_ffffn;
  expect(recordChecksum(Buffer.from('123456789'))).toBe(Number(masked));
});
