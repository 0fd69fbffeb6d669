/**
 * sim-scenario: what happens in one run of the simulation, as data: drawn from a seed, and small enough to be shrunk,
 * printed, and pasted into a test.
 */
import type { ResolvedOptions } from '../../dist/src/options.js';
import type { IoWorkload, Step } from '../layers/io-error-workloads.js';
import { ERRNOS, type FaultMode } from './io-faults.js';
import { Prng } from './prng.js';

/** A call to the storage that fails; `nth` counts those of the generation from 1. */
export interface ScenarioFault {
  readonly nth: number;
  readonly code: string;
  readonly mode: FaultMode;
}

/** How a generation ends: at the `nth` operation, or after its steps; and what is left of the machine then. */
export interface ScenarioEnd {
  /** The operation before which the machine stops; undefined: none. */
  readonly stopAt?: number | undefined;
  /** The process is killed, and the page cache is as it was. Not when the machine has stopped. */
  readonly isKill: boolean;
  /** Chooses what survives a power cut; each part of it with this probability. */
  readonly seed: number;
  readonly survival: number;
  readonly tearsToZeros: boolean;
  readonly tearsToGarbage: boolean;
}

/** From one opening of the log, or of what a crash has left of it, to the next crash. */
export interface Generation {
  readonly steps: readonly Step[];
  readonly fault?: ScenarioFault | undefined;
  readonly end: ScenarioEnd;
}

export interface Scenario {
  readonly options: NonNullable<IoWorkload['options']>;
  readonly failedSync: 'lost' | 'revert';
  readonly generations: readonly Generation[];
}

const NAMES = ['one', 'two'];

export function scenarioOf(seed: number): Scenario {
  const prng = new Prng(seed);
  const padGroups = prng.chance(0.25);
  const options: Partial<ResolvedOptions> = {
    padGroups,
    recycle: prng.chance(0.7),
    recordChecksums: prng.chance(0.3),
    maxGroupRecords: prng.pick([3, 5, 64]), // a batch has three
    segmentBytes: (padGroups ? 40 : prng.pick([24, 24, 40])) * 1024, // a group must fit, with what goes around it
  };
  const generations = Array.from({ length: prng.between(1, 5) }, () => generationOf(prng));
  return { options, failedSync: prng.pick(['lost', 'revert']), generations };
}

function generationOf(prng: Prng): Generation {
  const steps: Step[] = [];
  const count = prng.between(3, 28);
  while (steps.length < count) steps.push(...stepsOf(prng));
  const fault = prng.chance(0.35)
    ? {
        nth: prng.between(1, 60),
        code: prng.pick(ERRNOS),
        mode: prng.pick<FaultMode>([
          'once',
          'once',
          'sticky',
          'full',
          'applied',
          'short0',
          'shortPart',
          'shortAll',
        ]),
      }
    : undefined;
  const end: ScenarioEnd = {
    stopAt: prng.chance(0.5) ? prng.between(1, 90) : undefined,
    isKill: prng.chance(0.35),
    seed: prng.next(),
    survival: prng.pick([0, 0.1, 0.5, 0.5, 0.9, 1]),
    tearsToZeros: prng.chance(0.5),
    tearsToGarbage: prng.chance(0.5),
  };
  return { steps, fault, end };
}

/** A few steps that belong together, or one. */
function stepsOf(prng: Prng): Step[] {
  const producer = prng.below(3);
  const bytes = prng.pick([4, 8, 40, 40, 40, 600, 1500, 3000]);
  const one: (() => Step[])[] = [
    () => [{ do: 'append', bytes, producer }],
    () => [{ do: 'submit', bytes, producer }],
    () => [{ do: 'submit', bytes, producer }],
    () => [{ do: 'round' }],
    () => [{ do: 'turns', count: prng.between(1, 12) }],
    () => [{ do: 'batch', bytes: [Math.min(bytes, 1000), 40, prng.between(4, 900)], producer }],
    () => [{ do: 'unsynced', bytes, producer }],
    () => [{ do: 'expecting', bytes, ahead: prng.pick([1, 1, 2]), producer }],
    () => [{ do: 'large', bytes: prng.between(5000, 9000), producer }],
    () => [{ do: 'begin', producer }],
    () => [
      { do: 'appendTx', bytes, producer },
      { do: 'appendTx', bytes: 40, producer },
    ],
    () => [{ do: prng.chance(0.7) ? 'commitTx' : 'abortTx', producer }],
    () => [{ do: 'sync', producer }],
    () => [{ do: 'commit' }],
    () => [{ do: 'commit' }],
    () => [{ do: 'rotate' }],
    () => [{ do: 'mark' }],
    () => [{ do: 'truncate', back: prng.below(6) }],
    () => [{ do: 'cursor', name: prng.pick(NAMES) }],
    () => [{ do: 'ack', name: prng.pick(NAMES), back: prng.below(3) }],
    () => [{ do: 'read' }],
    () => [{ do: 'clock', us: prng.pick([-3_600_000_000, -1, 1_000_000]) }],
    () => [{ do: 'reopen' }],
  ];
  return prng.pick(one)();
}
