/**
 * ring-pair: producer and consumer over one ring, in one thread and in any order of their calls, compared with a
 * queue; also while the counters of chunks and completions wrap, as they do every 2^32.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_END_BYTES, frameBytes, RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import {
  COMPLETED,
  chunkSlot,
  createRing,
  PUBLISHED,
  ringOver,
  SLOTS,
  SYNC,
} from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import { walkRecords } from '../../dist/src/segment/records.js';
import { testSeed } from '../support/prng.js';

fc.configureGlobal({ seed: testSeed(1) });

const LIMITS = { bytes: 1024, records: 16 };

/** What completions tell of the group. */
const GROUP = { records: 0, bytes: 0, syncUs: 0, segment: 1 };

function pair(ringBytes = 2048, limits = LIMITS, count = 0) {
  const ring = createRing(ringBytes);
  ring.words[PUBLISHED] = count;
  ring.words[COMPLETED] = count;
  const producer = new RingProducer(ring, new LogState(), limits, count);
  return { ring, producer, consumer: new RingConsumer(ringOver(ring.buffer), count) };
}

/** Counts from which the next chunks pass a wrap: of the slots, of the sign, of the word. */
const COUNTS = [0, SLOTS - 3, 0x7fff_ffff - 3, -4];

/** Puts one record whose bytes follow from its id. */
function put(producer: RingProducer, id: number, bytes: number): boolean {
  if (!producer.reserve(frameBytes(bytes), 1)) return false;
  producer.data.fill(id & 255, producer.frame(RECORD_FULL, bytes)).fill(0, 0, 0);
  return true;
}

/** As `put`, but only its own bytes are written. */
function putExactly(producer: RingProducer, id: number, bytes: number): boolean {
  if (!producer.reserve(frameBytes(bytes), 1)) return false;
  const at = producer.frame(RECORD_FULL, bytes);
  producer.data.fill(id & 255, at, at + bytes);
  return true;
}

/** As `putExactly`, by a copy that at first was as long as what is free behind the frame. */
function putOverrunning(producer: RingProducer, id: number, bytes: number): boolean {
  if (!producer.reserve(frameBytes(bytes), 1)) return false;
  const at = producer.frame(RECORD_FULL, bytes);
  const { free } = producer;
  free.fill(0xff, at).fill(id & 255, at, at + bytes);
  free.fill(0, at + bytes, at + bytes + FRAME_END_BYTES);
  return true;
}

/** What a chunk holds, as pairs of first byte and length. */
function recordsIn(view: Uint8Array, count: number): { id: number; bytes: number }[] {
  const records: { id: number; bytes: number }[] = [];
  const wrong = walkRecords(view, count, 1, (_lsn, _type, _flags, start, end) => {
    const payload = view.subarray(start, end);
    expect(payload.every((byte) => byte === payload[0])).toBe(true);
    records.push({ id: payload[0] ?? 0, bytes: end - start });
  });
  expect(wrong).toBeUndefined();
  return records;
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 2, arbitrary: fc.constantFrom('publish' as const, 'take' as const) },
  { weight: 1, arbitrary: fc.constantFrom('complete' as const, 'consume' as const) },
);

describe('a ring pair', () => {
  it('hands every record over once, whole and in order, and every completion back, whatever the order of calls', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.constantFrom(...COUNTS), (steps, count) => {
        const { producer, consumer } = pair(2048, LIMITS, count);
        const put: { id: number; bytes: number }[] = [];
        const taken: { id: number; bytes: number }[] = [];
        let nextId = 1;
        let published = 0;
        let nextLsn = 1;
        let completed = 0;
        let told = 0;
        let inGroup = 0;
        const take = (): boolean => {
          const chunk = consumer.peek();
          expect(chunk === undefined).toBe(!consumer.hasChunks());
          if (chunk === undefined) return false;
          expect(chunk.bytes).toBeLessThanOrEqual(LIMITS.bytes);
          expect(chunk.records).toBeLessThanOrEqual(LIMITS.records);
          const { records } = chunk;
          inGroup += records;
          taken.push(...recordsIn(consumer.take(1), records));
          return true;
        };
        const complete = (): void => {
          if (!consumer.isInGroup) return;
          nextLsn = consumer.complete(nextLsn, GROUP);
          completed += inGroup;
          inGroup = 0;
          expect(nextLsn).toBe(completed + 1);
        };
        const consume = (): void => {
          producer.consume((firstLsn, records) => {
            expect(firstLsn).toBe(told + 1);
            told += records;
          });
          expect(told).toBe(completed);
          expect(producer.hasCompletions()).toBe(false);
        };
        for (const what of steps) {
          if (typeof what === 'number') {
            const id = nextId & 255;
            if (putOverrunning(producer, id, what)) {
              put.push({ id, bytes: what });
              nextId++;
            }
          } else if (what === 'publish') {
            expect(producer.publish()).toBe(true);
            published = put.length;
          } else if (what === 'take') take();
          else if (what === 'complete') complete();
          else consume();
          expect(taken.length).toBeLessThanOrEqual(put.length);
          expect(taken).toEqual(put.slice(0, taken.length));
        }
        producer.publish();
        while (take());
        complete();
        consume();
        expect(taken).toEqual(put);
        expect(told).toBe(put.length);
        expect(published).toBeLessThanOrEqual(put.length);
        expect(producer.usedBytes).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  it('says no when its bytes are all in flight, and goes on when they come back', () => {
    const { producer, consumer } = pair();
    let records = 0;
    while (putExactly(producer, records, 120)) records++;
    expect(records).toBe(2048 / 128);
    producer.publish();
    expect(putExactly(producer, 0, 1)).toBe(false);
    while (consumer.peek() !== undefined) consumer.take(1);
    consumer.complete(1, GROUP);
    expect(putExactly(producer, 0, 1)).toBe(false);
    producer.consume(() => {});
    expect(putExactly(producer, 0, 2000)).toBe(true); // an empty ring starts over at 0
  });

  it('says no when its slots are all in flight, and its slots and counters wrap', () => {
    const { producer, consumer } = pair(1024 * 64, LIMITS, 0x7fff_ffff - 2 * SLOTS);
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < SLOTS; i++) {
        expect(putExactly(producer, i, 8)).toBe(true);
        expect(producer.publish()).toBe(true);
      }
      expect(putExactly(producer, 7, 8)).toBe(true);
      expect(producer.publish()).toBe(false);
      const sum = { bytes: 0, records: 0 };
      consumer.addPending(sum);
      expect(sum).toEqual({ bytes: SLOTS * 16, records: SLOTS });
      for (let i = 0; i < SLOTS; i++) {
        expect(recordsIn(consumer.peek() ? consumer.take(1) : new Uint8Array(0), 1)).toEqual([
          { id: i & 255, bytes: 8 },
        ]);
      }
      consumer.complete(round * SLOTS + 1, GROUP);
      producer.consume((firstLsn, records) =>
        expect([firstLsn, records]).toEqual([round * SLOTS + 1, SLOTS]),
      );
      expect(producer.publish()).toBe(true);
      consumer.peek();
      consumer.take(1);
      consumer.complete(1, GROUP);
      producer.consume(() => {});
    }
  });

  it('carries LSNs of more than 32 bits', () => {
    const { producer, consumer } = pair();
    for (const lsn of [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER - 1]) {
      putExactly(producer, 1, 1);
      producer.publish();
      consumer.peek();
      consumer.take(1);
      consumer.complete(lsn, GROUP);
      const told: number[] = [];
      producer.consume((firstLsn) => told.push(firstLsn));
      expect(told).toEqual([lsn]);
    }
  });

  it('leaves no byte of an older record behind the payload of a newer one', () => {
    const { producer, consumer } = pair(256);
    for (let round = 0; round < 20; round++) {
      for (let bytes = 0; bytes < 24; bytes++) {
        expect(put(producer, 0xee, 0)).toBe(true); // dirties everything behind its frame
        producer.publish();
        consumer.peek();
        consumer.take(1);
        consumer.complete(1, GROUP);
        producer.consume(() => {});
        expect(putExactly(producer, 0xaa, bytes)).toBe(true);
        producer.publish();
        consumer.peek();
        const view = consumer.take(1);
        expect(
          view.subarray(8 + bytes).every((byte) => byte === 0),
          `payload of ${bytes}`,
        ).toBe(true);
        expect(view.subarray(5, 8)).toEqual(new Uint8Array(3));
        consumer.complete(1, GROUP);
        producer.consume(() => {});
      }
    }
  });
});

describe('a consumer', () => {
  it('does not believe a descriptor that leads out of the ring or can not be', () => {
    const good = [0, 16, 1];
    const wrong = [
      [-8, 16, 1],
      [2048, 16, 1],
      [2040, 16, 1],
      [4, 16, 1],
      [0, 0, 1],
      [0, -16, 1],
      [0, 12, 1],
      [0, 16, 0],
      [0, 16, 3],
      [16, -16, -5, SYNC],
      [0x7fff_fff8, 16, 1],
    ];
    for (const descriptor of [good, ...wrong]) {
      const { ring, consumer } = pair();
      ring.words.set(descriptor, chunkSlot(0));
      Atomics.store(ring.words, PUBLISHED, 1);
      if (descriptor === good) expect(consumer.peek()).toMatchObject({ offset: 0, bytes: 16, records: 1 });
      else expect(() => consumer.peek(), `${descriptor}`).toThrow(/R2/);
    }
    const { ring, consumer } = pair();
    Atomics.store(ring.words, PUBLISHED, SLOTS + 1);
    expect(() => consumer.peek()).toThrow(/R1/);
  });

  it('sees that the producer left, and takes what it had published', () => {
    const { producer, consumer } = pair();
    putExactly(producer, 1, 10);
    producer.publish();
    expect(consumer.detached).toBe(false);
    producer.detach();
    expect(consumer.detached).toBe(true);
    expect(consumer.hasChunks()).toBe(true);
  });
});
