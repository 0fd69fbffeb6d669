/** simulation: a seeded share of the layer, that it is the same each time, and bugs planted in the engine that it must catch. */
import { describe, expect, it, vi } from 'vitest';
import { GroupBuilder } from '../../dist/src/commit/group-builder.js';
import { Truncation } from '../../dist/src/maintenance/truncation.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { testSeed } from '../support/prng.js';
import { scenarioOf } from '../support/scenario.js';
import { playScenario } from '../support/scenario-player.js';
import { kindOf } from '../support/shrink.js';
import { SimFile } from '../support/sim-file.js';
import { SimStorage } from '../support/sim-storage.js';
import { failureOf, layer, trySeed } from './simulation.js';

const SHARE = 0.002;

// Classes 31, 44, 46: nothing is done to the storage after a closing, wall clocks jump, and counters stand near their ends.
it('whatever the order, the faults and the crashes, what is acknowledged and read is there, once and whole', async () => {
  const seed = testSeed(1);
  const figures = await layer.run({ part: 0, parts: 1, share: SHARE, seed, progress: () => {} });
  console.log(`simulation: ${JSON.stringify(figures)}`);
  expect(figures.seeds).toBeGreaterThanOrEqual(SHARE * (layer.targets.seeds ?? 0));
  expect(figures.crashes).toBeGreaterThan(figures.seeds ?? 0);
  expect(figures['operations that failed']).toBeGreaterThan(0);
}, 60_000);

it('a seed gives the same run each time', async () => {
  for (const seed of [3, 14, 15, 92]) {
    const once = await playScenario(scenarioOf(seed));
    expect(once.operations).toBeGreaterThan(50);
    expect(await playScenario(scenarioOf(seed))).toEqual(once);
  }
});

it('scenarios start counters where they wrap, and set the wall clock back', () => {
  const scenarios = Array.from({ length: 200 }, (_, seed) => scenarioOf(seed));
  const firstLsns = new Set(scenarios.map(({ firstLsn }) => firstLsn));
  expect(firstLsns).toEqual(new Set([1, 2 ** 31 - 10, 2 ** 32 - 10, 2 ** 53 - 1e6]));
  expect(new Set(scenarios.map(({ ringCount }) => ringCount)).size).toBe(4);
  const isBack = scenarios.map(({ actions }) =>
    actions.some((action) => action.do === 'clock' && (action.wallUs ?? 0) < 0),
  );
  expect(isBack.filter(Boolean).length).toBeGreaterThan(50);
});

/** The first seed that fails, and how. */
async function caught(seeds = 100): Promise<{ seed: number; message: string }> {
  for (let seed = 1; seed <= seeds; seed++) {
    const failure = await failureOf(scenarioOf(seed));
    if (failure !== undefined) return { seed, message: (failure as Error).message };
  }
  return { seed: 0, message: 'not caught' };
}

describe('a planted bug is caught:', () => {
  it('syncs that do nothing; and the scenario is shrunk to what it takes', async () => {
    vi.spyOn(SimFile.prototype, 'syncGroup').mockImplementation(() => {});
    const { seed } = await caught();
    const told: unknown = await trySeed(seed).catch((error: unknown) => error);
    const text = (told as Error).message;
    expect(text).toMatch(/O3: |was durable, and is gone|CorruptError: /);
    const [, before, after] = text.match(/shrunk from (\d+) to (\d+) actions/) ?? [];
    expect(Number(before)).toBeGreaterThan(20);
    expect(Number(after)).toBeLessThanOrEqual(4);
    // What is printed can be played as it is.
    const settings = JSON.parse(text.match(/\.\.\.(\{.*\}),/)?.[1] ?? '');
    const actions = [...text.matchAll(/^ {6}(\{"do".*\}),$/gm)].map(([, line = '']) => JSON.parse(line));
    expect(actions).toHaveLength(Number(after));
    expect(kindOf(await failureOf({ ...settings, actions }))).toBe(kindOf((told as Error).cause));
    vi.restoreAllMocks();
    expect(await failureOf({ ...settings, actions })).toBeUndefined();
  }, 60_000);

  it('callers that are told before the sync', async () => {
    const { build } = GroupBuilder.prototype;
    vi.spyOn(GroupBuilder.prototype, 'build').mockImplementation(function (this: GroupBuilder, room, lsn) {
      build.call(this, room, lsn);
      if (this.records === 0) return;
      this.complete(lsn, { records: this.records, bytes: this.bytes, syncUs: 0, segment: 1 });
      this.contributors.length = 0;
    });
    expect((await caught()).message).toMatch(/acknowledged after|O\d: |A\d: |W3/);
  }, 60_000);

  it('an LSN that is told wrong', async () => {
    const { complete } = RingConsumer.prototype;
    let calls = 0;
    vi.spyOn(RingConsumer.prototype, 'complete').mockImplementation(function (
      this: RingConsumer,
      lsn,
      group,
    ) {
      return complete.call(this, ++calls % 20 === 0 ? lsn + 1 : lsn, group);
    });
    expect((await caught()).message).toMatch(/[AO]\d: /);
  }, 60_000);

  it('a directory that is not synced', async () => {
    vi.spyOn(SimStorage.prototype, 'syncDirectory').mockImplementation(async () => {});
    expect((await caught()).message).toMatch(/O\d: |gone|CorruptError|after a crash may be/);
  }, 60_000);

  it('garbage collection that takes what is still needed', async () => {
    vi.spyOn(Truncation.prototype, 'neededFrom').mockImplementation(() => Number.MAX_SAFE_INTEGER);
    expect((await caught()).message).not.toBe('not caught');
  }, 60_000);
});

it('another failure is not taken for the one that is being shrunk', () => {
  expect(kindOf(new Error('opening 3: OracleError: generation 2\nO3: durable were LSNs to 9'))).toBe('O3');
  expect(kindOf(new Error('read from 4 failed'))).toBe(kindOf(new Error('read from 17 failed')));
  expect(kindOf(new Error('read from 4 failed'))).not.toBe(kindOf(new Error('tail from 4 failed')));
});
