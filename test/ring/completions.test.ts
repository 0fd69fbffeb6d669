/** completions: what became of a consumer's chunks is what its producer hears, field by field. */
import { describe, expect, it } from 'vitest';
import type { CompletedGroup } from '../../dist/src/ring/completion-slots.js';
import {
  CHUNK_OFFSET,
  COMMITTED,
  COMPLETED,
  COMPLETION_CHUNKS,
  CONFLICT,
  chunkSlot,
  completionSlot,
  PRODUCER_DOORBELL,
  SYNCED,
} from '../../dist/src/ring/layout.js';
import { GROUP, LONGS, oneRing } from '../support/one-ring.js';

describe('a completion', () => {
  it.each(LONGS)('tells LSN and segment %i, and the figures of its group', (long) => {
    const { producer, consumer, put } = oneRing();
    const told: (CompletedGroup & { firstLsn: number })[] = [];
    for (let n = 1; n <= 3; n++) {
      put();
      producer.publish();
      consumer.peek();
      consumer.take(long);
      consumer.complete(long - n, { records: 100 + n, bytes: 1000 + n, syncUs: 70 + n, segment: long });
    }
    producer.consume((firstLsn) => told.push({ firstLsn, ...producer.completedGroup }));
    expect(told).toEqual(
      [1, 2, 3].map((n) => ({
        ...{ firstLsn: long - n, records: 100 + n, bytes: 1000 + n, syncUs: 70 + n, segment: long, more: 0 },
      })),
    );
  });

  it('is there until it is consumed, and wakes the producer', () => {
    const { producer, consumer, put, words } = oneRing();
    put();
    producer.publish();
    expect(producer.hasCompletions()).toBe(false);
    consumer.peek();
    expect(consumer.isInGroup).toBe(false);
    consumer.take(1);
    expect(consumer.isInGroup).toBe(true);
    words[PRODUCER_DOORBELL] = 1;
    expect(consumer.complete(1, GROUP)).toBe(2);
    expect(consumer.isInGroup).toBe(false);
    expect(words[PRODUCER_DOORBELL]).toBe(0);
    expect(producer.hasCompletions()).toBe(true);
    producer.consume(() => {});
    expect(producer.hasCompletions()).toBe(false);
    expect(producer.usedBytes).toBe(0);
  });

  it('ends the sleep of a producer, which does not begin beside one', async () => {
    const { producer, consumer, put, words } = oneRing();
    put();
    producer.publish();
    const sleep = producer.park(undefined, () => producer.hasCompletions());
    expect(words[PRODUCER_DOORBELL]).toBe(1);
    consumer.peek();
    consumer.take(1);
    consumer.complete(1, GROUP);
    expect(words[PRODUCER_DOORBELL]).toBe(0);
    expect(sleep).toBeInstanceOf(Promise);
    await sleep;
    expect(producer.park(undefined, () => producer.hasCompletions())).toBeUndefined();
  });

  it('of each run of chunks with the same outcome is one of its own, with LSNs that go on over the refused ones', () => {
    const { producer, consumer, put, words } = oneRing();
    const outcomes = [COMMITTED, COMMITTED, CONFLICT, CONFLICT, COMMITTED, SYNCED, COMMITTED];
    for (const outcome of outcomes) {
      if (outcome === SYNCED) producer.publishSync();
      else {
        put();
        put();
        producer.publish();
      }
    }
    let lsn = 50;
    for (const outcome of outcomes) {
      consumer.peek();
      if (outcome !== COMMITTED) consumer.settle(outcome, outcome === SYNCED ? lsn - 1 : lsn);
      else {
        consumer.take(lsn);
        lsn += 2;
      }
      expect(consumer.isInGroup).toBe(true);
    }
    expect(consumer.complete(50, GROUP)).toBe(58);
    expect(consumer.isInGroup).toBe(false);
    const told: number[][] = [];
    producer.consume((...completion) => told.push(completion));
    expect(told).toEqual([
      [50, 4, COMMITTED],
      [54, 2, CONFLICT],
      [54, 2, CONFLICT],
      [54, 2, COMMITTED],
      [55, 0, SYNCED],
      [56, 2, COMMITTED],
    ]);
    expect(words[COMPLETED]).toBe(6);
    expect(producer.usedBytes).toBe(0);
    // And the next group begins anew.
    put();
    producer.publish();
    consumer.peek();
    consumer.take(58);
    expect(consumer.complete(58, GROUP)).toBe(59);
    producer.consume((...completion) => told.push(completion));
    expect(told.at(-1)).toEqual([58, 1, COMMITTED]);
    expect(told.length).toBe(7);
  });

  it('of a group that ends with a refused chunk has nothing behind that', () => {
    const { producer, consumer, put } = oneRing();
    put();
    producer.publish();
    consumer.peek();
    consumer.settle(CONFLICT, 9);
    expect(consumer.complete(9, GROUP)).toBe(9);
    const told: number[][] = [];
    producer.consume((...completion) => told.push(completion));
    expect(told).toEqual([[9, 1, CONFLICT]]);
    expect(producer.usedBytes).toBe(0);
  });

  it('has a slot of its own, however many chunks and completions are in flight', () => {
    const { producer, consumer, put } = oneRing();
    const chunks = 250;
    for (let n = 0; n < chunks; n++) {
      put();
      producer.publish();
    }
    for (let n = 0; n < chunks; n++) {
      expect(consumer.peek()).toMatchObject({ offset: n * 16, bytes: 16, records: 1, flags: 0 });
      consumer.take(n + 1);
      expect(consumer.complete(n + 1, GROUP)).toBe(n + 2);
    }
    const told: number[] = [];
    producer.consume((firstLsn) => told.push(firstLsn));
    expect(told).toEqual(Array.from({ length: chunks }, (_, n) => n + 1));
  });

  it('of more chunks than were published is not believed', () => {
    const { producer, consumer, put, words } = oneRing();
    put();
    producer.publish();
    consumer.peek();
    consumer.take(1);
    consumer.complete(1, GROUP);
    words[completionSlot(0) + COMPLETION_CHUNKS] = 2;
    expect(() => producer.consume(() => {})).toThrow('R1 only published chunks');
  });
});

it('what a consumer counts as pending is what it has not taken', () => {
  const { producer, consumer, put, words } = oneRing();
  const pending = (): { bytes: number; records: number } => {
    const sum = { bytes: 1, records: 2 };
    consumer.addPending(sum);
    return sum;
  };
  for (const bytes of [8, 40]) {
    put(0, bytes);
    producer.publish();
  }
  expect(pending()).toEqual({ bytes: 1 + 16 + 48, records: 2 + 2 });
  consumer.peek();
  consumer.take(1);
  expect(pending()).toEqual({ bytes: 1 + 48, records: 2 + 1 });
  expect(words[chunkSlot(1) + CHUNK_OFFSET]).toBe(16);
});
