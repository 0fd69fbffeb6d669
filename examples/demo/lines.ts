/** lines: the lines of a text file, which become the records. */
import { readFile } from 'node:fs/promises';

/** Without their line feeds; the last one need not have any. Throws when there is none. */
export async function linesOf(path: string): Promise<string[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw new Error('there is no line in it');
  return lines;
}
