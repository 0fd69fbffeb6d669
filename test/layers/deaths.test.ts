/** deaths.test: a share of the layer on this Node, and that it tells a worker that lies and a lock that is none. */
import { expect, it } from 'vitest';
import { testSeed } from '../support/prng.js';
import { CALLERS, layer, PHASES, runDeaths, runRaces, WAYS } from './deaths.js';
import { lackingNamespaces } from './open-races.js';

const task = (share: number) => ({ part: 0, parts: 1, share, seed: testSeed(1), progress: () => {} });

// Classes 31, 36, 37, 38, 39, 40, 41, 43.
it('workers die and processes end, and every caller is told, nothing acknowledged is lost, the log opens', async () => {
  expect(WAYS.length * PHASES.length * CALLERS.length).toBe(144);
  expect(Object.values(layer.targets).reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(600 + 500);
  expect(await runDeaths(task(0.03), process.execPath)).toBeGreaterThanOrEqual(5 + 1);
}, 90_000);

// Classes 29, 45.
it('of processes that race to open a directory one gets it, and the log holds what it was told', async () => {
  expect(await runRaces(task(0.004), 500, {})).toBeGreaterThanOrEqual(4);
}, 60_000);

it('the same among network and PID namespaces, as containers have them', async (context) => {
  const why = lackingNamespaces();
  if (why !== undefined) {
    console.log(`not run: ${why}`);
    context.skip(why);
  }
  expect(await runRaces(task(0.02), 100, { isApart: true })).toBeGreaterThanOrEqual(4);
}, 60_000);

it('a worker that acknowledges what it does not write is caught', async () => {
  await expect(runDeaths(task(0.02), process.execPath, { isLying: true })).rejects.toThrow(
    /was acknowledged as|CorruptError/,
  );
}, 60_000);

it('a lock that lets two in is caught', async () => {
  await expect(runRaces(task(0.004), 500, { workerUrl: './unlocked-worker.mjs' })).rejects.toThrow(
    /processes opened the directory|refused with/,
  );
}, 60_000);
