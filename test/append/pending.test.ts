/** pending: appends are settled in the order of the ring, each with its own LSN, plain ones among others. */
import { expect, it } from 'vitest';
import { PendingAppends, UNTIL_SYNC } from '../../dist/src/append/pending.js';
import { NOT_ENCRYPTED } from '../../dist/src/ring/layout.js';
import { Prng, testSeed } from '../support/prng.js';

/** What one append was settled with. */
interface Settled {
  readonly number: number;
  readonly lsn?: number | Promise<never>;
  readonly error?: unknown;
}

function watched() {
  const pending = new PendingAppends();
  const settled: Settled[] = [];
  let number = 0;
  const plain = (): void => {
    const own = number++;
    pending.pushPlain((lsn) => settled.push({ number: own, lsn }));
  };
  const other = (records: number): void => {
    const own = number++;
    pending.push(
      (lsn) => settled.push({ number: own, lsn }),
      (error) => settled.push({ number: own, error }),
      records,
    );
  };
  return { pending, settled, plain, other };
}

it('thousands of appends, plain, of many records and of none, get their LSNs in order, however many wait', () => {
  const { pending, settled, plain, other } = watched();
  const prng = new Prng(testSeed(1));
  const expected: number[] = [];
  const waiting: number[] = [];
  let next = 1;
  let completed = 1;
  for (let round = 0; round < 40; round++) {
    for (let i = prng.between(0, 700); i > 0; i--) {
      const records = prng.chance(0.8) ? 1 : prng.between(0, 5);
      if (records === 1 && prng.chance(0.9)) plain();
      else other(records);
      expected.push(records === 0 ? next - 1 : next);
      waiting.push(records);
      next += records;
    }
    expect(pending.length).toBe(waiting.length);
    const done = waiting.splice(0, prng.between(0, waiting.length));
    // A barrier settles with what is before it.
    while (waiting[0] === 0) done.push(waiting.shift() as number);
    const records = done.reduce((sum, own) => sum + own, 0);
    pending.complete(completed, records);
    completed += records;
    expect(pending.length).toBe(waiting.length);
  }
  pending.complete(completed, next - completed);
  expect(settled.map(({ number, lsn }) => [number, lsn])).toEqual(expected.map((lsn, i) => [i, lsn]));
});

it('a plain append that is refused or given up rejects, in its turn, with the error that was given', async () => {
  const { pending, settled, plain, other } = watched();
  const error = new Error('no');
  plain();
  other(1);
  plain();
  other(UNTIL_SYNC);
  plain();
  pending.refuse(1, 7, error);
  pending.rejectAll(error);
  expect(settled.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4]);
  for (const { number, lsn, error: given } of settled) {
    if (number % 2 === 1) expect(given).toBe(error);
    else await expect(lsn).rejects.toBe(error);
  }
  expect(pending.length).toBe(0);
  plain(); // nothing of the others is left in its place
  pending.complete(8, 1);
  expect(settled.at(-1)).toEqual({ number: 5, lsn: 8 });
});

// It threw, as if a chunk held one append: none of these was settled, and later ones got the LSNs of others.
it('a chunk of several appends that is refused rejects each of them, and settles what lies between and behind', async () => {
  const { pending, settled, plain, other } = watched();
  plain();
  other(0);
  other(3);
  plain();
  other(0);
  other(0);
  plain();
  pending.settle(7, 5, NOT_ENCRYPTED);
  const refused = { code: 'RINGWAL_ENCRYPTION' };
  expect(settled.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(settled.map(({ lsn }) => typeof lsn)).toEqual([
    'object',
    'number',
    'undefined',
    'object',
    'number',
    'number',
  ]);
  for (const at of [0, 3]) await expect(settled[at]?.lsn).rejects.toMatchObject(refused);
  expect(settled[2]?.error).toMatchObject(refused);
  for (const at of [1, 4, 5]) expect(settled[at]?.lsn).toBe(6);
  pending.complete(7, 1);
  expect(settled.at(-1)).toEqual({ number: 6, lsn: 7 });
  expect(pending.length).toBe(0);
});

it('a sync settles alone, and takes with it the barriers right behind it', () => {
  const { pending, settled, plain, other } = watched();
  plain();
  for (const records of [UNTIL_SYNC, 0, 0, UNTIL_SYNC, 0]) other(records);
  pending.complete(1, 1);
  expect(settled).toEqual([{ number: 0, lsn: 1 }]);
  pending.synced(1);
  expect(settled.slice(1)).toEqual([1, 2, 3].map((number) => ({ number, lsn: 1 })));
  pending.synced(7);
  expect(settled.slice(4)).toEqual([4, 5].map((number) => ({ number, lsn: 7 })));
  expect(pending.length).toBe(0);
});
