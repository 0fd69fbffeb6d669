/** table: figures as rows and columns, for eyes that want the number and for programs that read a page. */
import { escapeText } from './formats.js';

/** A cell that is a number, or several: as text, and as values for a file; a title likewise with those of its columns. */
export interface Numbers {
  readonly text: string;
  readonly values: readonly (string | number)[];
}

export interface Table {
  readonly caption: string;
  readonly head: readonly (string | Numbers)[];
  /** Index of the first column of numbers. */
  readonly numbersFrom: number;
  readonly rows: readonly (readonly (string | Numbers)[])[];
  /** Rows of ringwal. */
  readonly isOwn: (row: readonly (string | Numbers)[]) => boolean;
}

export function table({ caption, head, numbersFrom, rows, isOwn }: Table): string {
  const kind = (i: number): string => (i >= numbersFrom ? ' class="n"' : '');
  const headCells = head.map(
    (title, i) => `<th scope="col"${kind(i)}${valuesOf(title)}>${textOf(title)}</th>`,
  );
  const bodyRows = rows.map((row) => {
    const cells = row.map((cell, i) =>
      i === 0
        ? `<th scope="row">${textOf(cell)}</th>`
        : `<td${kind(i)}${valuesOf(cell)}>${textOf(cell)}</td>`,
    );
    return `<tr${isOwn(row) ? ' class="own"' : ''}>${cells.join('')}</tr>`;
  });
  return `<div class="wide" tabindex="0" role="region" aria-label="${escapeText(caption)}"><table><caption>${escapeText(caption)}</caption><thead><tr>${headCells.join('')}</tr></thead><tbody>${bodyRows.join('')}</tbody></table></div>`;
}

function textOf(cell: string | Numbers): string {
  return escapeText(typeof cell === 'string' ? cell : cell.text);
}

/** What the page writes into a file, in place of the text: client.ts. */
function valuesOf(cell: string | Numbers): string {
  return typeof cell === 'string' ? '' : ` data-values="${escapeText(cell.values.join('|'))}"`;
}

export function foldedTable(content: Table, fileName: string, title = 'All numbers'): string {
  return `<details class="numbers"><summary>${escapeText(title)} <span>${content.rows.length} rows</span></summary>${table(content)}<button type="button" class="plain" data-csv="${escapeText(fileName)}">Save as CSV</button></details>`;
}
