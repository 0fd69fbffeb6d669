/** failing-sync: a share of the layer, and that it catches logs that acknowledge too early. All of it where it can run. */
import { expect, it } from 'vitest';
import { layer, runCalls, runInterrupted, runThinImages } from './failing-sync.js';

const lacking = layer.lacking?.() ?? {};
const task = (share: number, seed = 3) => ({ part: 0, parts: 1, share, seed, progress: () => {} });
const patience = { timeout: 90_000 };

/** Every target that can be tried here has its share, and only those. */
function expectShare(figures: Readonly<Record<string, number>>, names: RegExp, share: number): void {
  console.log(`failing-sync: ${JSON.stringify({ ...figures, lacking })}`);
  for (const [name, target] of Object.entries(layer.targets)) {
    if (!names.test(name)) continue;
    if (lacking.all !== undefined || lacking[name] !== undefined) expect(figures[name] ?? 0).toBe(0);
    else expect(figures[name], name).toBeGreaterThanOrEqual(Math.ceil(target * share));
  }
}

// Classes 14, 21, 22, 23, 25, 26, 27: real errnos, short writes, syncs that drop what was written.
it('calls that fail lose nothing acknowledged', patience, async () => {
  expectShare(await runCalls(task(0.006)), /failed|opened/, 0.006);
});

// Classes 14, 22 and 26: pages that only the cache has, after a sync that failed in earnest.
it('a disk that runs out under its file system loses nothing acknowledged', patience, async () => {
  expectShare(await runThinImages(task(0.03)), /thin/, 0.03);
});

// Class 23.
it('calls that are interrupted are made again', patience, async () => {
  expectShare(await runInterrupted(task(0.025)), /interrupted/, 0.025);
});

it.skipIf(lacking['calls that failed'] !== undefined)(
  'catches a log that acknowledges what is only written, when a sync drops it',
  patience,
  async () => {
    // In a new log this one is the first that a group's records wait for.
    const calls = [{ name: 'sync', modes: ['dropped'], least: 7, most: 7 }] as const;
    await expect(runCalls(task(0.003), { isEarly: true, isNew: true, calls })).rejects.toThrow(
      /acknowledged, and is lost/,
    );
  },
);

it.skipIf(lacking['thin images that ran out'] !== undefined)(
  'catches a log that does not sync, when the disk runs out',
  patience,
  async () => {
    await expect(runThinImages(task(0.1), { isUnsynced: true })).rejects.toThrow(
      /acknowledged, and is lost|RINGWAL_CORRUPT/,
    );
  },
);
