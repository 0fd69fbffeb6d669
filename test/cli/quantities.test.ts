/** quantities: sizes, counts and durations in words, and a table of them. */
import { expect, it } from 'vitest';
import { paint } from '../../dist/src/cli/colours.js';
import { line } from '../../dist/src/cli/progress-bar.js';
import { counted, inBytes, inTime, inWords } from '../../dist/src/cli/quantities.js';
import { table } from '../../dist/src/cli/table.js';

it('tells sizes', () => {
  expect([0, 999, 1000, 1536, 100 * 1024, 1024 ** 2, 64 * 1024 ** 2, 3.25 * 1024 ** 3].map(inBytes)).toEqual([
    '0 B',
    '999 B',
    '1 KiB',
    '1.5 KiB',
    '100 KiB',
    '1 MiB',
    '64 MiB',
    '3.3 GiB',
  ]);
});

it('tells counts', () => {
  expect([0, 999, 1000, 1_234_567].map(inWords)).toEqual(['0', '999', '1 000', '1 234 567']);
  expect([counted(1, 'record'), counted(2000, 'record')]).toEqual(['1 record', '2 000 records']);
});

it('tells durations', () => {
  const ms = [-5, 0.34, 4.2, 420, 1500, 59_000, 200_000, 3600_000, 5 * 3600_000 + 180_000, 100 * 3600_000];
  expect(ms.map(inTime)).toEqual([
    '0 ms',
    '340 us',
    '4.2 ms',
    '420 ms',
    '1.5 s',
    '59 s',
    '3 min 20 s',
    '1 h',
    '5 h 3 min',
    '4 d 4 h',
  ]);
});

it('draws columns, numbers to the right, whatever is coloured in them', () => {
  const columns = [{ title: 'name' }, { title: 'n', align: 'right' }] as const;
  expect(
    table({ hasColour: false }, columns, [
      ['a', '1'],
      ['long name', '100'],
    ]),
  ).toBe('name         n\na            1\nlong name  100\n');
  const red = paint({ hasColour: true }, 'red', 'a');
  expect(red).toBe('\u001b[31ma\u001b[39m');
  expect(
    table({ hasColour: true }, columns, [
      [red, '1'],
      ['long name', '100'],
    ]),
  ).toContain(`${red}            1\n`);
});

it('draws how far work is, with its rate and the time left', () => {
  expect(line('verifying', 0, 3 * 1024 ** 2, 0, 0)).toBe(
    `verifying  [${' '.repeat(30)}]  0 %  0 B of 3 MiB  `,
  );
  expect(line('verifying', 1024 ** 2, 3 * 1024 ** 2, 1 / 3, 1000)).toBe(
    `verifying  [${'='.repeat(10)}${' '.repeat(20)}]  33 %  1 MiB of 3 MiB  1 MiB/s  2 s left`,
  );
});
