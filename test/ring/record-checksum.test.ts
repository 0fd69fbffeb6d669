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
