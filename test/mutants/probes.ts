/**
 * probes: the first that a mutant meets, in a process of its own: tiny shares of the layers, the cheapest first. Exit code
 * 0: it survived; 1: killed; 3: the mutant is no JavaScript.
 */
import { loadLayer } from '../full/layers.js';
import { sweepWorkload } from '../support/engine-sweep.js';
import { watchProcess } from './watch.js';

const SECONDS = 10;

const share = (name: string, part: number) => async (): Promise<void> => {
  const layer = await loadLayer(name);
  await layer.run({ part: 0, parts: 1, share: part, seed: 1, progress: () => {} });
};

/** Of a few workloads of crash-states, with few images at each crash point. */
const crashes = (pattern: RegExp, samples: number) => async (): Promise<void> => {
  const { WORKLOADS } = await import('../layers/crash-workloads/index.js');
  for (const workload of WORKLOADS)
    if (pattern.test(workload.name))
      await sweepWorkload(workload, { samples, seed: 1, nestedEvery: 1_000_000 });
};

const FEW = [
  share('ring-protocol', 0.000_02),
  share('simulation', 0.0005),
  share('corruption', 0.0002),
  share('io-errors', 0.0001),
];

const MORE = [
  async (): Promise<void> => {
    const { fuzz } = await import('../layers/decoder-fuzz.js');
    await fuzz({ part: 1, parts: 2, share: 0.0003, seed: 1, progress: () => {} });
  },
  crashes(/^(batches|truncation over several openings|transactions that are open|sync 2 fails)/, 2),
  share('corruption', 0.001),
  share('simulation', 0.002),
  share('io-errors', 0.001),
];

const next = watchProcess(SECONDS);
process.exitCode = 2; // as long as it has not come to its end
for (const probe of process.argv[2] === 'more' ? MORE : FEW) {
  next();
  try {
    await probe();
  } catch (error) {
    process.exit(error instanceof SyntaxError ? 3 : 1);
  }
}
process.exit(0);
