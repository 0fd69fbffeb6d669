/**
 * planted-tree: a copy of the built package and of the layers with a bug planted into the package, so that any layer can
 * be run against it, unchanged: nothing in the code under test knows of bugs.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository: this module runs from dist-test/full. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** One change to a built file. */
export interface Edit {
  /** Relative to dist/. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface PlantedTree {
  /** The path of its job.js. */
  readonly job: string;
  remove(): void;
}

/** Throws when an edit does not fit: then the code has changed, and the bug must be planted anew. */
export function plant(edits: readonly Edit[]): PlantedTree {
  const tree = mkdtempSync(join(tmpdir(), 'ringwal-planted-'));
  try {
    for (const name of ['dist', 'dist-test', 'package.json', 'test/fixtures', 'test/golden'])
      cpSync(join(ROOT, name), join(tree, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
    for (const { file, find, replace } of edits) {
      const path = join(tree, 'dist', file);
      const parts = readFileSync(path, 'utf8').split(find);
      if (parts.length !== 2)
        throw new Error(`"${find}" is ${parts.length - 1} times in ${file}, not once: plant the bug anew`);
      writeFileSync(path, parts.join(replace));
    }
  } catch (error) {
    rmSync(tree, { recursive: true, force: true });
    throw error;
  }
  return {
    job: join(tree, 'dist-test/full/job.js'),
    remove: () => rmSync(tree, { recursive: true, force: true }),
  };
}
