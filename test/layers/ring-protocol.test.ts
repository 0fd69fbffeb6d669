/** ring-protocol.test: a share of the layer, and that its model and its threads tell right from wrong. */
import { describe, expect, it, vi } from 'vitest';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { testSeed } from '../support/prng.js';
import { exploreProtocol, type ModelSize, type WrongOrder } from '../support/ring-model.js';
import { layer, moveRecords } from './ring-protocol.js';

// class 35, class 36, class 38, class 41
it('no interleaving loses a wake-up or a completion, and records cross between pausing threads whole', async () => {
  const task = { part: 0, parts: 1, share: 0.003, seed: testSeed(1), progress: () => {} };
  const figures = await layer.run(task);
  expect(figures['model sizes, all interleavings']).toBeGreaterThanOrEqual(1);
  expect(figures['records between threads']).toBeGreaterThanOrEqual(300_000);
});

describe('the model finds what is wrong with', () => {
  const one: ModelSize = { producers: 1, appends: 2, follower: false };
  const cases: readonly (readonly [WrongOrder, ModelSize])[] = [
    ['parks after looking', one],
    ['wakes before publishing', one],
    ['sleeps without comparing', one],
    ['completes before waking only by chance', one],
    ['state after consume', { ...one, appends: 3, fails: true }],
    ['state without ring', { ...one, fails: true }],
    ['no look at the state', { ...one, fails: true }],
    ['detached after chunks', { ...one, deserts: true }],
    ['death is not told', { ...one, dies: true }],
    ['follower looks before it announces', { ...one, follower: true }],
    ['teller forgets to count', { ...one, follower: true }],
  ];
  it.each(cases)('%s', (wrong, size) => {
    expect(exploreProtocol(size).states).toBeGreaterThan(100);
    expect(() => exploreProtocol(size, wrong)).toThrow(/./);
  });
});

it('the threads find one byte that changes on its way', async () => {
  const { take } = RingConsumer.prototype;
  let chunks = 0;
  vi.spyOn(RingConsumer.prototype, 'take').mockImplementation(function (this: RingConsumer, lsn: number) {
    const view = take.call(this, lsn);
    if (++chunks === 20) view[8] = (view[8] ?? 0) ^ 1;
    return view;
  });
  await expect(moveRecords(20_000, 1)).rejects.toThrow(/arrived as/);
});
