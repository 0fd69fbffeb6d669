/** decoder-fuzz: a seeded share of the layer, and decoders with bugs, which it must catch. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { atBeginningOf, type Edit, PlantedTree } from '../full/planted-tree.js';
import { layer } from './decoder-fuzz.js';
import { mustBeCaught } from './planted-bugs.js';

let tree: PlantedTree;
beforeAll(() => {
  tree = new PlantedTree();
});
afterAll(() => tree.remove());

// Classes 7, 64: lengths and counts that lie, behind checksums that are right.
it('forged input gets an answer or an error with a code, and neither memory nor time beyond its size', async () => {
  const share = 0.004;
  const figures = await layer.run({ part: 0, parts: 1, share, seed: 1, progress: () => {} });
  console.log(`decoder fuzz: ${JSON.stringify(figures)}`);
  for (const [what, target] of Object.entries(layer.targets))
    expect(figures[what], what).toBeGreaterThanOrEqual(Math.floor(share * target));
}, 60_000);

const decodeSeal = (code: string): Edit[] => [
  atBeginningOf('src/format/group-body.js', 'export function decodeSeal(bytes) {', code),
];

it.each<[bug: string, edits: Edit[], share: number, complaint: RegExp]>([
  [
    'a decoder that allocates what a count says',
    decodeSeal(`if (bytes.length < 28) return undefined;
      const claimed = new DataView(bytes.buffer, bytes.byteOffset).getUint32(24, true);
      return new Uint8Array(16 * Math.min(claimed, 2 ** 22));`),
    0.001,
    /bytes were allocated/,
  ],
  [
    'a decoder that believes a length, and reads beyond the end,',
    [
      atBeginningOf(
        'src/segment/records.js',
        'export function walkRecords(body, count, firstLsn, onRecord) {',
        `const words = new DataView(body.buffer, body.byteOffset, body.length);
         for (let i = 0, to = 0; i < count; i++) to += 8 + words.getUint32(to, true);
         return undefined;`,
      ),
    ],
    0.001,
    /RangeError/,
  ],
  [
    'a decoder whose work grows by the square of its input',
    decodeSeal(`let sum = 0;
      for (let at = 0; at < bytes.length; at += 16)
        for (let other = 0; other < bytes.length; other += 256) sum += bytes[other] ?? 0;
      return sum;`),
    0.0001,
    /entries of a SEAL.*more than/,
  ],
])(
  '%s is caught',
  async (name, edits, share, complaint) => {
    expect(await mustBeCaught({ name, edits, layer: 'decoder-fuzz', share }, tree, 1)).toMatch(complaint);
  },
  60_000,
);
