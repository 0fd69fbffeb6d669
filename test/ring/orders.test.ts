/** orders: what another thread may rely on at each moment while words are stored one after the other. */
import { expect, it, vi } from 'vitest';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { createRing, PRODUCER_DOORBELL } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';

it('a producer is rung when its completion can be seen, and not before', () => {
  const ring = createRing(16_384);
  const producer = new RingProducer(ring, new LogState(), { bytes: 4096, records: 16 });
  const consumer = new RingConsumer(ring);
  producer.reserve(16, 1);
  producer.frame(RECORD_FULL, 8);
  producer.publish();
  consumer.peek();
  consumer.take(1);
  const { load } = Atomics;
  const seen: boolean[] = [];
  const loading = (words: Int32Array, index: number): number => {
    if (words === ring.words && index === PRODUCER_DOORBELL) seen.push(producer.hasCompletions());
    return load(words, index);
  };
  vi.spyOn(Atomics, 'load').mockImplementation(loading as typeof load);
  consumer.complete(1, { records: 1, bytes: 16, syncUs: 0, segment: 1 });
  expect(seen).toEqual([true]);
});

it('who sees that the log was cut sees where, however long it was away', () => {
  const state = new LogState();
  for (let n = 0; n < 9; n++) state.cut(10, 0);
  const { store } = Atomics;
  const seen = new Set<number>();
  const storing = (words: Int32Array, index: number, value: number): number => {
    const stored = store(words, index, value);
    if (state.cuts === 10) for (const since of [0, 5, 9]) seen.add(state.cutAfter(since));
    return stored;
  };
  vi.spyOn(Atomics, 'store').mockImplementation(storing as typeof store);
  state.cut(3, 0);
  expect([...seen]).toEqual([3]);
});
