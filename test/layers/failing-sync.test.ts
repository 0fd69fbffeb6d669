/** failing-sync: a seeded share of the layer, where a C compiler is, and a writer that acknowledges too early. */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { lackedHere, layer, runFailingSync } from './failing-sync.js';

const task = (share: number) => ({ part: 0, parts: 1, share, seed: 3, progress: () => {} });
const why = lackedHere();

// Classes 14, 21, 22, 23, 25, 26, 27: real errnos, short writes and interrupted calls on a real file system.
it('real calls that fail lose nothing acknowledged', async () => {
  expect(existsSync('test/layers/native/failing-calls.c')).toBe(true);
  if (why !== undefined) {
    console.log(`not run: ${why}`);
    expect(layer.lacking?.()).toEqual({ all: why });
    return;
  }
  const figures = await layer.run(task(0.005));
  console.log(`failing syncs: ${JSON.stringify(figures)}`);
  for (const count of Object.values(figures)) expect(count).toBeGreaterThanOrEqual(6);
}, 90_000);

it('a writer that acknowledges what it has not appended is caught', async () => {
  if (why !== undefined) return expect(layer.lacking?.()).toEqual({ all: why });
  const lying = { writer: 'test/fixtures/lying-writer.mjs' };
  await expect(runFailingSync(task(0.0005), lying)).rejects.toThrow(/was acknowledged as/);
}, 60_000);
