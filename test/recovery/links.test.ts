/** links: which segments make the log, by what their LINKs say; every rule at its bounds. */
import { describe, expect, it } from 'vitest';
import type { CorruptError } from '../../dist/src/index.js';
import { findNewest, followChain } from '../../dist/src/recovery/chain.js';
import type { SegmentFile } from '../../dist/src/segment/segment-files.js';
import { must } from '../support/must.js';
import { closedHead, damaged, linked, saltOf, spare } from '../support/segment-heads.js';

/** Segments 1, 2 and 3, which end with LSNs 4 and 9. */
const ONE = linked(1, 0, 0);
const TWO = linked(2, 1, 4, {}, { openLsn: 0 });
const THREE = linked(3, 2, 9);

function chainOf(segments: readonly SegmentFile[], truncatedBefore = 0) {
  return followChain(segments, must(findNewest(segments)), truncatedBefore);
}

const numbers = (segments: readonly { readonly number: number }[]): number[] =>
  segments.map(({ number }) => number);

function refusal(segments: readonly SegmentFile[], truncatedBefore = 0): CorruptError {
  try {
    chainOf(segments, truncatedBefore);
  } catch (error) {
    expect(error).toMatchObject({ code: 'RINGWAL_CORRUPT' });
    return error as CorruptError;
  }
  throw new Error('it was not refused');
}

describe('the newest segment', () => {
  it('is the last one with a LINK, or none when there are no files', () => {
    expect(findNewest([ONE, TWO, spare(3)])).toBe(TWO);
    expect(findNewest([ONE, damaged(2)])).toBe(ONE);
    expect(findNewest([ONE, { ...TWO, header: undefined }])).toBe(ONE);
    expect(findNewest([])).toBeUndefined();
  });

  it('is missed when there are files and none has one: the damaged file is named, if there is one', () => {
    const newest = (segments: SegmentFile[]) => () => findNewest(segments);
    const details = { file: damaged(2).name, offset: 0 };
    expect(newest([spare(1), damaged(2)])).toThrow(expect.objectContaining({ details }));
    expect(newest([spare(1), spare(2)])).toThrow(/segments of the log are missing/);
  });
});

describe('the walk back', () => {
  it('leads to the beginning, and tells of each segment what its own LINK and the next one say', () => {
    const { newest, closed, leftovers } = chainOf([ONE, TWO, THREE]);
    expect(newest).toBe(THREE);
    expect(leftovers).toEqual([]);
    expect(closed).toEqual([closedHead(1, 1, 4), closedHead(2, 5, 9)]);
  });

  it.each([
    [0, [1, 2]],
    [4, [1, 2]],
    [5, [2]],
    [9, [2]],
    [10, []],
  ])('ends before what lies wholly below the truncation mark: %d', (mark, expected) => {
    const { closed, leftovers } = chainOf([ONE, TWO, THREE], mark);
    expect(numbers(closed)).toEqual(expected);
    expect(numbers(leftovers)).toEqual([1, 2].filter((number) => !expected.includes(number)));
    expect(numbers(chainOf([ONE, TWO, THREE].slice(2 - expected.length), mark).closed)).toEqual(expected);
  });

  it('ends before a segment of marks alone, below LSN 1, whose file may be gone', () => {
    expect(chainOf([linked(2, 1, 0), linked(3, 2, 7)])).toMatchObject({ closed: [{ number: 2 }] });
  });

  it.each([
    [5, [2]],
    [4, [1, 2]],
    [0, [2]],
  ])('goes on to where open spans begin, whichever LINK says so: LSN %d', (openLsn, expected) => {
    const by3 = [ONE, TWO, linked(3, 2, 9, {}, { openLsn })];
    expect(numbers(chainOf(by3, 7).closed)).toEqual(expected);
    const by2 = [ONE, linked(2, 1, 4, {}, { openLsn }), THREE];
    expect(numbers(chainOf(by2, 7).closed)).toEqual(expected);
    // One that begins above the mark does not raise it.
    expect(numbers(chainOf([ONE, TWO, linked(3, 2, 9, {}, { openLsn: 9 })], 7).closed)).toEqual([2]);
    expect(numbers(chainOf([ONE, TWO, linked(3, 2, 9, {}, { openLsn: 9 })], 4).closed)).toEqual([1, 2]);
  });

  it.each<[RegExp, SegmentFile | undefined]>([
    [/is missing/, undefined],
    [/damaged first block/, damaged(2)],
    [/belongs to another log/, linked(2, 1, 4, { logId: new Uint8Array(16).fill(200).fill(1, 15) })],
    [/is another file than the one/, linked(2, 1, 4, { salt: saltOf(2).fill(1, 15) })],
    [/damaged first group/, spare(2)],
    [/was cut to 5001 of 5002 bytes/, linked(2, 1, 4, { fileBytes: 5001 })],
  ])('is refused with %s', (message, two) => {
    const error = refusal([ONE, ...(two ? [two] : []), THREE]);
    expect(error.message).toMatch(message);
    expect(error.message).toContain('Segment 2, which ends with LSN 9');
    expect(error.details).toEqual({ file: THREE.name, lastGoodLsn: 9, firstGoodLsnAfter: 10 });
  });

  it('goes on over a file that ends where its successor says', () => {
    const two = linked(2, 1, 4, { fileBytes: 5002 });
    expect(numbers(chainOf([ONE, two, THREE]).closed)).toEqual([1, 2]);
  });

  it('is refused where a LINK contradicts itself', () => {
    const firstLsn = refusal([ONE, TWO, linked(3, 2, 9, { firstLsn: 11 })]);
    expect(firstLsn.message).toMatch(/two last LSNs/);
    expect(firstLsn.details).toEqual({ file: THREE.name });
    expect(refusal([ONE, TWO, linked(3, 2, 9, { firstLsn: 8 })]).message).toMatch(/two last LSNs/);
    const itself = linked(3, 3, 9);
    expect(refusal([ONE, TWO, itself]).message).toMatch(/names a later segment/);
    expect(refusal([ONE, linked(2, 3, 4), THREE]).message).toMatch(/names a later segment/);
    const unsalted = linked(3, 2, 9, {}, { predecessorSalt: undefined });
    expect(refusal([ONE, TWO, unsalted]).message).toMatch(/is another file/);
  });
});

describe('a file that is not on the chain', () => {
  // 1, 3, 5 and 7 are the log, of epochs 1, 1, 2 and 3.
  const LOG = [
    linked(1, 0, 0),
    linked(3, 1, 4),
    linked(5, 3, 9, { epoch: 2 }),
    linked(7, 5, 12, { epoch: 3 }),
  ];
  const withFile = (file: SegmentFile): SegmentFile[] =>
    [...LOG, file].toSorted((a, b) => a.number - b.number);

  it.each<[string, SegmentFile]>([
    ['a spare', spare(8, { epoch: 3 })],
    ['an older spare', spare(4)],
    ['what a later opening logged again', linked(4, 3, 9)],
    ['the same, though it is shortened', linked(6, 5, 12, { epoch: 2, fileBytes: 5000 })],
    ['one that was put aside, whatever its state', damaged(4, { asideEpoch: 3 })],
  ])('is left over: %s', (_, file) => {
    const { closed, leftovers } = chainOf(withFile(file));
    expect(numbers(closed)).toEqual([1, 3, 5]);
    expect(leftovers).toEqual([file]);
  });

  it('does not matter when it is older than all that the log needs', () => {
    const files = withFile(damaged(2));
    expect(numbers(chainOf(files, 5).closed)).toEqual([3, 5]);
    expect(refusal(files, 4).details).toEqual({ file: damaged(2).name, offset: 0 });
  });

  it.each<[RegExp, SegmentFile, object]>([
    [/first block .* is damaged/, damaged(4), { file: damaged(4).name, offset: 0 }],
    [/first block .* is damaged/, damaged(8), { file: damaged(8).name, offset: 0 }],
    [/first block .* is damaged/, damaged(8, { asideEpoch: 4 }), { file: damaged(8).name, offset: 0 }],
    [
      /belongs to another log than 0*7\.wal/,
      spare(8, { logId: new Uint8Array(16).fill(200).fill(1, 0, 1) }),
      { file: spare(8).name },
    ],
    [
      /was cut to 65535 of 65536 bytes/,
      spare(8, { fileBytes: 65_535 }),
      { file: spare(8).name, offset: 65_535, evidence: 'the size of the file' },
    ],
    [
      /opened for the 4th time/,
      spare(8, { epoch: 4 }),
      { file: spare(8).name, expectedLsn: 13, evidence: `epoch 4 in ${spare(8).name}` },
    ],
    [/two writers/, linked(6, 5, 12, { epoch: 3 }), { file: spare(6).name, expectedLsn: 13 }],
    [/two writers/, linked(4, 3, 9, { epoch: 3 }), { file: spare(4).name, expectedLsn: 10 }],
  ])('is refused with %s', (message, file, details) => {
    const error = refusal(withFile(file));
    expect(error.message).toMatch(message);
    expect(error.details).toEqual(details);
  });

  it('is the work of a second writer when only a segment before it is of a later epoch', () => {
    const log = [linked(1, 0, 0, { epoch: 3 }), linked(5, 1, 9, { epoch: 2 })];
    const file = linked(3, 1, 4, { epoch: 2 });
    expect(refusal([log[0], file, log[1]].map((one) => must(one))).message).toMatch(/two writers/);
  });
});
