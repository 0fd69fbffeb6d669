/** sim-shrink: makes a scenario that fails smaller, as long as it still fails: fewer generations, steps and faults. */
import type { Generation, Scenario } from './sim-scenario.js';

/** Most runs that shrinking may take. */
const MOST_RUNS = 600;

/** `fails` runs a scenario and says whether it breaks a promise. */
export async function shrink(
  scenario: Scenario,
  fails: (smaller: Scenario) => Promise<boolean>,
): Promise<Scenario> {
  let best = scenario;
  let runs = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smallerThan(best)) {
      if (++runs > MOST_RUNS) return best;
      if (!(await fails(candidate))) continue;
      best = candidate;
      isSmaller = true;
      break;
    }
  }
  return best;
}

/** Smaller scenarios, the boldest first. */
function* smallerThan(scenario: Scenario): Generator<Scenario> {
  const { generations } = scenario;
  for (let i = 0; i < generations.length; i++)
    if (generations.length > 1) yield { ...scenario, generations: generations.toSpliced(i, 1) };
  for (const [i, generation] of generations.entries()) {
    const replaced = (smaller: Partial<Generation>): Scenario => ({
      ...scenario,
      generations: generations.with(i, { ...generation, ...smaller }),
    });
    const { steps, fault, end } = generation;
    for (let size = steps.length; size >= 1; size = size >> 1)
      for (let at = 0; at + size <= steps.length; at += size)
        yield replaced({ steps: steps.toSpliced(at, size) });
    if (fault !== undefined) yield replaced({ fault: undefined });
    if (end.stopAt !== undefined) yield replaced({ end: { ...end, stopAt: undefined } });
    if (end.survival > 0) yield replaced({ end: { ...end, survival: 0 } });
    if (end.tearsToGarbage || end.tearsToZeros)
      yield replaced({ end: { ...end, tearsToGarbage: false, tearsToZeros: false } });
  }
  if (Object.keys(scenario.options).length > 0) yield { ...scenario, options: {} };
}
