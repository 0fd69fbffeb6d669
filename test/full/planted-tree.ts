/**
 * planted-tree: the package and the layers built anew, and bugs planted into that package, so that any layer can be run
 * against them, unchanged: nothing in the code under test knows of bugs.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../support/compile.js';

/** The repository: this module runs from dist-test/full, or from test/full. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One change to a built file. */
export interface Edit {
  /** Relative to dist/. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Code at the beginning of a function, which `head` opens. */
export const atBeginningOf = (file: string, head: string, code: string): Edit => ({
  ...{ file, find: head },
  replace: `${head} ${code}`,
});

export class PlantedTree {
  readonly #path = mkdtempSync(join(tmpdir(), 'ringwal-planted-'));

  constructor() {
    try {
      compile('tsconfig.json', '--outDir', join(this.#path, 'dist'));
      compile('test/tsconfig.full.json', '--outDir', join(this.#path, 'dist-test'));
      for (const name of ['package.json', 'test/fixtures', 'test/golden'])
        cpSync(join(ROOT, name), join(this.#path, name), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules'), join(this.#path, 'node_modules'));
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** The path of its job.js. */
  get job(): string {
    return join(this.#path, 'dist-test/full/job.js');
  }

  /**
   * Has `task` run while the bug is planted, one at a time. Throws when an edit does not fit: then the code has changed,
   * and the bug must be planted anew.
   */
  async planted<T>(edits: readonly Edit[], task: () => Promise<T>): Promise<T> {
    const sound = new Map<string, string>();
    try {
      for (const { file, find, replace } of edits) {
        const path = join(this.#path, 'dist', file);
        const text = readFileSync(path, 'utf8');
        const parts = text.split(find);
        if (parts.length !== 2)
          throw new Error(`"${find}" is ${parts.length - 1} times in ${file}, not once: plant the bug anew`);
        if (!sound.has(path)) sound.set(path, text);
        writeFileSync(path, parts.join(replace));
      }
      return await task();
    } finally {
      for (const [path, text] of sound) writeFileSync(path, text);
    }
  }

  remove(): void {
    rmSync(this.#path, { recursive: true, force: true });
  }
}
