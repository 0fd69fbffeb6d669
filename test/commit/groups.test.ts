/** groups: what makes a group: limits, fairness between rings, one write and one sync, contiguous LSNs. */
import { describe, expect, it } from 'vitest';
import { CommitWindow } from '../../dist/src/commit/commit-window.js';
import { GroupBuilder } from '../../dist/src/commit/group-builder.js';
import { frameBytes, RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { COMMITTED, createRing, ENCRYPT, NOT_ENCRYPTED } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';

const LIMITS = { bytes: 1024, records: 16 };

function ringPair(): { producer: RingProducer; consumer: RingConsumer } {
  const memory = createRing(16_384);
  return { producer: new RingProducer(memory, new LogState(), LIMITS), consumer: new RingConsumer(memory) };
}

/** Puts `records` records of 8 bytes into a ring, published as one chunk each. */
function publish(producer: RingProducer, records: number): void {
  for (let i = 0; i < records; i++) {
    expect(producer.reserve(16, 1)).toBe(true);
    producer.data.fill(i, producer.frame(RECORD_FULL, 8)).fill(0, 0, 0);
    producer.publish();
  }
}

/** What completions tell of the group. */
const GROUP = { records: 0, bytes: 0, syncUs: 0, segment: 1 };

describe('GroupBuilder', () => {
  it('keeps to the limits in records, in bytes and in room, and leaves the rest for the next group', () => {
    const { producer, consumer } = ringPair();
    publish(producer, 40);
    const group = new GroupBuilder(LIMITS);
    group.setRings([consumer]);
    const taken: number[] = [];
    for (group.build(10_000, 1); group.records > 0; group.build(10_000, 1)) {
      taken.push(group.records);
      group.complete(taken.length * 100, GROUP);
    }
    expect(taken).toEqual([16, 16, 8]);
    publish(producer, 10);
    group.build(64, 1);
    expect({ records: group.records, lackedRoom: group.lackedRoom }).toEqual({
      records: 4,
      lackedRoom: true,
    });
  });

  it('lets no ring wait for more groups than there are rings, however full the others are', () => {
    const rings = [ringPair(), ringPair(), ringPair(), ringPair()];
    const group = new GroupBuilder(LIMITS);
    group.setRings(rings.map(({ consumer }) => consumer));
    const last = new Map<RingConsumer, number>();
    for (let round = 0; round < 40; round++) {
      for (const { producer } of rings) publish(producer, 20);
      group.build(10_000, 1);
      for (const ring of group.contributors) last.set(ring, round);
      group.complete(1, GROUP);
      for (const { producer } of rings) producer.consume(() => {});
      if (round < rings.length) continue;
      for (const { consumer } of rings)
        expect(round - (last.get(consumer) ?? -100)).toBeLessThanOrEqual(rings.length);
    }
  });

  it('keeps to that bound while other rings come and go between the groups', () => {
    const rings = [ringPair(), ringPair(), ringPair()];
    const consumers = rings.map(({ consumer }) => consumer);
    const group = new GroupBuilder(LIMITS);
    const waited = new Map(consumers.map((consumer) => [consumer, 0]));
    for (let round = 0; round < 60; round++) {
      for (const { producer } of rings) publish(producer, 20);
      const guest = ringPair();
      publish(guest.producer, 20);
      // In front of the others, among them, behind them; every third round without a guest.
      const place = round % 3;
      group.setRings(
        place === 2 ? consumers : [...consumers.slice(0, place), guest.consumer, ...consumers.slice(place)],
      );
      group.build(10_000, 1);
      for (const consumer of consumers) {
        const groups = group.contributors.includes(consumer) ? 0 : (waited.get(consumer) ?? 0) + 1;
        waited.set(consumer, groups);
        expect(groups, `round ${round}`).toBeLessThan(2 * rings.length);
      }
      group.complete(1, GROUP);
      for (const { producer } of rings) producer.consume(() => {});
    }
  });

  it('gives each ring one completion a group, over a range of LSNs of its own', () => {
    const rings = [ringPair(), ringPair(), ringPair()];
    for (const [i, { producer }] of rings.entries()) publish(producer, i + 2);
    const group = new GroupBuilder(LIMITS);
    group.setRings(rings.map(({ consumer }) => consumer));
    group.build(10_000, 1);
    group.complete(1001, GROUP);
    const completions: [number, number][] = [];
    for (const { producer } of rings)
      producer.consume((firstLsn, records) => completions.push([firstLsn, records]));
    expect(completions).toEqual([
      [1001, 2],
      [1003, 3],
      [1006, 4],
    ]);
  });
});

describe('CommitWindow', () => {
  it('has a time left of no less than nothing, and goes on after it was asked for by somebody in a hurry', () => {
    const window = new CommitWindow(500, LIMITS);
    expect(window.remainingUs(1000, { bytes: 1023, records: 15 }, false)).toBe(500);
    expect(window.remainingUs(1400, { bytes: 1023, records: 15 }, false)).toBe(100);
    expect(window.remainingUs(1501, { bytes: 0, records: 0 }, false)).toBe(0);
    window.close();
    expect(window.remainingUs(2000, { bytes: 16, records: 1 }, true)).toBe(0);
    expect(window.remainingUs(2100, { bytes: 16, records: 1 }, false)).toBe(400);
  });

  it('waits from the first chunk on, and not when it is full or hurried', () => {
    const window = new CommitWindow(500, LIMITS);
    const few = { bytes: 16, records: 1 };
    expect(window.remainingUs(1000, few, false)).toBe(500);
    expect(window.remainingUs(1200, few, false)).toBe(300);
    expect(window.remainingUs(1200, few, true)).toBe(0);
    expect(window.remainingUs(1200, { bytes: 1024, records: 1 }, false)).toBe(0);
    expect(window.remainingUs(1200, { bytes: 16, records: 16 }, false)).toBe(0);
    expect(window.remainingUs(1500, few, false)).toBe(0);
    window.close();
    expect(window.remainingUs(9000, few, false)).toBe(500);
  });
});

describe('records that can not be encrypted', () => {
  const encrypted = (payload: string, flags = 0) => {
    const pair = ringPair();
    pair.producer.reserve(frameBytes(payload.length), 1, ENCRYPT | flags);
    const at = pair.producer.frame(RECORD_FULL, payload.length);
    pair.producer.data.write(payload, at);
    return pair;
  };
  const failing = {
    seal: () => {
      throw new Error('no key');
    },
  };

  it('are refused, and nothing of them joins a group; others are not disturbed', () => {
    const { producer, consumer } = encrypted('secret');
    producer.publish();
    publish(producer, 3);
    const group = new GroupBuilder(LIMITS);
    group.setSealer(failing);
    group.setRings([consumer]);
    group.build(10_000, 100);
    expect(Buffer.concat(group.views).includes('secret')).toBe(false);
    expect(group.records).toBe(3);
    group.complete(100, GROUP);
    const outcomes: number[][] = [];
    producer.consume((...outcome) => outcomes.push(outcome));
    expect(outcomes).toEqual([
      [100, 1, NOT_ENCRYPTED],
      [100, 3, COMMITTED],
    ]);
  });

  it('are refused when nobody can, and join the group when somebody has', () => {
    for (const [sealer, outcome] of [
      [undefined, NOT_ENCRYPTED],
      [{ seal: (frames: Uint8Array, lsn: number) => frames.fill(lsn, 8) }, COMMITTED],
    ] as const) {
      const { producer, consumer } = encrypted('secret');
      producer.publish();
      const group = new GroupBuilder(LIMITS);
      if (sealer !== undefined) group.setSealer(sealer);
      group.setRings([consumer]);
      group.build(10_000, 100);
      expect(Buffer.concat(group.views).includes('secret')).toBe(false);
      expect(group.views.map((view) => view[8])).toEqual(outcome === COMMITTED ? [100] : []);
      group.complete(100, GROUP);
      const told: number[][] = [];
      producer.consume((...completion) => told.push(completion));
      expect(told).toEqual([[100, 1, outcome]]);
    }
  });

  it('end the log when they are part of a span, whose other records may be on their way', () => {
    for (const sealer of [failing, undefined]) {
      const { producer, consumer } = encrypted('secret');
      producer.beginSpan();
      producer.publish();
      const group = new GroupBuilder(LIMITS);
      if (sealer !== undefined) group.setSealer(sealer);
      group.setRings([consumer]);
      expect(() => group.build(10_000, 1)).toThrow('no key');
      expect(group.views).toEqual([]);
    }
  });
});

describe('a group', () => {
  it('is one write and one sync, however many rings it draws from, at a rotation too', async () => {
    const storage = new SimStorage();
    const kinds: string[] = [];
    const counting = new Proxy(storage, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name !== 'create') return member.bind(target);
        return async (file: string) => {
          const opened = await target.create(file);
          const { writeGroup, syncGroup } = opened;
          opened.writeGroup = (...args) => {
            kinds.push('write');
            writeGroup.apply(opened, args);
          };
          opened.syncGroup = () => {
            kinds.push('sync');
            syncGroup.apply(opened);
          };
          return opened;
        };
      },
    });
    const log = await EngineHarness.open(counting);
    kinds.length = 0; // recovery's own
    let groups = 0;
    while (log.engine.stats().rotations < 3) {
      for (const producer of [0, 1, 2]) log.submit(payloadOf(groups * 3 + producer, 900), producer);
      await log.commit();
      groups++;
    }
    const { groups: counted, syncs } = log.engine.stats();
    expect(counted).toBe(groups);
    expect(kinds.length).toBe(2 * syncs);
    expect(kinds.every((kind, i) => kind === (i % 2 === 0 ? 'write' : 'sync'))).toBe(true);
    // A SEAL needs a write of its own only when nothing of what waits fits in front of it.
    expect(syncs - groups).toBeLessThanOrEqual(3);
  });
});
