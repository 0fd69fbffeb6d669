/** io-errors: a seeded share of the layer, and bugs planted in the engine, which it must catch. */
import { expect, it, vi } from 'vitest';
import { LogState } from '../../dist/src/ring/log-state.js';
import { SegmentWriter } from '../../dist/src/segment/segment-writer.js';
import { SimFile } from '../support/sim-file.js';
import { IO_WORKLOADS } from './io-error-workloads.js';
import { layer } from './io-errors.js';

const run = (share: number, seed = 1) => layer.run({ part: 0, parts: 1, share, seed, progress: () => {} });

// Classes 13, 16, 21, 25, 26, 27, 42, 50: what is acknowledged, refused, retried and read, at whichever call fails.
it('whichever call to the storage fails, nothing acknowledged is lost, and the log says why it ended', async () => {
  expect(IO_WORKLOADS).toHaveLength(24);
  const figures = await run(0.003);
  console.log(`io errors: ${JSON.stringify(figures)}`);
  for (const [what, target] of Object.entries(layer.targets))
    expect(figures[what], what).toBeGreaterThanOrEqual(0.9 * 0.003 * target);
}, 60_000);

it('a failed sync that is ignored is caught', async () => {
  const { sync } = SegmentWriter.prototype;
  vi.spyOn(SegmentWriter.prototype, 'sync').mockImplementation(function (this: SegmentWriter) {
    try {
      sync.call(this);
    } catch {}
  });
  await expect(run(0.01)).rejects.toThrow(/fails with E/);
}, 60_000);

it('a log that is not poisoned by a failed write is caught', async () => {
  vi.spyOn(LogState.prototype, 'poison').mockImplementation(() => {});
  await expect(run(0.01)).rejects.toThrow(/not with its first errno/);
}, 60_000);

it('a read error that is taken for the end of the log is caught', async () => {
  const { read } = SimFile.prototype;
  vi.spyOn(SimFile.prototype, 'read').mockImplementation(function (this: SimFile, into, position) {
    return read.call(this, into, position).catch(() => 0);
  });
  await expect(run(0.05)).rejects.toThrow(/read .* fails with E/);
}, 60_000);
