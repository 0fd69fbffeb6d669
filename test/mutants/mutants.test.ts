/** mutants.test: the sound package passes what mutants must not, well-known mutants do not, and explanations are of mutants that exist. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EXPLAINED } from './explained.js';
import { MutantTree } from './mutant-tree.js';
import { FOLDERS, nameOf } from './mutants.js';

let tree: MutantTree;
beforeAll(async () => {
  tree = await MutantTree.make();
}, 120_000);
afterAll(() => tree?.remove());

it('there are mutants of every folder, each where its source says', () => {
  for (const folder of FOLDERS)
    expect(tree.mutants.filter((mutant) => mutant.folder === folder).length, folder).toBeGreaterThan(250);
  for (const { file, line, source } of tree.mutants) expect(source, `${file}:${line}`).not.toBe('');
});

it('every explanation is of a mutant that there is', () => {
  const names = new Set(tree.mutants.map(nameOf));
  expect(EXPLAINED.filter((one) => !names.has(nameOf(one)))).toEqual([]);
});

it('the package without a mutant passes the probes', { timeout: 120_000 }, async () => {
  expect(await tree.meet(undefined, 'format', ['probes'])).toEqual({ outcome: 'survived' });
});

it.each([
  ['src/segment/segment-cursor.ts', 'checksum(body, this.#key.seed) !== header.bodyChecksum', '(false)'],
  ['src/ring/consumer.ts', 'published === this.#taken', '(published !== this.#taken)'],
  [
    'src/format/group-header.ts',
    'view.getUint32(offset, true) !== GROUP_MAGIC',
    '(view.getUint32(offset, true) === GROUP_MAGIC)',
  ],
])(
  'a mutant in %s, %s -> %s, is killed by the probes',
  { timeout: 120_000 },
  async (file, original, replacement) => {
    const mutant = tree.mutants.find(
      (one) => one.file === file && one.original === original && one.replacement === replacement,
    );
    expect(mutant).toBeDefined();
    const { outcome } = await tree.meet(mutant, mutant?.folder ?? 'format', ['probes']);
    expect(outcome).toBe('killed');
  },
);
