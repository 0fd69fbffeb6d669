/** chunk checksums: which chunks' checksums the producer takes, so that the I/O worker need not read them for that. */
import { describe, expect, it } from 'vitest';
import { GroupBuilder } from '../../dist/src/commit/group-builder.js';
import { checksum, UNKNOWN_CHECKSUM } from '../../dist/src/format/checksum.js';
import { FRAME_HEADER_BYTES, frameBytes, RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { CHECKPOINT, CONDITIONAL, ENCRYPT, SLOTS, SPANS, UNSYNCED } from '../../dist/src/ring/layout.js';
import { must } from '../support/must.js';
import { GROUP, oneRing } from '../support/one-ring.js';

const KIB = 1024;
const LIMITS = { bytes: 1024 * KIB, records: 1024 };

/** A ring with `waitingBytes` bytes of records on their way, and how to publish chunks behind them. */
function ringBehind(waitingBytes: number) {
  const ring = oneRing(LIMITS, 1024 * KIB);
  const { producer, consumer, put } = ring;
  put(0, waitingBytes - 8);
  producer.publish();
  consumer.peek();
  consumer.take(1);
  const fill = (bytes: number, records: number) => {
    for (let i = 0; i < records; i++) {
      const at = producer.frame(RECORD_FULL, bytes);
      producer.data.fill(i + bytes, at, at + bytes);
    }
  };
  const published = () => {
    producer.publish();
    const chunk = { ...must(consumer.peek()) };
    return { ...chunk, bytes: consumer.view().slice() };
  };
  /** One chunk of a batch of `records` records of `bytes` bytes each, filled with something, as the consumer sees it. */
  const publish = (bytes: number, records = 1, flags = 0, before: () => void = () => {}) => {
    expect(producer.reserve(records * frameBytes(bytes), records, flags)).toBe(true);
    before();
    fill(bytes, records);
    return published();
  };
  /** The same of records that were appended one by one. */
  const publishSingly = (bytes: number, records: number) => {
    for (let i = 0; i < records; i++) {
      expect(producer.reserve(frameBytes(bytes), 1)).toBe(true);
      fill(bytes, 1);
    }
    return published();
  };
  return { ...ring, publish, publishSingly };
}

describe('a chunk of long appends, behind 64 KiB that are on their way', () => {
  it.each([
    ['one of 16 KiB', 16 * KIB, 1, 0],
    ['a batch of 16 of 1 KiB', 1 * KIB, 16, 0],
    ['a batch of 128 of 128 bytes', 128, 128, 0],
    ['one of 300 000 bytes', 300_000, 1, 0],
    ['not to be synced', 64 * KIB, 1, UNSYNCED],
    ['a checkpoint', 64 * KIB, 1, CHECKPOINT],
  ])('comes with its checksum: %s', (_what, bytes, records, flags) => {
    const chunk = ringBehind(64 * KIB).publish(bytes, records, flags);
    expect(chunk.checksum).toBe(checksum(chunk.bytes, 0));
  });

  it('comes with its checksum: 16 that take 1 KiB each, one by one, also behind a chunk of short ones', () => {
    const { consumer, publishSingly } = ringBehind(64 * KIB);
    publishSingly(8, 100);
    consumer.take(2);
    const chunk = publishSingly(1 * KIB - FRAME_HEADER_BYTES, 16);
    expect(chunk.checksum).toBe(checksum(chunk.bytes, 0));
  });

  it('comes with its checksum and with the oldest span that is open', () => {
    const ring = ringBehind(64 * KIB);
    const chunk = ring.publish(64 * KIB, 1, 0, () => ring.producer.beginSpan());
    expect(chunk.checksum).toBe(checksum(chunk.bytes, 0));
    expect(chunk.flags & SPANS).toBe(SPANS);
  });

  it('has none when the worker is to encrypt it', () => {
    expect(ringBehind(64 * KIB).publish(64 * KIB, 1, ENCRYPT).checksum).toBe(UNKNOWN_CHECKSUM);
  });

  it('has none when it must get a certain LSN, which is told instead', () => {
    const ring = ringBehind(64 * KIB);
    const chunk = ring.publish(64 * KIB, 1, CONDITIONAL, () => ring.producer.expect(2 ** 33 + 5));
    expect(chunk).toMatchObject({ checksum: UNKNOWN_CHECKSUM, expectedLsn: 2 ** 33 + 5 });
  });
});

describe('the callers of the I/O worker keep their time', () => {
  it.each([
    ['when it is not behind', 64 * KIB - 8, 64 * KIB, 1],
    ['when a chunk is short', 512 * KIB, 1 * KIB, 15],
  ])('%s', (_when, waitingBytes, bytes, records) => {
    expect(ringBehind(waitingBytes).publish(bytes, records).checksum).toBe(UNKNOWN_CHECKSUM);
  });

  it('when appends are short', () => {
    expect(ringBehind(512 * KIB).publishSingly(1000, 32).checksum).toBe(UNKNOWN_CHECKSUM);
  });

  it('when all that was on its way is done', () => {
    const { producer, consumer, publish } = ringBehind(512 * KIB);
    consumer.complete(1, GROUP);
    producer.consume(() => {});
    expect(publish(64 * KIB).checksum).toBe(UNKNOWN_CHECKSUM);
  });
});

describe('a slot that is used again', () => {
  it('tells of its own chunk, not of the one before', () => {
    const { producer, consumer, put, publish } = ringBehind(64 * KIB);
    consumer.complete(1, GROUP);
    producer.consume(() => {});
    // Two slots a round, so that each has chunks with and without a checksum in turn.
    for (let round = 0; round < 2 * SLOTS; round++) {
      put(0, 64 * KIB);
      producer.publish();
      consumer.peek();
      consumer.take(1);
      const isLong = round % 3 === 0;
      const chunk = publish(isLong ? 16 * KIB + (round & ~7) : 8);
      expect(chunk.checksum).toBe(isLong ? checksum(chunk.bytes, 0) : UNKNOWN_CHECKSUM);
      consumer.take(1);
      consumer.complete(1, GROUP);
      producer.consume(() => {});
    }
  });
});

/** What a group must have beside its views, when chunks of short records have no checksum. */
const sumsOf = ({ views }: GroupBuilder) =>
  views.map((view) => (view.length > 16 ? checksum(view, 0) : UNKNOWN_CHECKSUM));

describe('a group', () => {
  it('has a checksum beside each chunk whose producer has taken it, in their order, and of its own chunks alone', () => {
    const ring = ringBehind(64 * KIB);
    ring.consumer.complete(1, GROUP);
    for (const bytes of [16 * KIB, 8, 20 * KIB, 8]) ring.publish(bytes);
    const group = new GroupBuilder({ bytes: 34 * KIB, records: 100 });
    group.setRings([ring.consumer]);
    const told: number[][] = [];
    for (group.build(LIMITS.bytes, 2); group.records > 0; group.build(LIMITS.bytes, 2)) {
      expect(group.checksums).toEqual(sumsOf(group));
      told.push([...group.checksums]);
      group.complete(2, GROUP);
    }
    expect(told.map(({ length }) => length)).toEqual([2, 2]);
  });

  it('has none of chunks that get no place in it: refused ones, and those without records', () => {
    const { producer, consumer, publish } = ringBehind(64 * KIB);
    publish(16 * KIB);
    publish(16 * KIB, 1, CONDITIONAL, () => producer.expect(100));
    publish(16 * KIB, 1, ENCRYPT);
    expect(producer.publishSync()).toBe(true);
    publish(20 * KIB);
    const group = new GroupBuilder(LIMITS);
    group.setRings([consumer]); // and no key
    group.build(LIMITS.bytes, 2);
    expect(group.views.map(({ length }) => length)).toEqual([frameBytes(16 * KIB), frameBytes(20 * KIB)]);
    expect(group.checksums).toEqual(sumsOf(group));
  });

  it('has those of all rings that have a part in it', () => {
    const rings = [[16 * KIB, 8], [], [8, 20 * KIB, 24 * KIB]].map((chunks) => {
      const { consumer, publish } = ringBehind(64 * KIB);
      consumer.complete(1, GROUP);
      for (const bytes of chunks) publish(bytes);
      return consumer;
    });
    const group = new GroupBuilder(LIMITS);
    group.setRings(rings);
    group.build(LIMITS.bytes, 2);
    expect(group.views.length).toBe(5);
    expect(group.checksums).toEqual(sumsOf(group));
  });
});
