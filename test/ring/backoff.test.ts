/** backoff: what was in vain is tried more and more rarely, and what pays each time. */
import { expect, it } from 'vitest';
import { Backoff } from '../../dist/src/ring/backoff.js';

/** Tells, for each of `times` times, whether it was tried; `pays` says what came of it. */
function tried(backoff: Backoff, times: number, pays: boolean): number[] {
  const due: number[] = [];
  for (let i = 0; i < times; i++) {
    if (!backoff.isDue()) continue;
    due.push(i);
    if (pays) backoff.paid();
    else backoff.wasInVain();
  }
  return due;
}

it('tries the first time, and more and more rarely as long as it is in vain, but each 64th time', () => {
  expect(tried(new Backoff(), 320, false)).toEqual([0, 2, 6, 14, 30, 62, 126, 190, 254, 318]);
});

it('tries each time as long as it pays, and forgives what was in vain by and by', () => {
  const backoff = new Backoff();
  expect(tried(backoff, 5, true)).toEqual([0, 1, 2, 3, 4]);
  tried(backoff, 31, false); // up to one that is followed by 31
  expect(tried(backoff, 34, true)).toEqual([31, 32, 33]);
  expect(tried(backoff, 20, false)).toEqual([0, 9]); // 63, halved three times
  tried(backoff, 100, true);
  expect(tried(backoff, 3, false)).toEqual([0, 2]);
});
