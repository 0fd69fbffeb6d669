/**
 * simulation: the whole engine under a scheduler that a seed drives: three producers, readers, maintenance whose
 * operations finish in any order, clocks that jump, faults, and crashes of process and machine; every answer and every
 * opening is held against what was promised. A scenario that fails is shrunk, and printed so that it can be a test.
 */
import { casesOf, type Layer, type LayerTask } from '../full/layer.js';
import { type Scenario, scenarioOf } from '../support/scenario.js';
import { playScenario, type ScenarioFigures } from '../support/scenario-player.js';
import { shrink } from '../support/shrink.js';

const SEEDS = 20_000;
/** Seeds of one run of the layer do not meet those of another. */
const SEEDS_OF_A_RUN = 2 ** 24;

export const layer: Layer = {
  name: 'simulation',
  title:
    'engine, callers, readers, faults and crashes, in the order that a seed says; 1 to 5 incidents a seed',
  targets: { seeds: SEEDS },
  parts: 4,
  minutes: 8,
  run: runSimulation,
};

async function runSimulation(task: LayerTask): Promise<Record<string, number>> {
  let seeds = 0;
  let crashes = 0;
  let failures = 0;
  let operations = 0;
  let images = 0;
  for (const i of casesOf(task, SEEDS)) {
    const figures = await trySeed(task.seed * SEEDS_OF_A_RUN + i);
    seeds++;
    crashes += figures.crashes;
    failures += figures.failures;
    operations += figures.operations;
    images += figures.images;
    task.progress(`${seeds} seeds, ${crashes} crashes, ${failures} operations that failed`);
  }
  return { seeds, crashes, 'other disks': images, 'operations that failed': failures, operations };
}

/** Throws with the smallest scenario that still fails in the same way. */
export async function trySeed(seed: number): Promise<ScenarioFigures> {
  const scenario = scenarioOf(seed);
  try {
    return await playScenario(scenario);
  } catch (error) {
    const shrunk = await shrink(scenario, error, failureOf);
    const { actions } = shrunk.scenario;
    const text = [
      `seed ${seed} fails; shrunk from ${scenario.actions.length} to ${actions.length} actions in ${shrunk.trials} trials:`,
      printed(shrunk.scenario),
      shrunk.error instanceof Error ? shrunk.error.message : String(shrunk.error),
    ];
    throw new Error(text.join('\n'), { cause: shrunk.error });
  }
}

/** What is wrong with a scenario; undefined: nothing. */
export async function failureOf(scenario: Scenario): Promise<unknown> {
  try {
    await playScenario(scenario);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** As it goes into test/sim/regressions.test.ts. */
export function printed({ actions, ...settings }: Scenario): string {
  const lines = actions.map((action) => `    ${JSON.stringify(action)},`);
  return [
    `  {`,
    `    ...${JSON.stringify(settings)},`,
    `    actions: [`,
    ...lines.map((line) => `  ${line}`),
    `    ],`,
    `  },`,
  ].join('\n');
}
