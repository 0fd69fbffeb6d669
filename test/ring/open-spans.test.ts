/** open-spans: what is said to be needed by open spans is never later than the oldest of them began. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BEGINS_SPAN, SPANS } from '../../dist/src/ring/layout.js';
import { OpenSpans } from '../../dist/src/ring/open-spans.js';
import { testSeed } from '../support/prng.js';

fc.configureGlobal({ seed: testSeed(1) });

/** What happens in each chunk: spans that begin, and which of the open ones end. */
const chunk = fc.record({
  begins: fc.nat({ max: 2 }),
  ends: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
});

it.each([
  0,
  0x7fff_ffff - 20,
  -10,
])('keeps the LSN at which the oldest open span began (from chunk %i)', (first) => {
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 200 }), (chunks) => {
      const spans = new OpenSpans();
      let open: { chunk: number; lsn: number }[] = [];
      chunks.forEach(({ begins, ends }, i) => {
        const number = (first + i) | 0;
        const lsn = 1 + i * 10;
        for (let n = 0; n < begins; n++) open.push({ chunk: number, lsn });
        open = open.filter((_, n) => !ends.includes(n));
        const flags = (open.length > 0 ? SPANS : 0) | (begins > 0 ? BEGINS_SPAN : 0);
        spans.took(number, lsn, flags, open[0]?.chunk ?? 12_345);
        expect(spans.lsn).toBe(open[0]?.lsn ?? 0);
      });
    }),
  );
});

it('says an earlier LSN, never a later one, when more begin than it keeps', () => {
  const spans = new OpenSpans();
  for (let i = 0; i < 5000; i++) spans.took(i, i + 1, SPANS | BEGINS_SPAN, 0);
  expect(spans.lsn).toBe(1);
  spans.took(5000, 5001, SPANS, 3000);
  expect(spans.lsn).toBeGreaterThan(0);
  expect(spans.lsn).toBeLessThanOrEqual(3001);
  spans.took(5001, 5002, 0, 0);
  expect(spans.lsn).toBe(0);
});

it('begins with the chunk at hand when the one in which a span began was refused', () => {
  const spans = new OpenSpans();
  spans.took(8, 100, SPANS, 7);
  expect(spans.lsn).toBe(100);
});
