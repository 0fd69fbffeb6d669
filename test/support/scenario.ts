/**
 * scenario: one run of the simulation as data: what is set, what the callers do, what the scheduler does next, what goes
 * wrong, in one list. Everything in it makes sense whatever is left out before, so a scenario that fails can be shrunk.
 */
import type { ResolvedOptions } from '../../dist/src/options.js';
import { ERRNOS, type FaultMode } from './io-faults.js';
import { Prng } from './prng.js';
import type { FailedSync } from './sim-inode.js';

export type Action =
  /** Several sizes are a batch. `ahead`: only if it gets the durable LSN plus so much. */
  | {
      readonly do: 'append';
      readonly producer: number;
      readonly bytes: readonly number[];
      readonly os?: boolean;
      readonly ahead?: number;
      readonly checkpoint?: boolean;
    }
  | { readonly do: 'large' | 'appendTx'; readonly producer: number; readonly bytes: number }
  | {
      readonly do: 'begin' | 'commitTx' | 'abortTx' | 'sync' | 'publish' | 'drain';
      readonly producer: number;
    }
  /** The I/O worker takes a step; time passes, and the wall clock jumps by `wallUs` besides. */
  | { readonly do: 'step' | 'hurry' | 'nudge' | 'rotate' | 'mark' | 'look' | 'heal' }
  | { readonly do: 'clock'; readonly us: number; readonly wallUs?: number }
  /** Operations of the storage that were asked for happen, in an order that `seed` says. */
  | { readonly do: 'finish'; readonly count: number; readonly seed: number }
  /** Everybody goes on, in an order that `seed` says, until nothing is left to do. */
  | { readonly do: 'rest'; readonly seed: number }
  | { readonly do: 'truncate'; readonly back: number; readonly force?: boolean }
  | { readonly do: 'gc'; readonly segment: number }
  | { readonly do: 'cut' | 'read' | 'tail'; readonly back: number }
  | { readonly do: 'cursor' | 'deleteCursor'; readonly name: string }
  | { readonly do: 'ack'; readonly name: string; readonly back: number }
  /** The `nth` operation from here on fails, and what follows from that, see io-faults. */
  | { readonly do: 'fault'; readonly nth: number; readonly code: string; readonly mode: FaultMode }
  /** The machine stops at the `nth` operation from here on (0: now), or only the process; then the log is opened. */
  | {
      readonly do: 'crash';
      readonly nth: number;
      readonly power: boolean;
      readonly seed: number;
      /** Whether callers hear of what was acknowledged just before. */
      readonly drains: boolean;
    }
  /** The log is closed and opened again, with `power` after a power cut. */
  | { readonly do: 'close'; readonly seed: number; readonly power: boolean };

export interface Scenario {
  readonly seed: number;
  /** Against those of the engine harness. */
  readonly options: Partial<ResolvedOptions>;
  readonly failedSync: FailedSync;
  readonly tearsToZeros: boolean;
  readonly tearsToGarbage: boolean;
  readonly tearsPages: boolean;
  /** The log's first LSN, its first segment's number, and where the counters of the rings begin. */
  readonly firstLsn: number;
  readonly firstSegment: number;
  readonly ringCount: number;
  readonly actions: readonly Action[];
}

const FIRST_LSNS = [2 ** 31 - 10, 2 ** 32 - 10, 2 ** 53 - 1e6];
const RING_COUNTS = [1021, 2 ** 31 - 5, -5];
const FAULT_MODES: readonly FaultMode[] = [
  'once',
  'sticky',
  'full',
  'applied',
  'short0',
  'shortPart',
  'shortAll',
];
const NAMES = ['a', 'b'];

/** How often what happens, in scenarios that have it at all; most leave out about a third of these. */
const FEATURES: Readonly<Partial<Record<Action['do'], number>>> = {
  large: 3,
  begin: 5,
  appendTx: 12,
  commitTx: 5,
  abortTx: 2,
  sync: 3,
  nudge: 3,
  rotate: 4,
  mark: 3,
  look: 3,
  clock: 4,
  truncate: 4,
  gc: 2,
  cut: 2,
  read: 4,
  tail: 2,
  cursor: 3,
  ack: 5,
  deleteCursor: 1,
  rest: 4,
};
const ALWAYS: Readonly<Partial<Record<Action['do'], number>>> = {
  append: 30,
  publish: 14,
  drain: 8,
  step: 30,
  finish: 30,
  hurry: 1,
};

export function scenarioOf(seed: number): Scenario {
  const prng = new Prng(seed);
  const options = optionsOf(prng);
  const isHigh = prng.chance(0.3);
  return {
    seed,
    options,
    failedSync: prng.pick(['lost', 'partial', 'revert']),
    tearsToZeros: prng.chance(0.5),
    tearsToGarbage: prng.chance(0.5),
    tearsPages: options.padGroups === true && prng.chance(0.5),
    firstLsn: isHigh ? prng.pick(FIRST_LSNS) : 1,
    firstSegment: isHigh ? prng.pick([1, 2 ** 32 - 3]) : 1,
    ringCount: prng.chance(0.3) ? prng.pick(RING_COUNTS) : 0,
    actions: actionsOf(prng, options),
  };
}

function optionsOf(prng: Prng): Partial<ResolvedOptions> {
  const ringBytes = prng.pick([16, 16, 32]) * 1024;
  // The first is smaller than `openLog` allows, so that there are many segments; padding would not fit into it.
  const segmentBytes = prng.pick([24, 36, 44, 64]) * 1024;
  return {
    segmentBytes,
    ringBytes,
    maxGroupBytes: segmentBytes >= 44 * 1024 ? prng.pick([4096, 6000]) : 4096,
    maxGroupRecords: prng.pick([64, 64, 4, 1]),
    windowUs: prng.pick([0, 0, 0, 200, 100_000]),
    recycle: prng.chance(0.7),
    padGroups: segmentBytes > 24 * 1024 && prng.chance(0.4),
    recordChecksums: prng.chance(0.3),
    ...(prng.chance(0.2) ? { retention: { bytes: prng.pick([0, 20_000]), ageMs: prng.pick([0, 100]) } } : {}),
  };
}

function actionsOf(prng: Prng, options: Partial<ResolvedOptions>): Action[] {
  const weights = Object.entries(ALWAYS);
  for (const [what, weight] of Object.entries(FEATURES)) if (prng.chance(0.6)) weights.push([what, weight]);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  const draw = (): Action['do'] => {
    let left = prng.below(total);
    for (const [what, weight] of weights) {
      left -= weight;
      if (left < 0) return what as Action['do'];
    }
    return 'step';
  };
  const incidents = prng.between(1, 5);
  const faulty = prng.pick([0, 0.3, 0.7]);
  const actions: Action[] = [];
  for (let i = 0; i < incidents; i++) {
    const length = prng.pick([5, 15, 30, 30, 60]);
    for (let n = 0; n < length; n++) actions.push(actionOf(draw(), prng, options));
    if (prng.chance(faulty)) {
      actions.push({
        do: 'fault',
        nth: prng.pick([1, 2, 3, prng.between(1, 20), prng.between(1, 60)]),
        code: prng.pick(ERRNOS),
        mode: prng.pick(FAULT_MODES),
      });
      const rest = prng.pick([2, 10, 20]);
      for (let n = 0; n < rest; n++) actions.push(actionOf(draw(), prng, options));
      if (prng.chance(0.5)) actions.push({ do: 'heal' });
    }
    actions.push(prng.chance(0.2) ? closing(prng) : crash(prng));
    // Crashes in recovery, and in the one after it.
    while (prng.chance(0.2)) actions.push({ ...crash(prng), nth: prng.between(1, 20) });
  }
  return actions;
}

function crash(prng: Prng): Extract<Action, { do: 'crash' }> {
  return {
    do: 'crash',
    nth: prng.pick([0, 0, 1, prng.between(1, 10), prng.between(1, 40)]),
    power: prng.chance(0.7),
    seed: prng.below(2 ** 31),
    drains: prng.chance(0.7),
  };
}

function closing(prng: Prng): Action {
  return { do: 'close', seed: prng.below(2 ** 31), power: prng.chance(0.5) };
}

function actionOf(what: Action['do'], prng: Prng, options: Partial<ResolvedOptions>): Action {
  const producer = prng.below(3);
  const size = (): number => prng.pick([5, 30, 200, prng.between(5, 1500), 3000]);
  switch (what) {
    case 'append': {
      const records = prng.chance(0.2) ? prng.between(2, 5) : 1;
      const bytes = Array.from({ length: records }, () => (records > 1 ? Math.min(600, size()) : size()));
      const kind = prng.below(20);
      if (kind < 4) return { do: 'append', producer, bytes, os: true };
      if (kind < 6) return { do: 'append', producer, bytes, ahead: prng.pick([1, 1, 2, 0, 5]) };
      if (kind < 7) return { do: 'append', producer, bytes: [size()], checkpoint: true };
      return { do: 'append', producer, bytes };
    }
    case 'large':
    case 'appendTx':
      return { do: what, producer, bytes: what === 'large' ? prng.between(4200, 20_000) : size() };
    case 'begin':
    case 'commitTx':
    case 'abortTx':
    case 'sync':
    case 'publish':
    case 'drain':
      return { do: what, producer };
    case 'clock':
      return {
        do: 'clock',
        us: prng.pick([100, 60_000, 300_000, 2_000_000]),
        wallUs: prng.pick([0, 0, -1_000_000, -1e12, 1e12, 3_600_000_000]),
      };
    case 'finish':
      return { do: 'finish', count: prng.pick([1, 1, 2, 4, 10]), seed: prng.below(2 ** 31) };
    case 'rest':
      return { do: 'rest', seed: prng.below(2 ** 31) };
    case 'truncate':
      return { do: 'truncate', back: prng.pick([0, 1, 3, 10, 20]), force: prng.chance(0.2) };
    case 'gc':
      return { do: 'gc', segment: prng.below(4) };
    case 'cut':
    case 'read':
    case 'tail':
      return { do: what, back: prng.pick([0, 1, 2, 5, 10, 40]) };
    case 'cursor':
    case 'deleteCursor':
      return { do: what, name: prng.pick(NAMES) };
    case 'ack':
      return { do: 'ack', name: prng.pick(NAMES), back: prng.pick([0, 0, 1, 5, 10]) };
    case 'step':
    case 'hurry':
    case 'nudge':
    case 'rotate':
    case 'mark':
    case 'look':
      return { do: what };
    default:
      return options.windowUs ? { do: 'hurry' } : { do: 'step' };
  }
}
