/** decoder-fuzz: a seeded share of the layer, and decoders with bugs, which it must catch. */
import { afterEach, expect, it, vi } from 'vitest';
import type { Layer } from '../full/layer.js';
import { layer } from './decoder-fuzz.js';

const run = (tried: Layer, share: number) =>
  tried.run({ part: 0, parts: 1, share, seed: 1, progress: () => {} });

const BODIES = '../../dist/src/format/group-body.js';
const RECORDS = '../../dist/src/segment/records.js';

async function layerWith(module: string, change: (real: object) => object): Promise<Layer> {
  vi.resetModules();
  vi.doMock(module, async (importActual) => change(await importActual()));
  return (await import('./decoder-fuzz.js')).layer;
}

afterEach(() => {
  vi.doUnmock(BODIES);
  vi.doUnmock(RECORDS);
});

// Classes 7, 64: lengths and counts that lie, behind checksums that are right.
it('forged input gets an answer or an error with a code, and neither memory nor time beyond its size', async () => {
  const share = 0.004;
  const figures = await run(layer, share);
  console.log(`decoder fuzz: ${JSON.stringify(figures)}`);
  for (const [what, target] of Object.entries(layer.targets))
    expect(figures[what], what).toBeGreaterThanOrEqual(Math.floor(share * target));
}, 60_000);

it('a decoder that allocates what a count says is caught', async () => {
  const broken = await layerWith(BODIES, (real) => ({
    ...real,
    decodeSeal: (bytes: Uint8Array) => {
      if (bytes.length < 28) return undefined;
      const entries = new DataView(bytes.buffer, bytes.byteOffset).getUint32(24, true);
      return new Uint8Array(16 * Math.min(entries, 2 ** 22));
    },
  }));
  await expect(run(broken, 0.001)).rejects.toThrow(/bytes were allocated/);
}, 60_000);

it('a decoder that believes a length, and reads beyond the end, is caught', async () => {
  const broken = await layerWith(RECORDS, (real) => ({
    ...real,
    walkRecords: (body: Uint8Array, count: number) => {
      const view = new DataView(body.buffer, body.byteOffset, body.length);
      let at = 0;
      for (let i = 0; i < count; i++) at += 8 + view.getUint32(at, true);
    },
  }));
  await expect(run(broken, 0.001)).rejects.toThrow(/RangeError/);
}, 60_000);

it('a decoder whose work grows by the square of its input is caught', async () => {
  const broken = await layerWith(BODIES, (real) => ({
    ...real,
    decodeSeal: (bytes: Uint8Array) => {
      let sum = 0;
      for (let at = 0; at < bytes.length; at += 16)
        for (let other = 0; other < bytes.length; other += 256) sum += bytes[other] ?? 0;
      return sum;
    },
  }));
  await expect(run(broken, 0.0001)).rejects.toThrow(/entries of a SEAL.*more than/);
}, 60_000);
