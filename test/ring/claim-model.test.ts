/** claim-model: the free space of a ring, compared with a model that marks every byte. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ClaimSpace } from '../../dist/src/ring/claim.js';
import { testSeed } from '../support/prng.js';

fc.configureGlobal({ seed: testSeed(1) });

const RING = 64;

/** Every byte is free or belongs to one chunk; chunks are released in the order of their claims. */
class ByteMap {
  readonly owner: number[] = new Array(RING).fill(0);
  readonly chunks: { id: number; offset: number; end: number }[] = [];
  #lastId = 0;

  isFree(offset: number, bytes: number): boolean {
    return offset + bytes <= RING && this.owner.slice(offset, offset + bytes).every((id) => id === 0);
  }

  claim(offset: number, bytes: number): void {
    const id = ++this.#lastId;
    this.owner.fill(id, offset, offset + bytes);
    this.chunks.push({ id, offset, end: offset + bytes });
  }

  release(): number | undefined {
    const oldest = this.chunks.shift();
    if (oldest === undefined) return undefined;
    this.owner.fill(0, oldest.offset, oldest.end);
    return oldest.end;
  }

  /** Whether a claim of `bytes` fits behind the newest chunk, or at the start before the oldest. */
  mayFit(bytes: number): boolean {
    const newest = this.chunks.at(-1);
    if (newest === undefined) return bytes <= RING;
    return this.isFree(newest.end, bytes) || this.isFree(0, bytes);
  }
}

const step = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: RING / 8 }).map((words) => words * 8) },
  { weight: 2, arbitrary: fc.constant('release' as const) },
  { weight: 1, arbitrary: fc.constant('release three' as const) },
);

it('gives out free bytes only, whenever there are enough in a row, and takes all of them back', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.constantFrom(RING / 4, RING / 2, RING),
      (steps, turn) => {
        const space = new ClaimSpace(RING, turn);
        const model = new ByteMap();
        for (const what of steps) {
          if (what === 'release') {
            const end = model.release();
            if (end !== undefined) space.release(end);
          } else if (what === 'release three') {
            // One completion gives back several chunks at once, also across the place where the run breaks off.
            const ends = [model.release(), model.release(), model.release()];
            const end = ends.filter((one) => one !== undefined).at(-1);
            if (end !== undefined) space.release(end);
          } else {
            const offset = space.find(what);
            if (offset < 0) {
              expect(model.mayFit(what), `${what} bytes would fit`).toBe(false);
              continue;
            }
            expect(model.isFree(offset, what), `${what} bytes at ${offset}`).toBe(true);
            space.claim(offset, what);
            model.claim(offset, what);
            const end = offset + what;
            expect(model.isFree(end, space.freeEnd - end), `free from ${end} to ${space.freeEnd}`).toBe(true);
            expect(space.freeEnd === RING || model.owner[space.freeEnd] !== 0).toBe(true);
          }
          const claimed = model.owner.filter((id) => id !== 0).length;
          expect(space.usedBytes).toBe(claimed);
        }
        for (let end = model.release(); end !== undefined; end = model.release()) space.release(end);
        expect(space.usedBytes).toBe(0);
        expect(space.find(RING)).toBe(0);
      },
    ),
    { numRuns: 2000 },
  );
});

it('says no to what is larger than the ring, and finds without claiming', () => {
  const space = new ClaimSpace(RING);
  expect(space.find(RING + 8)).toBe(-1);
  expect(space.find(RING)).toBe(0);
  expect(space.usedBytes).toBe(0);
});

it('stays in the beginning of the ring while that has room, and goes on to the end of it when it has not', () => {
  const space = new ClaimSpace(RING, 32);
  const claim = (bytes: number): number => {
    const offset = space.find(bytes);
    space.claim(offset, bytes);
    return offset;
  };
  expect([claim(16), claim(16), claim(8)]).toEqual([0, 16, 32]); // nothing is free in the beginning
  space.release(8);
  expect(claim(8)).toBe(40); // too little is
  space.release(16);
  expect([space.find(24), claim(16)]).toEqual([-1, 0]);
  expect(space.usedBytes).toBe(48);
});
