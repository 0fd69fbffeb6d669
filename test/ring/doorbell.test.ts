/** doorbell: the protocol of parking and waking as a model, in all interleavings of its atomic steps. */
import { expect, it } from 'vitest';

interface World {
  word: 'AWAKE' | 'PARKED';
  work: boolean;
  /** Asleep in Atomics.wait. */
  asleep: boolean;
  sawWork: boolean;
  sawParked: boolean;
}

/** One atomic step; false: it cannot run now, because its thread sleeps. */
type Step = (world: World) => undefined | false;

const storeParked: Step = (world) => {
  world.word = 'PARKED';
};
const look: Step = (world) => {
  world.sawWork = world.work;
};
const wait: Step = (world) => {
  world.asleep = !world.sawWork && world.word === 'PARKED';
};
const storeAwake: Step = (world) => {
  if (world.asleep) return false;
  world.word = 'AWAKE';
};
const publish: Step = (world) => {
  world.work = true;
};
const loadWord: Step = (world) => {
  world.sawParked = world.word === 'PARKED';
};
const swapAndNotify: Step = (world) => {
  if (!world.sawParked || world.word !== 'PARKED') return;
  world.word = 'AWAKE';
  world.asleep = false; // notify reaches only who waits already
};

/** Runs all interleavings; returns how many there are, and in how many the owner sleeps for ever beside work. */
function explore(owner: readonly Step[], waker: readonly Step[]): { runs: number; lost: number } {
  let runs = 0;
  let lost = 0;
  const go = (world: World, own: number, other: number): void => {
    let isStuck = true;
    for (const isOwner of [true, false]) {
      const step = isOwner ? owner[own] : waker[other];
      if (step === undefined) continue;
      const next = { ...world };
      if (step(next) === false) continue;
      isStuck = false;
      go(next, own + (isOwner ? 1 : 0), other + (isOwner ? 0 : 1));
    }
    if (!isStuck) return;
    runs++;
    if (world.asleep && world.work) lost++;
  };
  go({ word: 'AWAKE', work: false, asleep: false, sawWork: false, sawParked: false }, 0, 0);
  return { runs, lost };
}

const owner = [storeParked, look, wait, storeAwake];
const waker = [publish, loadWord, swapAndNotify];

it('loses no wake-up in any interleaving', () => {
  const { runs, lost } = explore(owner, waker);
  expect(runs).toBeGreaterThan(20);
  expect(lost).toBe(0);
});

it('would lose one if the owner looked before it parked, or the waker before it published', () => {
  expect(explore([look, storeParked, wait, storeAwake], waker).lost).toBeGreaterThan(0);
  expect(explore(owner, [loadWord, publish, swapAndNotify]).lost).toBeGreaterThan(0);
});
