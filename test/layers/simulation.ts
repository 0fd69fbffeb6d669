/**
 * simulation: the real engine, three producers, maintenance and readers over a simulated disk and clock, in an order that
 * a seed draws, with one to five crashes and faults; a seed that fails is shrunk, and printed as data.
 */
import type { Layer, LayerTask } from '../full/layer.js';
import { casesOf } from '../full/layer.js';
import { runScenario, type ScenarioFigures } from '../support/sim-run.js';
import { type Scenario, scenarioOf } from '../support/sim-scenario.js';
import { shrink } from '../support/sim-shrink.js';

const SEEDS = 20_000;

export const layer: Layer = {
  name: 'simulation',
  title: 'the engine in a simulated world, 1 to 5 crashes and faults a seed',
  targets: { seeds: SEEDS, crashes: SEEDS, 'calls that failed': SEEDS / 4 },
  parts: 2,
  run: (task) => runSimulation(task, SEEDS),
};

export async function runSimulation(task: LayerTask, seeds: number): Promise<Record<string, number>> {
  const figures = { seeds: 0, crashes: 0, 'calls that failed': 0 };
  for (const i of casesOf(task, seeds)) {
    const { crashes, faults } = await runSeed(task.seed * 1_000_000 + i);
    figures.seeds++;
    figures.crashes += crashes;
    figures['calls that failed'] += faults;
    if (figures.seeds % 100 === 0) task.progress(`${figures.seeds} seeds, ${figures.crashes} crashes`);
  }
  return figures;
}

/** Throws, with the smallest scenario that still fails, when a promise is broken. */
export async function runSeed(seed: number): Promise<ScenarioFigures> {
  const scenario = scenarioOf(seed);
  try {
    return await runScenario(scenario);
  } catch (error) {
    const smallest = await shrink(scenario, async (smaller) => (await failureOf(smaller)) !== undefined);
    const failure = (await failureOf(smallest)) ?? error;
    const said = failure instanceof Error ? failure.message : String(failure);
    throw new Error(`seed ${seed}: ${said}\n--- the smallest scenario\n${JSON.stringify(smallest)}`, {
      cause: error,
    });
  }
}

async function failureOf(scenario: Scenario): Promise<unknown> {
  try {
    await runScenario(scenario);
    return undefined;
  } catch (error) {
    return error;
  }
}
