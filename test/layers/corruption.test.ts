/** corruption: a seeded share of the layer, and bugs planted in the decoders, which it must catch. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { atBeginningOf, type Edit, PlantedTree } from '../full/planted-tree.js';
import { layer } from './corruption.js';
import { mustBeCaught } from './planted-bugs.js';

let tree: PlantedTree;
beforeAll(() => {
  tree = new PlantedTree();
});
afterAll(() => tree.remove());

// Classes 2, 5, 10, 11, 12, 17: no break is taken for the end, no end for a break, stale groups are never read,
// damage in one segment is not forgotten in the next, missing files are missed, and refusals change nothing.
it('a log with anything damaged gives all its records, or is refused, or lacks only a torn last write', async () => {
  const share = 0.002;
  const figures = await layer.run({ part: 0, parts: 1, share, seed: 1, progress: () => {} });
  console.log(`corruption: ${JSON.stringify(figures)}`);
  for (const [what, target] of Object.entries(layer.targets))
    expect(figures[what], what).toBeGreaterThanOrEqual(Math.floor(0.9 * share * target));
}, 60_000);

const CHECKSUM = 'src/format/checksum.js';
const FUNCTIONS = ['recordChecksum(payload) {', 'maskedChecksum(sum) {', 'checksum(bytes, seed) {'];

it.each<[bug: string, edits: Edit[], complaint: RegExp]>([
  [
    'an engine whose checksums say nothing',
    FUNCTIONS.map((head) => atBeginningOf(CHECKSUM, `export function ${head}`, 'return 1;')),
    /has other bytes|in silence|never appended/,
  ],
  [
    'an engine that takes damage for a torn write',
    [
      atBeginningOf(
        'src/recovery/verdict.js',
        'export function verdictOf(reason, proofBehind, falseEnd, isCut) {',
        "return 'torn-tail';",
      ),
    ],
    /lost in silence/,
  ],
])(
  '%s is caught',
  async (name, edits, complaint) => {
    expect(await mustBeCaught({ name, edits, layer: 'corruption', share: 0.002 }, tree, 1)).toMatch(
      complaint,
    );
  },
  60_000,
);
