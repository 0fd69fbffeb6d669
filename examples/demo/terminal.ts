/** terminal: the demo's looks: progress on stderr, the table on stdout, colours only where they are wanted. */
import { styleText } from 'node:util';

const isColoured = process.stdout.isTTY === true && !process.env.NO_COLOR;

export function styled(style: 'bold' | 'dim' | 'green' | 'red' | 'cyan', text: string): string {
  return isColoured ? styleText(style, text) : text;
}

/** Replaces the progress line; on a stderr that is no terminal, adds one. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${text}`);
  else if (text !== '') process.stderr.write(`${text}\n`);
}

export function say(text: string): void {
  progress('');
  process.stdout.write(`${text}\n`);
}

/** Prints rows under a head, columns aligned to the right, the first to the left. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('   ');
  say(styled('dim', line(head)));
  for (const row of rows) say(line(row));
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
}
