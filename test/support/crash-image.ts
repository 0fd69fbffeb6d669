/** crash-image: what is on disk of a log at a moment at which it is open and idle, as another directory. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn, tempDir } from './temp-dir.js';

/** The copy of `directory`: what a crash would leave now. Nothing may be appended meanwhile. */
export function crashImage(directory: string): string {
  const copy = tempDir();
  for (const [name, bytes] of stableFiles(directory)) writeFileSync(join(copy, name), bytes);
  return copy;
}

/** Files that the I/O worker removes or renames between the listing and the reading ask for a new listing. */
function stableFiles(directory: string): Map<string, Uint8Array> {
  for (;;) {
    try {
      return filesIn(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
