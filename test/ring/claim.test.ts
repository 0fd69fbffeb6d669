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
