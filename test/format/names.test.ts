/** names: file names lead back to what they were made of, and names that were made of nothing to nothing. */
import { expect, it } from 'vitest';
import { isCursorName, parseCursorFileName, preparedCursorName } from '../../dist/src/format/cursor-slot.js';
import { asideName, parseAsideName, segmentName } from '../../dist/src/format/segment-header.js';

it('a segment that was put aside keeps its name, and tells by which opening', () => {
  for (const epoch of [1, 10, 4_294_967_295])
    expect(parseAsideName(asideName(segmentName(7), epoch))).toEqual({ segment: segmentName(7), epoch });
  for (const name of [
    segmentName(7),
    asideName('7.wal', 1),
    `${segmentName(7)}.lost-`,
    `x${asideName(segmentName(7), 1)}`,
  ])
    expect(parseAsideName(name)).toBeUndefined();
  expect(parseAsideName(`${asideName(segmentName(7), 1)}x`)).toBeUndefined();
  expect(parseAsideName(`${segmentName(7)}.lost-12345678901`)).toBeUndefined();
});

it('the file of a cursor tells its name, and whether it is under preparation', () => {
  expect(parseCursorFileName('a.b-c_1.cursor')).toEqual({ name: 'a.b-c_1', isPrepared: false });
  expect(parseCursorFileName(preparedCursorName('backup'))).toEqual({ name: 'backup', isPrepared: true });
  const long = 'n'.repeat(64);
  expect(parseCursorFileName(`${long}.cursor`)).toEqual({ name: long, isPrepared: false });
  for (const name of [
    '.cursor',
    `${long}n.cursor`,
    'a/b.cursor',
    'a.cursor.old',
    'a.cursors',
    segmentName(1),
  ])
    expect(parseCursorFileName(name)).toBeUndefined();
});

it('a name that could be none of a file is none of a cursor', () => {
  for (const name of ['', 'a/b', 'n'.repeat(65), 'ü', 7, undefined, { toString: () => 'a' }])
    expect(isCursorName(name)).toBe(false);
  expect(isCursorName('n'.repeat(64))).toBe(true);
});
