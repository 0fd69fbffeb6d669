/** nap: the worker waits awake where work comes soon, and asleep where it does not; nobody really sleeps, and time is played. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Nap } from '../../dist/src/commit/nap.js';

const DOORBELL = 3;
/** How long a sleep takes that nobody ends. */
const ASLEEP_US = 5000;

let words: Int32Array;
let us: number;
/** When there is work. */
let workUs: number;
/** When the worker fell asleep. */
let asleepUs: number | undefined;
let nap: Nap;

beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(64));
  us = 7000;
  nap = new Nap(words, DOORBELL, () => us++);
  vi.spyOn(Atomics, 'wait').mockImplementation((_words, index, value, ms) => {
    expect([index, Number(value), ms, words[DOORBELL]]).toEqual([DOORBELL, 1, 5, 1]);
    asleepUs = us;
    us = Math.min(us + ASLEEP_US, Math.max(us, workUs));
    return 'timed-out';
  });
});
/** Takes a nap with work coming `afterUs` from now; tells how long it took, and after how long the worker slept. */
function napFor(afterUs: number): { tookUs: number; sleptAfterUs: number | undefined } {
  const sinceUs = us;
  asleepUs = undefined;
  workUs = us + afterUs;
  nap.take(() => us >= workUs);
  expect(words[DOORBELL]).toBe(0);
  return {
    tookUs: us - sinceUs,
    sleptAfterUs: asleepUs === undefined ? undefined : asleepUs - sinceUs,
  };
}

/** Takes naps until one begins awake; returns how many before it did not. */
function napsAsleep(): number {
  for (let naps = 0; ; naps++) {
    const { sleptAfterUs } = napFor(1000);
    if (sleptAfterUs !== 0) return naps;
  }
}

describe('a nap', () => {
  it('is awake, and over as soon as there is work', () => {
    for (const afterUs of [50, 90, 1, 99, 30]) {
      const { tookUs, sleptAfterUs } = napFor(afterUs);
      expect(sleptAfterUs).toBeUndefined();
      expect(tookUs).toBeLessThanOrEqual(afterUs + 2);
    }
  });

  it('falls asleep after 100 us, and is over with the work, or after as long as a tick of the kernel', () => {
    const late = napFor(400);
    expect(late.sleptAfterUs).toBe(101); // each look at the clock takes 1 us
    expect(late.tookUs).toBe(400);
    expect(napFor(Number.POSITIVE_INFINITY).tookUs).toBe(ASLEEP_US);
  });

  it('is awake the more rarely the more often that was in vain, and never more rarely than each 64th time', () => {
    napFor(1000);
    expect(Array.from({ length: 8 }, napsAsleep)).toEqual([1, 3, 7, 15, 31, 63, 63, 63]);
  });

  it('is awake each time again, after as many times with work in time', () => {
    napFor(1000);
    for (let i = 0; i < 6; i++) napsAsleep();
    for (let i = 0; i < 63; i++) expect(napFor(50).sleptAfterUs).toBe(0);
    for (let i = 0; i < 10; i++) expect(napFor(50).sleptAfterUs).toBeUndefined();
    napFor(1000);
    expect(napsAsleep()).toBe(1);
  });

  it('learns nothing from work that is there already', () => {
    napFor(1000);
    for (let i = 0; i < 3; i++) napsAsleep();
    for (let i = 0; i < 20; i++) expect(napFor(0)).toEqual({ tookUs: 0, sleptAfterUs: undefined });
    expect(napsAsleep()).toBe(15);
  });

  it('does not sleep beside work that came as it fell asleep', () => {
    asleepUs = undefined;
    nap.take(() => words[DOORBELL] === 1); // after being awake in vain
    nap.take(() => words[DOORBELL] === 1); // and at once
    expect(asleepUs).toBeUndefined();
    expect(words[DOORBELL]).toBe(0);
  });
});
