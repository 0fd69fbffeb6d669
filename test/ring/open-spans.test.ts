/** open-spans: the worker knows from which LSN on a ring's records are needed, whatever becomes of its chunks. */
import { expect, it } from 'vitest';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { BEGINS_SPAN, createRing, NOT_ENCRYPTED, SPANS } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { OpenSpans } from '../../dist/src/ring/open-spans.js';
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

/** Of each begun span the chunk is its number and the LSN ten times that, and one. */
function begun(spans: number): OpenSpans {
  const open = new OpenSpans();
  for (let chunk = 0; chunk < spans; chunk++) open.took(chunk, chunk * 10 + 1, SPANS | BEGINS_SPAN, 0);
  return open;
}

it.each([
  [1023, 1022],
  [1024, 1023],
  [1025, 1023],
  [3000, 1023],
])('of %i spans that are open at once it names the newest by the LSN of number %i, never by a later one', (spans, kept) => {
  const open = begun(spans);
  expect(open.lsn).toBe(1);
  open.took(spans, spans * 10 + 1, SPANS, spans - 1);
  expect(open.lsn).toBe(kept * 10 + 1);
  open.took(spans + 1, spans * 10 + 11, 0, 0);
  expect(open.lsn).toBe(0);
});

it('chunks in which nothing begins take no place among the beginnings', () => {
  const open = begun(1);
  for (let chunk = 1; chunk < 3000; chunk++) open.took(chunk, chunk * 10 + 1, SPANS, 0);
  open.took(3000, 30_001, SPANS | BEGINS_SPAN, 0);
  open.took(3001, 30_011, SPANS, 3000);
  expect(open.lsn).toBe(30_001);
});

it('chunk numbers are compared over their wrap', () => {
  const open = new OpenSpans();
  open.took(0x7fff_ffff, 1, SPANS | BEGINS_SPAN, 0x7fff_ffff);
  open.took(-0x8000_0000, 2, SPANS | BEGINS_SPAN, 0x7fff_ffff);
  expect(open.lsn).toBe(1);
  open.took(-0x7fff_ffff, 3, SPANS, -0x8000_0000);
  expect(open.lsn).toBe(2);
});

it('a span whose first chunk was refused begins with what comes next, or with an older one that is open', () => {
  for (const before of [0, 2]) {
    const open = begun(before);
    if (before > 0) open.took(before, 30, 0, 0);
    open.took(4, 40, SPANS, 3);
    expect(open.lsn).toBe(40);
    open.took(5, 50, SPANS | BEGINS_SPAN, 3);
    expect(open.lsn).toBe(40);
    open.took(6, 60, SPANS, 5);
    expect(open.lsn).toBe(50);
  }
});

// The later one was taken for the oldest, and the records of the first were no longer kept: a transaction of some days.
it('keeps a span that is open for more chunks than a number has', () => {
  const spans = new OpenSpans();
  const wrapped = (chunk: number): number => chunk | 0;
  spans.took(wrapped(7), 70, SPANS | BEGINS_SPAN, wrapped(7));
  for (const later of [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32 + 1, 5 * 2 ** 31]) {
    spans.took(wrapped(7 + later), 70 + later, SPANS | BEGINS_SPAN, wrapped(7));
    expect(spans.lsn, `${later} chunks later`).toBe(70);
  }
});
