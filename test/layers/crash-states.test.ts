/** crash-states.test: the share of the layer that `npm test` runs, and that an engine with a mistake does not pass it. */
import { expect, it, vi } from 'vitest';
import { SegmentCursor } from '../../dist/src/segment/segment-cursor.js';
import { SWITCHES } from '../support/crash-switches.js';
import { SimFile } from '../support/sim-file.js';
import { SimStorage } from '../support/sim-storage.js';
import { layer } from './crash-states.js';
import { WORKLOADS } from './crash-workloads/index.js';

it('after a crash at any moment every acknowledged record is there, and nothing that was not appended', {
  timeout: 180_000,
}, async () => {
  const figures = await layer.run({ part: 0, parts: 1, share: 0.0043, seed: 1, progress: () => {} });
  console.log(figures);
  expect(figures.workloads).toBe(WORKLOADS.length);
  expect(figures['crash points']).toBeGreaterThan(2000);
  expect(figures['distinct states']).toBeGreaterThan(20_000);
  expect(figures['nested states']).toBeGreaterThan(4000);
  expect(figures['nested two and three deep']).toBeGreaterThan(1000);
  for (const what of SWITCHES) expect(figures[what], what).toBeGreaterThan(100);
});

const next = SegmentCursor.prototype.next;

it.each<[mistake: string, plant: () => void, complaint: string]>([
  [
    'leaves out the sync of a group',
    () => vi.spyOn(SimFile.prototype, 'syncGroup').mockReturnValue(),
    'crash before change',
  ],
  [
    'leaves out the sync of a new segment',
    () => vi.spyOn(SimFile.prototype, 'sync').mockResolvedValue(),
    'recovery:',
  ],
  [
    'leaves out the sync of the directory',
    () => vi.spyOn(SimStorage.prototype, 'syncDirectory').mockResolvedValue(),
    'is from before the start',
  ],
  [
    'stops reading after a dozen groups',
    () =>
      vi.spyOn(SegmentCursor.prototype, 'next').mockImplementation(function (this: SegmentCursor) {
        return this.nextLsn > 12 ? { kind: 'stop', reason: 'zeros', offset: this.offset } : next.call(this);
      }),
    'O3',
  ],
])('an engine that %s is caught by the least share', { timeout: 60_000 }, async (_, plant, complaint) => {
  plant();
  const task = { part: 0, parts: 1, share: 0.001, seed: 1, progress: () => {} };
  const error: unknown = await layer.run(task).then(
    () => 'nothing was noticed',
    (thrown: unknown) => thrown,
  );
  expect(String(error)).toContain(complaint);
});
