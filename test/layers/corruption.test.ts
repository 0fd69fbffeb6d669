/** corruption: a seeded share of the layer, and bugs planted in the decoders, which it must catch. */
import { afterEach, expect, it, vi } from 'vitest';
import type { Layer } from '../full/layer.js';
import { layer } from './corruption.js';

const run = (tried: Layer, share: number) =>
  tried.run({ part: 0, parts: 1, share, seed: 1, progress: () => {} });

/** The layer over a package in which one module is another. */
async function layerWith(module: string, change: (real: object) => object): Promise<Layer> {
  vi.resetModules();
  vi.doMock(module, async (importActual) => change(await importActual()));
  return (await import('./corruption.js')).layer;
}

afterEach(() => {
  vi.doUnmock('../../dist/src/format/checksum.js');
  vi.doUnmock('../../dist/src/recovery/verdict.js');
});

// Classes 2, 5, 10, 11, 12, 17: no break is taken for the end, no end for a break, stale groups are never read,
// damage in one segment is not forgotten in the next, missing files are missed, and refusals change nothing.
it('a log with anything damaged gives all its records, or is refused, or lacks only a torn last write', async () => {
  const share = 0.002;
  const figures = await run(layer, share);
  console.log(`corruption: ${JSON.stringify(figures)}`);
  for (const [what, target] of Object.entries(layer.targets))
    expect(figures[what], what).toBeGreaterThanOrEqual(Math.floor(0.9 * share * target));
}, 60_000);

it('checksums that say nothing are caught', async () => {
  const broken = await layerWith('../../dist/src/format/checksum.js', (real) => ({
    ...real,
    checksum: () => 1,
    recordChecksum: () => 1,
    maskedChecksum: () => 1,
  }));
  await expect(run(broken, 0.002)).rejects.toThrow(/has other bytes|in silence|never appended/);
}, 60_000);

it('damage that is taken for a torn write is caught', async () => {
  const broken = await layerWith('../../dist/src/recovery/verdict.js', (real) => ({
    ...real,
    verdictOf: () => 'torn-tail',
  }));
  await expect(run(broken, 0.002)).rejects.toThrow(/lost in silence/);
}, 60_000);
