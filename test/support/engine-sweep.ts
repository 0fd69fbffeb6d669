/**
 * engine-sweep: one workload of the engine, stopped before every change; each image recovered, checked and read; some of
 * these recoveries stopped in turn, and the recoveries after that, three deep.
 */
import type { ResolvedOptions } from '../../dist/src/options.js';
import type { CrashState } from './crash-states.js';
import { sweepCrashes } from './crash-sweep.js';
import { type Switch, switchesBefore, switchesOf } from './crash-switches.js';
import { EngineHarness, payloadOf, recoverAll } from './engine-harness.js';
import { Oracle } from './oracle.js';
import type { FaultPlan } from './sim-fault.js';
import type { FailedSync } from './sim-inode.js';
import { SimStorage } from './sim-storage.js';

export interface Workload {
  readonly name: string;
  readonly options?: Partial<ResolvedOptions>;
  readonly states?: { tearsToZeros?: boolean; tearsToGarbage?: boolean; hasPowerSafeOverwrite?: false };
  /** Whether records reach over groups: what callers see of each image is then checked too. */
  readonly hasSpans?: boolean;
  /** What fails besides; made anew for each run, since plans count. */
  readonly faults?: () => FaultPlan;
  readonly failedSync?: FailedSync;
  readonly run: (open: () => Promise<EngineHarness>, storage: SimStorage) => Promise<void>;
}

export interface SweepExtent {
  /** Images tried at one crash point when there are more; up to so many, all of them. */
  readonly samples: number;
  readonly seed: number;
  /**
   * At every so many crash points, and at one at least, one recovery is stopped in turn, and so is the next process over
   * the cache that this one has left.
   */
  readonly nestedEvery: number;
}

export interface EngineFigures {
  /** Crash points, the end of the workload included. */
  readonly points: number;
  /**
   * Different states: a state is a disk image (its names, sizes and every byte) together with what had been acknowledged
   * and returned when the machine stopped, and the same pair counts once for a workload, at how many crash points ever.
   */
  readonly states: number;
  /** Different states that a crash inside a recovery, or of the next process over the same cache, has left. */
  readonly nested: number;
  /** Of `nested`, those that it took two and three crashed recoveries to reach. */
  readonly deeper: number;
  readonly switches: ReadonlyMap<Switch, number>;
}

/** Every so many states, recovery is followed by another crash at once. */
const RECOVERED_STAYS_EVERY = 12;

/** Crashed recoveries in a row. */
const DEPTH = 3;
const NESTED_SAMPLES = 6;
/** One in so many of the states inside a recovery has its own recovery stopped. */
const DEEPER_EVERY = 16;

/** Salts come from the seed of a process, so each has its own. */
const RECOVERY_SEED = 300;

export async function sweepWorkload(workload: Workload, extent: SweepExtent): Promise<EngineFigures> {
  const sweep = new EngineSweep(workload, extent);
  await sweep.run();
  return sweep;
}

class EngineSweep implements EngineFigures {
  points = 0;
  states = 0;
  nested = 0;
  deeper = 0;
  readonly switches = new Map<Switch, number>();
  readonly #workload: Workload;
  readonly #extent: SweepExtent;
  readonly #seen = new Set<number>();
  #before: readonly Switch[] = [];
  #isNestingDue = false;
  #lastOracle: Oracle | undefined;
  #lastDuties = 0;

  constructor(workload: Workload, extent: SweepExtent) {
    this.#workload = workload;
    this.#extent = extent;
  }

  async run(): Promise<void> {
    const { options, run, faults, failedSync, states } = this.#workload;
    const { samples, seed, nestedEvery } = this.#extent;
    const figures = await sweepCrashes({
      workload: async (storage, oracle) => {
        let opened = 0;
        let last: EngineHarness | undefined;
        const open = async (): Promise<EngineHarness> => {
          await last?.engine.maintenanceIdle(); // of a process that is gone
          last = await EngineHarness.open(storage, oracle, options, ++opened);
          return last;
        };
        await run(open, storage);
      },
      oracle: new Oracle({ truncation: 'exact' }),
      ...(faults && { faults }),
      storage: { ...(failedSync && { failedSync }) },
      isKnown: this.#isKnown,
      recover: this.#recover,
      atEachPoint: async (storage, oracle, point) => {
        this.#before = switchesBefore(storage, failedSync);
        this.#isNestingDue = point % nestedEvery === Math.min(20, nestedEvery >> 1);
        if (this.#isNestingDue) await this.#stopAfter(storage, oracle, 1, `killed at change ${point}`);
      },
      verify: async (state, oracle, after) => {
        this.#count(state);
        if (this.states % RECOVERED_STAYS_EVERY === 1) await this.#checkThatItStays(state, oracle, after);
        // Not the first one: with that, nothing has survived.
        if (!this.#isNestingDue || state.picks.every((pick) => pick === 0)) return;
        this.#isNestingDue = false;
        await this.#stopAfter(state.image, oracle, 1, state.describe());
      },
      states: { ...states, samples, exhaustiveUpTo: samples, seed: seed * 2 ** 20 },
    });
    this.points = figures.points;
  }

  /** Stops the next process at each change of its opening, and of an append after it. */
  async #stopAfter(
    start: SimStorage | CrashState['image'],
    oracle: Oracle,
    depth: number,
    how: string,
  ): Promise<void> {
    const { options, states } = this.#workload;
    let tried = 0;
    try {
      await sweepCrashes({
        start,
        oracle,
        workload: async (storage, future) => {
          const log = await EngineHarness.open(storage, future, options, RECOVERY_SEED + depth);
          await log.append(payloadOf(10_000 + depth, 700));
        },
        isKnown: this.#isKnown,
        recover: this.#recover,
        verify: async (state, known) => {
          this.nested++;
          if (depth > 1) this.deeper++;
          if (depth < DEPTH && tried++ % DEEPER_EVERY === DEEPER_EVERY / 2)
            await this.#stopAfter(state.image, known, depth + 1, state.describe());
        },
        states: { ...states, samples: NESTED_SAMPLES, exhaustiveUpTo: NESTED_SAMPLES },
      });
    } catch (error) {
      throw new Error(`in a recovery, ${depth} deep, of\n${how}\n${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  readonly #isKnown = ({ hash }: CrashState, oracle: Oracle): boolean => {
    const key = pairOf(hash, this.#dutiesOf(oracle));
    if (this.#seen.has(key)) return true;
    this.#seen.add(key);
    return false;
  };

  /** An oracle is told nothing more once the machine has stopped, so this is worked out once for a crash point. */
  #dutiesOf(oracle: Oracle): number {
    if (oracle !== this.#lastOracle) {
      this.#lastOracle = oracle;
      this.#lastDuties = oracle.duties;
    }
    return this.#lastDuties;
  }

  readonly #recover = async (storage: SimStorage) => {
    const { options, hasSpans } = this.#workload;
    const recovered = await recoverAll(storage, options);
    if (hasSpans !== true) return recovered;
    const last = recovered.records.at(-1)?.lsn ?? 0;
    const first = recovered.records[0]?.lsn ?? 0;
    const problems = await recovered.log.checkReading(last > first ? [Math.ceil((first + last) / 2)] : []);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    return recovered;
  };

  /** What recovery returned stays: the machine stops right after it, and nothing unsynced survives. */
  async #checkThatItStays(state: CrashState, oracle: Oracle, after: SimStorage): Promise<void> {
    const { options, hasSpans } = this.#workload;
    const first = await recoverAll(SimStorage.boot(state.image), options);
    const future = oracle.fork();
    future.reopened(first.records, first.nextLsn);
    const again = await recoverAll(SimStorage.boot(after.durableImage()), options);
    const problems = future.check(again.records, again.nextLsn);
    if (hasSpans) problems.push(...(await again.log.checkReading()));
    if (problems.length > 0) throw new Error(`what recovery returned did not stay:\n${problems.join('\n')}`);
  }

  #count({ choices, picks }: CrashState): void {
    this.states++;
    const found = switchesOf(choices, picks);
    for (const one of this.#before) found.add(one);
    for (const one of found) this.switches.set(one, (this.switches.get(one) ?? 0) + 1);
  }
}

/** 53 bits out of 53 and 32. */
function pairOf(hash: number, duties: number): number {
  const low = (hash >>> 0) ^ duties;
  const high = Math.floor(hash / 2 ** 32) ^ Math.imul(duties, 0x9e3779b1);
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
}
