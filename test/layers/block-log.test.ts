/** block-log: a share of the layer, and that it sees a log which acknowledges before its sync. Where it can run. */
import { describe, expect, it } from 'vitest';
import { testSeed } from '../support/prng.js';
import { layer, runLives } from './block-log.js';

const lacking = layer.lacking?.() ?? {};
const patience = { timeout: 180_000 };
/** One life. */
const task = { part: 0, parts: 1, share: 1 / 30, progress: () => {} };

describe.skipIf(lacking.all === undefined)('where blocks cannot be logged', () => {
  it('says what is missing', () => {
    expect(lacking.all).toMatch(/root|installed|Linux|compiler|loop|fuse/);
  });
});

describe.skipIf(lacking.all !== undefined)('where blocks can be logged', () => {
  it('opens images from all times of a life, and loses nothing', patience, async () => {
    expect(await runLives({ ...task, seed: testSeed(1) }, 20)).toEqual({ images: 20 });
  });

  it('catches a log that acknowledges before the sync, within a few lives', patience, async () => {
    const lives = async () => {
      for (let life = 0; life < 5; life++) await runLives({ ...task, seed: testSeed(2) + life }, 60, true);
    };
    await expect(lives()).rejects.toThrow(/W2: .* was acknowledged, and is lost[\s\S]*image \d+: flush/);
  });
});
