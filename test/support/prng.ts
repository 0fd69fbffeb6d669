/**
 * prng: a small seeded random generator, so that every random test can be run again from one number.
 *
 * sfc32 (Chris Doty-Humphrey's "small fast counter"): 128 bits of state, passes PractRand, four adds and
 * three shifts per number. Nothing here is secret or secure.
 */

/** Set to a number, this environment variable replaces the seed of every test that asks `testSeed`. */
const SEED_VARIABLE = 'RINGWAL_TEST_SEED';

/** The seed to use: the environment's when given, else `fallback`. Print it when the test fails. */
export function testSeed(fallback: number): number {
  const given = process.env[SEED_VARIABLE];
  return given === undefined || given === '' ? fallback : Number(given);
}

export class Prng {
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.seed = seed;
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = 0x9e3779b9 | 0;
    // Seeds that differ in one bit start out alike; the author's recommendation is to drop the first dozen.
    for (let i = 0; i < 12; i++) this.next();
  }

  /** A number from 0 to 2^32 - 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /**
   * An integer from 0 to `end` - 1. The bias of the multiplication (below 2^-32 * end) does not matter here.
   */
  below(end: number): number {
    return Math.floor((this.next() / 2 ** 32) * end);
  }

  /** An integer from `first` to `last`, both included. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('pick: nothing to pick from');
    return item;
  }

  /** `count` different integers from 0 to `end` - 1, in random order; all of them when there are no more. */
  sample(end: number, count: number): number[] {
    const all = Array.from({ length: end }, (_, index) => index);
    const taken = Math.min(end, count);
    for (let i = 0; i < taken; i++) {
      const other = this.between(i, end - 1);
      const value = all[other] ?? 0;
      all[other] = all[i] ?? 0;
      all[i] = value;
    }
    return all.slice(0, taken);
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.next() >>> 24;
    return bytes;
  }

  /** A generator of its own for a part of the test, so that changing that part leaves the others alone. */
  fork(): Prng {
    return new Prng(this.next() * 2 ** 21 + (this.next() >>> 11));
  }
}
