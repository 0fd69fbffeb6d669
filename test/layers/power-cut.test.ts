/** power-cut: a share of the layer, and that it sees a log which does not sync. All of it where it can run. */
import { describe, expect, it } from 'vitest';
import { ext4 } from '../support/disks.js';
import { Prng, testSeed } from '../support/prng.js';
import type { End } from '../support/writers.js';
import { cuts, layer, onDisk } from './power-cut.js';

const lacking = layer.lacking?.() ?? {};
const patience = { timeout: 180_000 };
const small = ext4(1024, 'writeback');

describe.skipIf(lacking.all === undefined)('where power cannot be cut', () => {
  it('says what is missing', () => {
    expect(lacking.all).toMatch(/root|installed|Linux|compiler|loop/);
  });
});

describe.skipIf(lacking.all !== undefined)('where power can be cut', () => {
  // class 4: with data=writeback a file may be longer than what was written to it
  it('keeps what was acknowledged before the cut', patience, async () => {
    const seed = testSeed(1);
    await onDisk(small, 1, async (disk) => {
      const writers = await cuts(disk, new Prng(seed), 3, 'log');
      expect(writers.lives).toBe(4);
    });
  });

  // class 33: close that does not sync
  it('keeps everything when the power goes right after close has resolved', patience, async () => {
    await onDisk(small, 1, async (disk) => {
      const closing = (prng: Prng): End => ({ by: 'listener', ops: prng.between(1, 40), isClosed: true });
      await cuts(disk, new Prng(testSeed(2)), 2, 'log', ['fdatasync', 'direct'], closing);
    });
  });

  // class 18: a crash during recovery, again and again
  it('recovers after any number of cuts during recovery', patience, async () => {
    await onDisk(small, 1, async (disk) => {
      const opening = (prng: Prng): End => ({ by: 'listener', ms: prng.below(30) });
      await cuts(disk, new Prng(testSeed(3)), 3, 'log', ['fdatasync'], opening);
    });
  });

  // class 14: what opening found in the page cache of a dead process is returned, so it must be on disk by then
  it('has made durable what opening returned', patience, async () => {
    await onDisk(ext4(4096, 'ordered'), 1, async (disk) => {
      let life = 0;
      const end = (prng: Prng): End =>
        life++ % 2 === 0
          ? { by: 'kill', acks: prng.between(5, 60), spinMs: prng.below(1000) / 1000 }
          : { by: 'listener', ops: 0 };
      await cuts(disk, new Prng(testSeed(4)), 4, 'log', ['fdatasync'], end);
    });
  });

  it.each([
    ['that acknowledges before the sync', 'fdatasync', { isEarly: true }],
    ['that does not sync', 'none', {}],
  ] as const)('catches a log %s, within a few cuts', patience, async (_, mode, fault) => {
    await onDisk(small, 1, async (disk) => {
      const working = (prng: Prng): End => ({ by: 'listener', acks: prng.between(20, 60), ...fault });
      await expect(cuts(disk, new Prng(testSeed(5)), 5, 'log', [mode], working)).rejects.toThrow(
        // Without any sync, the whole log may be missing, which opening refuses.
        /(W2: .* was acknowledged, and is lost|RINGWAL_CORRUPT)[\s\S]*life 0: seed/,
      );
    });
  });
});
