/** table: figures as rows and columns, for eyes that want the number and for programs that read a page. */
import { escapeText } from './formats.js';

export interface Table {
  readonly caption: string;
  readonly head: readonly string[];
  /** Index of the first column of numbers. */
  readonly numbersFrom: number;
  readonly rows: readonly (readonly string[])[];
  /** Rows of ringwal. */
  readonly isOwn: (row: readonly string[]) => boolean;
}

export function table({ caption, head, numbersFrom, rows, isOwn }: Table): string {
  const kind = (i: number): string => (i >= numbersFrom ? ' class="n"' : '');
  const headCells = head.map((title, i) => `<th scope="col"${kind(i)}>${escapeText(title)}</th>`);
  const bodyRows = rows.map((row) => {
    const cells = row.map((text, i) =>
      i === 0 ? `<th scope="row">${escapeText(text)}</th>` : `<td${kind(i)}>${escapeText(text)}</td>`,
    );
    return `<tr${isOwn(row) ? ' class="own"' : ''}>${cells.join('')}</tr>`;
  });
  return `<div class="wide" tabindex="0" role="region" aria-label="${escapeText(caption)}"><table><caption>${escapeText(caption)}</caption><thead><tr>${headCells.join('')}</tr></thead><tbody>${bodyRows.join('')}</tbody></table></div>`;
}

export function foldedTable(content: Table, fileName: string): string {
  return `<details class="numbers"><summary>All numbers <span>${content.rows.length} rows</span></summary>${table(content)}<button type="button" class="plain" data-csv="${escapeText(fileName)}">Save as CSV</button></details>`;
}
