/** slots: what makes up a chunk, and what its slot tells the consumer. */
import { describe, expect, it, vi } from 'vitest';
import { frameBytes } from '../../dist/src/format/record-frame.js';
import {
  BEGINS_SPAN,
  CHECKPOINT,
  CONDITIONAL,
  ENCRYPT,
  PRODUCER_DOORBELL,
  PUBLISHED,
  SPANS,
  SYNC,
  UNSYNCED,
} from '../../dist/src/ring/layout.js';
import { WORKER_DOORBELL } from '../../dist/src/ring/log-state.js';
import { must } from '../support/must.js';
import { GROUP, LONGS, oneRing } from '../support/one-ring.js';

describe('a chunk', () => {
  it.each(LONGS)('says that it must get LSN %i', (lsn) => {
    const { producer, consumer, put } = oneRing();
    put(CONDITIONAL);
    producer.expect(lsn);
    producer.publish();
    expect(consumer.peek()).toMatchObject({ flags: CONDITIONAL, expectedLsn: lsn });
  });

  it('says where it lies, and when it was published', () => {
    const { producer, consumer, put } = oneRing();
    const now = vi.spyOn(performance, 'now');
    const at: number[] = [];
    for (const [i, bytes] of [8, 100, 24].entries()) {
      now.mockReturnValue(1000 + i);
      put(0, bytes);
      producer.publish();
      const chunk = must(consumer.peek());
      expect(chunk).toMatchObject({ bytes: frameBytes(bytes), records: 1, flags: 0 });
      expect(consumer.view().byteOffset).toBe(producer.data.byteOffset + chunk.offset);
      expect(consumer.view().length).toBe(frameBytes(bytes));
      expect(consumer.take(1)).toEqual(consumer.view());
      at.push(chunk.publishedUs);
    }
    expect([(must(at[1]) - must(at[0])) | 0, (must(at[2]) - must(at[0])) | 0]).toEqual([1000, 2000]);
  });

  it('holds as many records as its limits say, and is handed over when there is one more', () => {
    for (const [limits, each] of [
      [{ bytes: 1024, records: 3 }, 16],
      [{ bytes: 3 * 24, records: 16 }, 24],
    ] as const) {
      const { producer, put, taken } = oneRing(limits);
      for (let i = 0; i < 3; i++) put(0, each - 8);
      expect(producer.openBytes).toBe(3 * each);
      expect(taken()).toEqual([]);
      put(0, each - 8);
      expect(producer.openBytes).toBe(each);
      expect(taken()).toMatchObject([{ records: 3 }]);
      producer.publish();
      expect(producer.openBytes).toBe(0);
      expect(taken()).toMatchObject([{ records: 1 }]);
    }
  });

  it('holds records of one kind, and what stands alone stands alone', () => {
    const kinds = [0, 0, UNSYNCED, UNSYNCED, ENCRYPT, CONDITIONAL, CONDITIONAL, CHECKPOINT, CHECKPOINT, 0, 0];
    const { producer, put, taken } = oneRing();
    for (const kind of kinds) put(kind);
    producer.publish();
    expect(taken().map(({ records, flags }) => [records, flags])).toEqual([
      [2, 0],
      [2, UNSYNCED],
      [1, ENCRYPT],
      [1, CONDITIONAL],
      [1, CONDITIONAL],
      [1, CHECKPOINT],
      [1, CHECKPOINT],
      [2, 0],
    ]);
  });

  it('lies in one piece: what is behind the end of the ring goes into another', () => {
    const { producer, consumer, put } = oneRing({ bytes: 4096, records: 100 });
    for (let i = 0; i < 4; i++) {
      put(0, 1000);
      producer.publish();
    }
    for (let i = 0; i < 2; i++) {
      consumer.peek();
      consumer.take(1);
    }
    consumer.complete(1, GROUP);
    producer.consume(() => {});
    put(0, 40); // behind the tail: 4096 - 4 * 1008 = 64 bytes are left
    put(0, 40); // at 0
    producer.publish();
    const offsets: number[] = [];
    for (let chunk = consumer.peek(); chunk !== undefined; chunk = consumer.peek()) {
      offsets.push(chunk.offset);
      consumer.take(1);
    }
    expect(offsets).toEqual([2016, 3024, 4032, 0]);
  });

  it('names the oldest span that is open, and says whether one begins', () => {
    const { producer, put, taken } = oneRing();
    put();
    const first = producer.beginSpan();
    put(); // joins: what begins in a chunk does not make another kind of it
    const second = producer.beginSpan();
    producer.publish();
    put();
    producer.endSpan(first); // two began in the same chunk
    producer.publish();
    put();
    const third = producer.beginSpan();
    producer.endSpan(second);
    producer.publish();
    put();
    producer.endSpan(third);
    producer.publish();
    expect(taken()).toEqual([
      { records: 2, flags: SPANS | BEGINS_SPAN, oldest: 0 },
      { records: 1, flags: SPANS, oldest: 0 },
      { records: 1, flags: SPANS | BEGINS_SPAN, oldest: 2 },
      { records: 1, flags: 0, oldest: 0 },
    ]);
  });

  it('that holds nothing is not published; a sync is, behind what is open', () => {
    const { producer, put, taken, words } = oneRing();
    expect(producer.publish()).toBe(true);
    expect(words[PUBLISHED]).toBe(0);
    put();
    expect(producer.publishSync()).toBe(true);
    expect(taken().map(({ records, flags }) => [records, flags])).toEqual([
      [1, 0],
      [0, SYNC],
    ]);
  });

  it('finds no slot when all are in flight, nor does a sync behind it', () => {
    const { producer, put } = oneRing();
    for (let i = 0; i < 200; i++) {
      put();
      producer.publish();
    }
    for (let i = 200; i < 1023; i++) expect(producer.publishSync()).toBe(true);
    put();
    // One slot is left: the record's.
    expect(producer.publishSync()).toBe(false);
    expect(producer.openBytes).toBe(0);
    expect(producer.publishSync()).toBe(false);
    put();
    expect(producer.reserve(16, 1)).toBe(true); // joins the open chunk
    expect(producer.reserve(16, 1, UNSYNCED)).toBe(false); // needs another one
    expect(producer.openBytes).toBe(16);
  });

  it('wakes the worker, and so does leaving, which ends its own sleep too', () => {
    const { producer, put, state, words, consumer } = oneRing();
    state.words[WORKER_DOORBELL] = 1;
    put();
    expect(state.words[WORKER_DOORBELL]).toBe(1);
    producer.publish();
    expect(state.words[WORKER_DOORBELL]).toBe(0);
    state.words[WORKER_DOORBELL] = 1;
    words[PRODUCER_DOORBELL] = 1;
    producer.detach();
    expect([state.words[WORKER_DOORBELL], words[PRODUCER_DOORBELL]]).toEqual([0, 0]);
    expect(consumer.detached).toBe(true);
  });

  it('is taken from a ring whose thread is gone', () => {
    const { producer, put, consumer } = oneRing();
    put();
    producer.publish();
    consumer.abandon();
    expect([consumer.detached, consumer.hasChunks()]).toEqual([true, true]);
  });
});
