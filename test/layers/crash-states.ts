/**
 * crash-states: the layer of the test plan that stops the engine before every change it makes to a simulated disk, and
 * has every image that the crash model allows recovered and checked, or a sample where there are too many.
 *
 * A share of the work is all workloads and all their crash points, with fewer images at each.
 */
import type { Layer, LayerFigures, LayerTask } from '../full/layer.js';
import { SWITCHES } from '../support/crash-switches.js';
import { sweepWorkload } from '../support/engine-sweep.js';
import { WORKLOADS } from './crash-workloads/index.js';

/** Images at a crash point: all of them up to twelve choices between two, and of more choices so many. */
const SAMPLES = 2 ** 12;
const LEAST_SAMPLES = 4;
/** Of so many crash points one has recoveries stopped, in a full run. */
const NESTED_EVERY = 4;

async function run(task: LayerTask): Promise<LayerFigures> {
  const figures: Record<string, number> = {};
  const add = (what: string, count: number): void => {
    figures[what] = (figures[what] ?? 0) + count;
  };
  const samples = Math.max(LEAST_SAMPLES, Math.ceil(SAMPLES * task.share));
  const nestedEvery = Math.ceil(NESTED_EVERY / task.share);
  const own = WORKLOADS.filter((_, i) => i % task.parts === task.part);
  for (const workload of own) {
    task.progress(`${workload.name}; ${figures['distinct states'] ?? 0} states so far`);
    const found = await sweepWorkload(workload, { samples, seed: task.seed, nestedEvery }).catch((error) => {
      throw new Error(`workload "${workload.name}", seed ${task.seed}, ${samples} samples: ${error}`, {
        cause: error,
      });
    });
    add('workloads', 1);
    add('crash points', found.points);
    add('distinct states', found.states);
    add('nested states', found.nested);
    add('nested two and three deep', found.deeper);
    for (const [what, count] of found.switches) add(what, count);
  }
  return figures;
}

export const layer: Layer = {
  name: 'crash-states',
  title: 'the engine stopped at every change, every image that this may leave recovered',
  targets: {
    workloads: 24,
    'crash points': 1000,
    'distinct states': 2_000_000,
    'nested states': 200_000,
    'nested two and three deep': 50_000,
    ...Object.fromEntries(SWITCHES.map((what) => [what, 10_000])),
  },
  parts: 22,
  minutes: 29,
  run,
};
