/** one-ring: both sides of one ring pair, in one thread. */
import { expect } from 'vitest';
import { frameBytes, RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { CHUNK_OLDEST_SPAN, chunkSlot, createRing, SYNC, SYNCED } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';

/** Numbers that LSNs and segments may have. */
export const LONGS = [
  3,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 33 + 5,
  2 ** 52 + 2 ** 31,
  Number.MAX_SAFE_INTEGER,
];

/** What completions tell of a group when nothing depends on it. */
export const GROUP = { records: 0, bytes: 0, syncUs: 0, segment: 1 };

export function oneRing(limits = { bytes: 1024, records: 16 }, ringBytes = 4096) {
  const { words, data, buffer } = createRing(ringBytes);
  const state = new LogState();
  const producer = new RingProducer({ words, data, buffer }, state, limits);
  const consumer = new RingConsumer({ words, data, buffer });
  const put = (flags = 0, bytes = 8): void => {
    expect(producer.reserve(frameBytes(bytes), 1, flags)).toBe(true);
    producer.frame(RECORD_FULL, bytes);
  };
  /** Takes all published chunks as they are described. */
  const taken = () => {
    const chunks: { records: number; flags: number; oldest: number }[] = [];
    for (let chunk = consumer.peek(); chunk !== undefined; chunk = consumer.peek()) {
      const oldest = words[chunkSlot(chunks.length) + CHUNK_OLDEST_SPAN] as number;
      chunks.push({ records: chunk.records, flags: chunk.flags, oldest });
      if ((chunk.flags & SYNC) === 0) consumer.take(1);
      else consumer.settle(SYNCED, 0);
    }
    return chunks;
  };
  return { words, state, producer, consumer, put, taken };
}
