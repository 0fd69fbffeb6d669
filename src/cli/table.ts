/** table: rows of text in columns. */
import { stripVTControlCharacters } from 'node:util';
import { paint } from './colours.js';
import type { CliIo } from './io.js';

export interface Column {
  readonly title: string;
  /** Default left; numbers go right. */
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** Lines of a table with a heading; cells may be coloured already. Ends with a newline. */
export function table(
  io: Pick<CliIo, 'hasColour'>,
  columns: readonly Column[],
  rows: readonly string[][],
): string {
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...rows.map((row) => width(row[i] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => {
        const space = ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(cell)));
        return columns[i]?.align === 'right' ? space + cell : cell + space;
      })
      .join(GAP)
      .trimEnd();
  const heading = paint(io, 'bold', line(columns.map(({ title }) => title)));
  return `${[heading, ...rows.map(line)].join('\n')}\n`;
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
