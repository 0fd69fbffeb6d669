/** record-checksum: the checksum that a producer puts behind a record is the one that readers look for, where they look. */
import { expect, it } from 'vitest';
import { recordChecksum } from '../../dist/src/format/checksum.js';
import { frameBytes, HAS_CHECKSUM, RECORD_FULL, typeAndFlags } from '../../dist/src/format/record-frame.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { createRing } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import { frameChecksum, walkRecords } from '../../dist/src/segment/records.js';

it('each record of a chunk has the checksum of its own bytes, whatever their number', () => {
  const memory = createRing(16_384);
  const producer = new RingProducer(memory, new LogState(), { bytes: 4096, records: 64 });
  const consumer = new RingConsumer(memory);
  const lengths = [0, 1, 3, 4, 5, 8, 13, 100];
  expect(producer.reserve(1024, lengths.length)).toBe(true);
  for (const [i, length] of lengths.entries()) {
    const at = producer.frame(
      typeAndFlags(RECORD_FULL, HAS_CHECKSUM),
      length,
      frameBytes(length, HAS_CHECKSUM),
    );
    producer.data.fill(i + 1, at, at + length);
    producer.setChecksum(at, length);
  }
  producer.publish();
  expect(consumer.peek()).toBeDefined();
  const body = consumer.take(1);
  const seen: number[] = [];
  const wrong = walkRecords(body, lengths.length, 1, (lsn, _type, flags, start, end) => {
    seen.push(end - start);
    const payload = new Uint8Array(end - start).fill(lsn);
    expect(body.subarray(start, end)).toEqual(payload);
    expect(frameChecksum(body, start, end, flags)).toBe(recordChecksum(payload));
  });
  expect(wrong).toBeUndefined();
  expect(seen).toEqual(lengths);
});

it('nothing of an older record is left between a payload and its checksum, nor touched behind that', () => {
  for (let bytes = 0; bytes < 24; bytes++) {
    const memory = createRing(256);
    const producer = new RingProducer(memory, new LogState(), { bytes: 256, records: 1 });
    producer.data.fill(0xee);
    const size = frameBytes(bytes, HAS_CHECKSUM);
    producer.reserve(size, 1);
    const at = producer.frame(typeAndFlags(RECORD_FULL, HAS_CHECKSUM), bytes, size);
    producer.data.fill(0xaa, at, at + bytes);
    producer.setChecksum(at, bytes);
    expect([...producer.data.subarray(at + bytes, size - 4)]).toEqual(Array(size - 4 - at - bytes).fill(0));
    expect(producer.data.readInt32LE(size - 4) >>> 0).toBe(
      recordChecksum(new Uint8Array(bytes).fill(0xaa)) >>> 0,
    );
    expect([...producer.data.subarray(size)]).toEqual(Array(256 - size).fill(0xee));
  }
});

it('a frame that is only a header does not touch the record before it', () => {
  const producer = new RingProducer(createRing(256), new LogState(), { bytes: 256, records: 2 });
  producer.reserve(frameBytes(8) + frameBytes(0), 2);
  const at = producer.frame(RECORD_FULL, 8);
  producer.data.fill(0xaa, at, at + 8);
  expect(producer.frame(RECORD_FULL, 0)).toBe(at + 8 + 8);
  expect([...producer.data.subarray(at, at + 8)]).toEqual(Array(8).fill(0xaa));
});
