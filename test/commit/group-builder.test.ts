/** group-builder: which chunks make up a group, in which order, and what the group says of them. */
import { describe, expect, it, vi } from 'vitest';
import { GroupBuilder } from '../../dist/src/commit/group-builder.js';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { sharedUs } from '../../dist/src/ring/clock.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import {
  CHECKPOINT,
  COMMITTED,
  CONDITIONAL,
  CONFLICT,
  createRing,
  SYNCED,
  UNSYNCED,
} from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';

const LIMITS = { bytes: 1024, records: 16 };

function ringPair(): { producer: RingProducer; consumer: RingConsumer } {
  const memory = createRing(16_384);
  return { producer: new RingProducer(memory, new LogState(), LIMITS), consumer: new RingConsumer(memory) };
}

/** What completions tell of the group. */
const GROUP = { records: 0, bytes: 0, syncUs: 0, segment: 1 };

describe('a group that is being built', () => {
  /** One chunk of one record whose frame has so many bytes. */
  const publishOne = (producer: RingProducer, bytes: number, flags = 0): void => {
    expect(producer.reserve(bytes, 1, flags)).toBe(true);
    producer.frame(RECORD_FULL, bytes - 8);
    producer.publish();
  };
  const over = (...rings: ReturnType<typeof ringPair>[]): GroupBuilder => {
    const group = new GroupBuilder(LIMITS);
    group.setRings(rings.map(({ consumer }) => consumer));
    return group;
  };

  it.each([
    // Of chunks of these bytes: how much is taken, and why not more.
    [[512, 512], 10_000, { bytes: 1024, leftOver: false, lackedRoom: false }],
    [[512, 512, 16], 10_000, { bytes: 1024, leftOver: true, lackedRoom: false }],
    [[512, 520], 10_000, { bytes: 512, leftOver: true, lackedRoom: false }],
    [[64, 64], 128, { bytes: 128, leftOver: false, lackedRoom: false }],
    [[64, 64], 127, { bytes: 64, leftOver: true, lackedRoom: true }],
    [[64], 63, { bytes: 0, leftOver: true, lackedRoom: true }],
    [[], 63, { bytes: 0, leftOver: false, lackedRoom: false }],
    [Array(16).fill(16), 10_000, { records: 16, leftOver: false, lackedRoom: false }],
    [Array(17).fill(16), 10_000, { records: 16, leftOver: true, lackedRoom: false }],
  ])('of chunks of %j bytes and room for %i takes what fits', (chunks: number[], room, taken) => {
    const ring = ringPair();
    for (const bytes of chunks) publishOne(ring.producer, bytes);
    const group = over(ring);
    group.build(room, 1);
    expect(group).toMatchObject(taken);
    expect(group.views.reduce((sum, { length }) => sum + length, 0)).toBe(group.bytes);
    expect(group.hasChunks()).toBe(group.leftOver);
    expect(group.mustSync).toBe(group.records > 0);
  });

  it('holds nothing before it is built', () => {
    const none = { bytes: 0, records: 0, mustSync: false, checkpointLsn: 0, waitUs: 0 };
    expect(new GroupBuilder(LIMITS)).toMatchObject({
      ...none,
      ...{ views: [], contributors: [], lackedRoom: false, leftOver: false, openLsn: 0 },
    });
    expect(over().hasChunks()).toBe(false);
    expect(new GroupBuilder(LIMITS).hasChunks()).toBe(false);
  });

  it('takes nothing of another ring behind what it left over, and leaves the turn to a ring that got no room', () => {
    const [large, small] = [ringPair(), ringPair()];
    const group = over(large, small);
    publishOne(large.producer, 512);
    publishOne(small.producer, 16);
    group.build(100, 1);
    expect(group.contributors).toEqual([]);
    group.build(10_000, 1);
    expect(group.contributors).toEqual([large.consumer, small.consumer]);
    group.complete(1, GROUP);
    for (const { producer } of [large, small]) publishOne(producer, 16);
    group.build(10_000, 1);
    expect(group.contributors).toEqual([small.consumer, large.consumer]);
  });

  it('says how long the chunk had waited that waited longest, over the wrap of the clock too', () => {
    const now = vi.spyOn(performance, 'now');
    try {
      const at = (us: number): void => {
        now.mockReturnValue(us / 1000);
      };
      at(0);
      const toWrap = 2 ** 32 - (sharedUs() >>> 0);
      for (const from of [1000, toWrap - 500]) {
        const rings = [ringPair(), ringPair(), ringPair()] as const;
        const group = over(...rings);
        for (const [ring, us] of [
          [0, 300],
          [1, 0],
          [1, 600],
          [2, 200],
        ] as const) {
          at(from + us);
          publishOne(rings[ring].producer, 16);
        }
        at(from + 1000);
        group.build(10_000, 1);
        expect(Math.abs(group.waitUs - 1000)).toBeLessThanOrEqual(1);
        group.build(10_000, 1);
        expect(group.waitUs).toBe(0);
      }
    } finally {
      now.mockRestore();
    }
  });

  it('must be synced when somebody waits for it, and only then', () => {
    for (const [flags, mustSync] of [
      [[UNSYNCED, UNSYNCED], false],
      [[UNSYNCED, 0, UNSYNCED], true],
      [['sync'], true],
      [[UNSYNCED, 'sync'], true],
    ] as const) {
      const ring = ringPair();
      for (const flag of flags)
        if (flag === 'sync') ring.producer.publishSync();
        else publishOne(ring.producer, 16, flag);
      const group = over(ring);
      group.build(10_000, 1);
      expect(group.mustSync, `${flags}`).toBe(mustSync);
      group.build(10_000, 1);
      expect(group.mustSync).toBe(false);
    }
  });

  it('takes a conditional chunk at the LSN that it names, and at no other', () => {
    for (const [expected, outcome] of [
      [102, CONFLICT],
      [103, COMMITTED],
      [104, CONFLICT],
    ] as const) {
      const ring = ringPair();
      for (let i = 0; i < 3; i++) publishOne(ring.producer, 16);
      ring.producer.reserve(16, 1, CONDITIONAL);
      ring.producer.frame(RECORD_FULL, 8);
      ring.producer.expect(expected);
      ring.producer.publish();
      const group = over(ring);
      group.build(10_000, 100);
      group.complete(100, GROUP);
      const told: number[][] = [];
      ring.producer.consume((...completion) => told.push(completion));
      expect(told).toEqual(
        outcome === COMMITTED
          ? [[100, 4, COMMITTED]]
          : [
              [100, 3, COMMITTED],
              [103, 1, CONFLICT],
            ],
      );
    }
  });

  it('names the LSN of its last checkpoint, and a sync by the LSN before it', () => {
    const ring = ringPair();
    for (const flags of [0, CHECKPOINT, 0, CHECKPOINT, 0]) publishOne(ring.producer, 16, flags);
    ring.producer.publishSync();
    const group = over(ring);
    group.build(10_000, 50);
    expect(group.checkpointLsn).toBe(53);
    group.complete(50, GROUP);
    const told: number[][] = [];
    ring.producer.consume((...completion) => told.push(completion));
    expect(told).toEqual([
      [50, 5, COMMITTED],
      [54, 0, SYNCED],
    ]);
    group.build(10_000, 55);
    expect(group.checkpointLsn).toBe(0);
  });

  it('names the LSN of the oldest span that is open in any ring', () => {
    const rings = [ringPair(), ringPair(), ringPair()] as const;
    const group = over(...rings);
    const begin = (ring: 0 | 1 | 2, lsn: number): number => {
      const { producer } = rings[ring];
      producer.reserve(16, 1);
      const token = producer.beginSpan();
      producer.frame(RECORD_FULL, 8);
      producer.publish();
      group.build(10_000, lsn);
      group.complete(lsn, GROUP);
      return token;
    };
    expect(group.openLsn).toBe(0);
    begin(1, 30);
    expect(group.openLsn).toBe(30);
    const oldest = begin(0, 20);
    expect(group.openLsn).toBe(20);
    begin(2, 25);
    expect(group.openLsn).toBe(20);
    rings[0].producer.reserve(16, 1);
    rings[0].producer.frame(RECORD_FULL, 8);
    rings[0].producer.endSpan(oldest);
    rings[0].producer.publish();
    group.build(10_000, 60);
    expect(group.openLsn).toBe(25);
  });

  it('counts as pending what all rings hold', () => {
    const rings = [ringPair(), ringPair()] as const;
    const group = over(...rings);
    expect([group.pending(), group.hasChunks()]).toEqual([{ bytes: 0, records: 0 }, false]);
    publishOne(rings[1].producer, 64);
    publishOne(rings[1].producer, 16);
    expect([group.pending(), group.hasChunks()]).toEqual([{ bytes: 80, records: 2 }, true]);
    publishOne(rings[0].producer, 32);
    expect(group.pending()).toEqual({ bytes: 112, records: 3 });
  });

  it('goes on with the ring whose turn it is when rings come and go', () => {
    const [a, b, c] = [ringPair(), ringPair(), ringPair()] as const;
    const next = (group: GroupBuilder): unknown => {
      for (const { producer } of [a, b, c]) publishOne(producer, 16);
      group.build(10_000, 1);
      const [first] = group.contributors;
      group.complete(1, GROUP);
      for (const { producer } of [a, b, c]) producer.consume(() => {});
      return first;
    };
    const group = over(a, b, c);
    expect([next(group), next(group)]).toEqual([a.consumer, b.consumer]);
    group.setRings([c.consumer, a.consumer]); // c is next, wherever it stands
    expect(next(group)).toBe(c.consumer);
    group.setRings([b.consumer, c.consumer]); // a, whose turn it was, has left: c comes behind it
    expect(next(group)).toBe(c.consumer);
    group.setRings([a.consumer]); // none is left of those
    expect(next(group)).toBe(a.consumer);
    group.setRings([]);
    group.build(10_000, 1);
    expect(group.contributors).toEqual([]);
    group.setRings([b.consumer]);
    expect(next(group)).toBe(b.consumer);
  });
});
