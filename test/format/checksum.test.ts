/** checksum: checksums of parts, joined, are the checksum of the whole. */
import { describe, expect, it } from 'vitest';
import { checksum, joinedChecksum } from '../../dist/src/format/checksum.js';
import { Prng } from '../support/prng.js';

describe('the checksums of two parts', () => {
  it('give that of the whole, however long the parts are', () => {
    const prng = new Prng(1);
    const bytes = Uint8Array.from({ length: 1 << 16 }, () => prng.below(256));
    for (let i = 0; i < 3000; i++) {
      const first = bytes.subarray(0, prng.below(300));
      const second = bytes.subarray(300, 300 + prng.below(i % 10 === 0 ? bytes.length - 300 : 300));
      const before = checksum(first, prng.below(2 ** 32));
      const whole = checksum(second, before);
      expect(joinedChecksum(before, checksum(second, 0), second.length)).toBe(whole);
    }
  });

  // One for each power of two that a length may have.
  it.each(
    Array.from({ length: 27 }, (_, power) => 2 ** power),
  )('give that of the whole, the second %i bytes', (bytes) => {
    const second = Buffer.alloc(bytes, 'ringwal');
    for (const before of [0, 1, 0x8000_0000, 0xffff_ffff])
      expect(joinedChecksum(before, checksum(second, 0), bytes)).toBe(checksum(second, before));
  });

  // Of parts so long that nobody would make them for a test: twice as many bytes are joined at once as in two steps.
  it.each([26, 27, 28, 29])('give that of the whole, the second twice 2 ** %i bytes', (power) => {
    const bytes = 2 ** power;
    for (const before of [0, 1, 0x8000_0000, 0xffff_ffff]) {
      const inSteps = joinedChecksum(joinedChecksum(before, 0x1234_5678, bytes), 0xfedc_ba98, bytes);
      const second = joinedChecksum(0x1234_5678, 0xfedc_ba98, bytes);
      expect(joinedChecksum(before, second, 2 * bytes)).toBe(inSteps);
    }
  });
});
