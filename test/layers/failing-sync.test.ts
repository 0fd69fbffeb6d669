/** failing-sync: a share of the layer, and that it catches logs that acknowledge too early. All of it where it can run. */
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { failingLife } from '../support/failing-life.js';
import { compiledLibrary } from '../support/native.js';
import { Prng } from '../support/prng.js';
import { inScratch } from '../support/scratch.js';
import { type Life, Writers } from '../support/writers.js';
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
  expectShare(await runCalls(task(0.005)), /failed|opened/, 0.005);
});

// Classes 14, 22 and 26: pages that only the cache has, after a sync that failed in earnest.
it('a disk that runs out under its file system loses nothing acknowledged', patience, async () => {
  expectShare(await runThinImages(task(0.025)), /thin/, 0.025);
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

/** One life, of which nothing but a single failure is admitted. */
const lifeOn = (path: string, life: Life): Promise<string[]> => {
  const options = { segmentBytes: 65_536, ringBytes: 32_768, syncMode: 'fdatasync' } as const;
  const writers = new Writers(join(path, 'log'), join(path, 'witness'), options, new Prng(1));
  return failingLife(writers, life, { isLasting: false, isHidden: false });
};

it('reports a writer that does not end', patience, async () => {
  await inScratch(async (path) => {
    const endless = lifeOn(path, { end: { by: 'itself' }, limitMs: 800 });
    await expect(endless).rejects.toThrow(/still alive after 800 ms/);
  });
});

it.skipIf(lacking['calls that failed'] !== undefined)(
  'reports appends that are held back where the disk is said to have failed once, and that they give up with a close',
  patience,
  async () => {
    await inScratch(async (path) => {
      // The active segment and its spare are there; no other comes.
      const env = {
        LD_PRELOAD: compiledLibrary('failing-calls'),
        FAIL_DIR: join(path, 'log'),
        FAIL_CALL: 'truncate',
        FAIL_NTH: '3',
        FAIL_ERRNO: `${constants.errno.ENOSPC}`,
        FAIL_MODE: 'sticky',
        FAIL_TRACE: join(path, 'trace'),
      };
      const held = lifeOn(path, { end: { by: 'itself', ops: 1000, isClosed: true }, env });
      await expect(held).rejects.toThrow(/held back, but the disk failed only once: h ENOSPC/);
    });
  },
);
