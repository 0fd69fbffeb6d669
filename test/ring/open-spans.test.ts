/** open-spans: the worker knows from which LSN on a ring's records are needed, whatever becomes of its chunks. */
import { expect, it } from 'vitest';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { createRing, NOT_ENCRYPTED } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer, type SpanToken } from '../../dist/src/ring/producer.js';
import { Prng, testSeed } from '../support/prng.js';

function pair() {
  const ring = createRing(16_384);
  const producer = new RingProducer(ring, new LogState(), { bytes: 1024, records: 16 });
  const consumer = new RingConsumer(ring);
  let lsn = 1;
  /** Puts one record, and publishes it as a chunk; `begin` and `end` say what it begins and ends. */
  const put = (begin: boolean, end?: SpanToken): SpanToken | undefined => {
    expect(producer.reserve(16, 1)).toBe(true);
    const token = begin ? producer.beginSpan() : undefined;
    producer.frame(RECORD_FULL, 8);
    if (end !== undefined) producer.endSpan(end);
    producer.publish();
    return token;
  };
  /** Takes the next chunk, or refuses it; returns the LSN that it got or would have got. */
  const take = (refused = false): number => {
    expect(consumer.peek()).toBeDefined();
    if (refused) consumer.settle(NOT_ENCRYPTED, lsn);
    else consumer.take(lsn++);
    return refused ? lsn : lsn - 1;
  };
  const complete = (): void => {
    consumer.complete(1, { records: 0, bytes: 0, syncUs: 0, segment: 1 });
    producer.consume(() => {});
  };
  return { put, take, complete, consumer };
}

it('names the LSN of the oldest span that is open, with any number open and ended in any order', () => {
  const prng = new Prng(testSeed(1));
  const { put, take, complete, consumer } = pair();
  const open: { token: SpanToken; lsn: number }[] = [];
  for (let i = 0; i < 5000; i++) {
    const ends = open.length > 0 && prng.below(3) === 0 ? prng.below(open.length) : undefined;
    const [ended] = ends === undefined ? [] : open.splice(ends, 1);
    const token = put(open.length < 8 && prng.below(3) === 0, ended?.token);
    const lsn = take();
    if (token !== undefined) open.push({ token, lsn });
    if (open.length === 0) expect(consumer.spans.lsn).toBe(0);
    else expect(consumer.spans.lsn).toBe(Math.min(...open.map((span) => span.lsn)));
    complete();
  }
});

it('goes on when the chunk is refused in which a span began, and when the one in which it ended', () => {
  const { put, take, complete, consumer } = pair();
  const token = put(true);
  const lsn = take(true);
  put(false);
  take();
  expect(consumer.spans.lsn).toBe(lsn); // no later than need be
  put(false, token);
  take(true);
  expect(consumer.spans.lsn).toBe(0);
  put(true);
  expect(take()).toBe(consumer.spans.lsn);
  complete();
});
