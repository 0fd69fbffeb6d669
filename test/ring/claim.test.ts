/** claim: the producer's free-space bookkeeping against a model that remembers every byte. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ClaimSpace } from '../../dist/src/ring/claim.js';

const BYTES = 256;

it('never gives out bytes in flight, and always finds room in an empty ring', () => {
  const step = fc.oneof(fc.integer({ min: 1, max: BYTES / 8 }), fc.constant(0));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const space = new ClaimSpace(BYTES);
      const inFlight: { start: number; end: number }[] = [];
      for (const eighths of steps) {
        const bytes = eighths * 8;
        if (bytes === 0) {
          const oldest = inFlight.shift();
          if (oldest !== undefined) space.release(oldest.end);
          continue;
        }
        const start = space.find(bytes);
        if (start < 0) {
          expect(inFlight.length).toBeGreaterThan(0);
          continue;
        }
        const claimed = { start, end: start + bytes };
        expect(claimed.end).toBeLessThanOrEqual(BYTES);
        for (const other of inFlight) {
          expect(claimed.end <= other.start || claimed.start >= other.end, 'bytes in flight').toBe(true);
        }
        space.claim(start, bytes);
        inFlight.push(claimed);
      }
      for (const { end } of inFlight) space.release(end);
      expect(space.usedBytes).toBe(0);
      expect(space.find(BYTES)).toBe(0);
    }),
    { numRuns: 2000, seed: 1 },
  );
});

it('does not bear a claim that it did not give, nor a release of what is not claimed', () => {
  const claimed = (...claims: [number, number][]): ClaimSpace => {
    const space = new ClaimSpace(BYTES);
    for (const [offset, bytes] of claims) space.claim(offset, bytes);
    return space;
  };
  expect(claimed([0, BYTES]).usedBytes).toBe(BYTES);
  expect(() => claimed([0, BYTES + 8])).toThrow('R8 claims never overlap');
  expect(() => claimed([0, 64], [72, 8])).toThrow('R8 a claim follows');
  // Over the end and onto the first one, which is still in flight.
  expect(() => claimed([0, 64], [64, 128], [0, 8])).toThrow('R8 claims never overlap');
  expect(() => claimed([0, 64]).release(72)).toThrow('R8 only claimed bytes');
});

it('finds room exactly where it is: behind the tail, or from 0 up to the head', () => {
  const space = new ClaimSpace(BYTES);
  expect([space.find(BYTES), space.find(BYTES + 8)]).toEqual([0, -1]);
  space.claim(0, 64);
  space.claim(64, 128);
  expect([space.find(64), space.find(72)]).toEqual([192, -1]);
  space.release(64); // tail 192, head 64: in front of the head there is as much as behind the tail
  expect([space.find(64), space.find(72)]).toEqual([192, -1]);
  space.claim(192, 8);
  expect([space.find(56), space.find(64), space.find(72)]).toEqual([200, 0, -1]);
  space.claim(0, 32); // skips 56
  expect(space.usedBytes).toBe(128 + 8 + 32);
  expect([space.find(32), space.find(40)]).toEqual([32, -1]);
  space.release(200);
  expect(space.usedBytes).toBe(32);
  space.release(32);
  expect([space.usedBytes, space.find(BYTES)]).toEqual([0, 0]);
});

it('a ring that is full has room for nothing, wherever its tail has met its head', () => {
  for (const split of [0, 64]) {
    const space = new ClaimSpace(BYTES);
    if (split > 0) {
      space.claim(0, split);
      space.claim(split, BYTES - split);
      space.release(split);
      space.claim(0, split);
    } else space.claim(0, BYTES);
    expect([space.find(8), space.usedBytes]).toEqual([-1, BYTES]);
    space.release(split === 0 ? BYTES : split); // all of it at once
    expect([space.find(BYTES), space.usedBytes]).toEqual([0, 0]);
  }
});
