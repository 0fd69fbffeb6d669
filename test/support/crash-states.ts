/**
 * crash-states: all disk images that a crash of a `SimStorage` may leave, or, when they are too many, the
 * telling ones and a random sample.
 *
 * Images come one by one and share all that they do not differ in, so nothing is held in memory but the
 * hashes of those that came before.
 */
import { type CrashChoice, CrashChoices, type CrashModel, DURABLE, isTorn } from './crash-choices.js';
import { Prng } from './prng.js';
import type { Image } from './sim-image.js';
import type { SimStorage } from './sim-storage.js';

export interface CrashStateOptions extends CrashModel {
  /**
   * Up to so many combinations all are tried (2^12: twelve choices between two); above, `samples` of them.
   */
  readonly exhaustiveUpTo?: number;
  readonly samples?: number;
  readonly seed?: number;
  /**
   * Hashes of images that need not come again; new ones are added. Share it between crash points only when
   * what is asserted of an image does not depend on the crash point: what was acknowledged before does.
   */
  readonly seen?: Set<number>;
}

export interface CrashState {
  readonly image: Image;
  readonly hash: number;
  /** Which of `choices.all` came true. */
  readonly choices: CrashChoices;
  readonly picks: Uint16Array;
  /** What survived and what did not, in words. */
  describe(): string;
}

const EXHAUSTIVE_UP_TO = 4096;
const SAMPLES = 4096;

/** The share of the samples that the families of telling states may take, each. */
const FAMILY_SHARE = 1 / 8;

/** All different images that a crash may leave right now. Do not run operations on `storage` meanwhile. */
export function* crashStates(storage: SimStorage, options: CrashStateOptions = {}): Generator<CrashState> {
  const { exhaustiveUpTo = EXHAUSTIVE_UP_TO, samples = SAMPLES, seed = 1, seen = new Set() } = options;
  const choices = new CrashChoices(storage, options);
  const isExhaustive = choices.combinations <= exhaustiveUpTo;
  const vectors = isExhaustive ? everyVector(choices) : sampledVectors(choices, samples, new Prng(seed));
  let yielded = 0;
  for (const picks of vectors) {
    const image = choices.image(picks);
    if (seen.has(image.hash)) continue;
    seen.add(image.hash);
    const kept = picks.slice(); // the generator of vectors reuses its array
    yield { image, hash: image.hash, choices, picks: kept, describe: () => choices.describe(kept) };
    yielded++;
    if (!isExhaustive && yielded >= samples) return;
  }
}

/** Counts through all combinations, the first choice fastest; the first vector is "nothing survived". */
function* everyVector(choices: CrashChoices): Generator<Uint16Array> {
  const counts = choices.all.map(({ values }) => values.length);
  const picks = new Uint16Array(counts.length);
  for (;;) {
    yield picks;
    let digit = 0;
    while (digit < counts.length && (picks[digit] ?? 0) + 1 >= (counts[digit] ?? 1)) {
      picks[digit] = 0;
      digit++;
    }
    if (digit === counts.length) return;
    picks[digit] = (picks[digit] ?? 0) + 1;
  }
}

/** The telling states first, then random ones; gives up when hardly anything new can be left to find. */
function* sampledVectors(choices: CrashChoices, samples: number, prng: Prng): Generator<Uint16Array> {
  yield* tellingVectors(choices, Math.ceil(samples * FAMILY_SHARE), prng);
  for (let attempt = 0; attempt < 4 * samples; attempt++) yield randomVector(choices, prng);
}

/**
 * States that bugs are known to hide in: nothing survived, everything, only the last write, all but it; and
 * of each of these families as many as `limit`: everything up to one operation, only one operation, all but
 * one sector, only one sector, everything up to one sector (a write torn front to back).
 */
function* tellingVectors(choices: CrashChoices, limit: number, prng: Prng): Generator<Uint16Array> {
  const { all } = choices;
  const none = new Uint16Array(all.length);
  const newest = Uint16Array.from(all, (choice) => choice.newest);
  const operationsOf = (choices: readonly CrashChoice[]): number[] =>
    [...new Set(choices.flatMap((choice) => choice.operations))].filter((o) => o !== DURABLE && !isTorn(o));
  const lastWrite = Math.max(...operationsOf(all.filter(({ kind }) => kind === 'sector')));
  yield none;
  yield newest;
  yield upTo(choices, lastWrite, lastWrite);
  yield upTo(choices, DURABLE, lastWrite - 1);
  const operations = operationsOf(all);
  for (const i of prng.sample(operations.length, limit)) yield upTo(choices, DURABLE, operations[i] ?? 0);
  for (const i of prng.sample(operations.length, limit)) {
    yield upTo(choices, operations[i] ?? 0, operations[i] ?? 0);
  }
  for (const i of prng.sample(all.length, limit)) yield newest.map((pick, at) => (at === i ? 0 : pick));
  for (const i of prng.sample(all.length, limit)) yield newest.map((pick, at) => (at === i ? pick : 0));
  for (const i of prng.sample(all.length, limit)) yield newest.map((pick, at) => (at <= i ? pick : 0));
}

/** Of each choice the latest alternative that operations `first` to `last` made, or the durable one. */
function upTo(choices: CrashChoices, first: number, last: number): Uint16Array {
  return Uint16Array.from(choices.all, ({ operations }) => {
    let pick = 0;
    operations.forEach((operation, i) => {
      if (operation >= first && operation <= last) pick = i;
    });
    return pick;
  });
}

/**
 * Each choice by itself, with a leaning drawn once per state: even odds alone would leave states near the
 * ends (almost all survived, almost nothing did) out of reach as soon as there are fifty sectors.
 */
function randomVector(choices: CrashChoices, prng: Prng): Uint16Array {
  const survival = prng.pick([0.5, 0.5, 0.1, 0.9, 0.97]);
  return Uint16Array.from(choices.all, (choice) => {
    if (choice.kind === 'page') return prng.chance(0.1) ? 1 : 0;
    return prng.chance(survival) ? choice.newest : prng.below(choice.values.length);
  });
}
