/** truncated-part: which of the files before a log's beginning were part of it, and still are as they were. */
import { expect, it } from 'vitest';
import { linkedSegments } from '../../dist/src/recovery/chain.js';
import { truncatedPart } from '../../dist/src/recovery/truncated-part.js';
import type { SegmentFile } from '../../dist/src/segment/segment-files.js';
import { closedHead, damaged, linked, saltOf, spare } from '../support/segment-heads.js';

/** Segments 1 to 4, which end with LSNs 4, 9 and 12; what is below LSN 10 was truncated. */
const [ONE, TWO, THREE, FOUR] = [linked(1, 0, 0), linked(2, 1, 4), linked(3, 2, 9), linked(4, 3, 12)];

function freed(segments: readonly SegmentFile[], mark = 10): number[] {
  const chain = linkedSegments(segments, FOUR, mark);
  return truncatedPart(segments, chain).map(({ number }) => number);
}

it('is found oldest first, with all that is known of a closed segment', () => {
  const segments = [ONE, TWO, THREE, FOUR];
  expect(truncatedPart(segments, linkedSegments(segments, FOUR, 10))).toEqual([
    closedHead(1, 1, 4),
    closedHead(2, 5, 9),
  ]);
});

it('begins behind the log, which may be the newest segment alone or all there is', () => {
  expect(freed([ONE, TWO, THREE, FOUR], 13)).toEqual([1, 2, 3]);
  expect(freed([ONE, TWO, THREE, FOUR], 0)).toEqual([]);
  expect(truncatedPart([], { closed: [], newest: FOUR })).toEqual([]);
});

it.each<[string, SegmentFile[]]>([
  ['is missing', []],
  ['has a damaged first block', [damaged(2)]],
  ['has one before its LINK', [{ ...TWO, header: undefined }]],
  ['has no LINK', [spare(2)]],
  ['is another file of that number', [linked(2, 1, 4, { salt: saltOf(2).fill(1, 15) })]],
  ['was cut', [linked(2, 1, 4, { fileBytes: 5001 })]],
])('ends without an error at a segment that %s', (_, two) => {
  expect(freed([ONE, ...two, THREE, FOUR])).toEqual([]);
});

it('goes on over a file that ends where its successor says', () => {
  expect(freed([ONE, linked(2, 1, 4, { fileBytes: 5002 }), THREE, FOUR])).toEqual([1, 2]);
});

it('ends where a LINK names itself, a later segment, or none by salt', () => {
  const behind = [THREE, FOUR];
  expect(freed([ONE, linked(2, 2, 4), ...behind])).toEqual([2]);
  expect(freed([ONE, linked(2, 3, 4), ...behind])).toEqual([2]);
  expect(freed([ONE, linked(2, 1, 4, {}, { predecessorSalt: undefined }), ...behind])).toEqual([2]);
});
