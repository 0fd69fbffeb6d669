/**
 * crash-sweep: runs a workload again and again, stops the machine before each of its changes in turn, and has
 * every disk image that this may leave recovered and checked.
 */
import { type CrashState, type CrashStateOptions, crashStates } from './crash-states.js';
import { Oracle, type RecoveredRecord } from './oracle.js';
import { anyOf, crashAtMutation, type FaultPlan } from './sim-fault.js';
import { Image } from './sim-image.js';
import { SimStorage, type SimStorageOptions } from './sim-storage.js';

/** What an open returned. */
export interface Recovered {
  readonly records: readonly RecoveredRecord[];
  readonly nextLsn?: number;
}

export interface CrashSweep {
  /**
   * Opens the log, uses it, and tells the oracle. Must end when the machine stops, by returning or by
   * throwing; what it throws after that is ignored. When `start` is not empty it reports its own open by
   * `reopened`.
   */
  readonly workload: (storage: SimStorage, oracle: Oracle) => Promise<void>;
  /** Whether the image need not be looked at, since it was, with the same to be expected of it. */
  readonly isKnown?: (state: CrashState, oracle: Oracle) => boolean;
  /** Opens the log and reads all of it. Anything thrown means: this image cannot be recovered. */
  readonly recover: (storage: SimStorage) => Promise<Recovered>;
  /** Further checks of one state; `after` is the storage that `recover` ran on. */
  readonly verify?: (state: CrashState, oracle: Oracle, after: SimStorage) => Promise<void>;
  /**
   * Called at each crash point with the stopped machine, before its images are looked at. The place for a
   * sweep within the sweep that starts from `storage`: the process killed, the cache still there.
   */
  readonly atEachPoint?: (storage: SimStorage, oracle: Oracle, point: number) => Promise<void>;
  /** What to start from, a disk or a machine whose process was killed, and what is known of it. */
  readonly start?: Image | SimStorage;
  readonly oracle?: Oracle;
  /** Faults besides the crash; made anew for each run, since plans count. */
  readonly faults?: () => FaultPlan;
  readonly storage?: Omit<SimStorageOptions, 'plan'>;
  /** `seen` is not for here: what was acknowledged differs from crash point to crash point. */
  readonly states?: Omit<CrashStateOptions, 'seen'>;
}

export interface SweepFigures {
  /** Crash points, the end of the workload included. */
  readonly points: number;
  /** Images recovered and checked. */
  readonly states: number;
}

/** Throws at the first state that breaks a promise, with all that is needed to see why. */
export async function sweepCrashes(sweep: CrashSweep): Promise<SweepFigures> {
  let states = 0;
  for (let point = 1; ; point++) {
    const { storage, oracle } = await runUntil(sweep, point);
    const isLast = !storage.isCrashed; // the workload ended before that many changes
    storage.crash();
    await sweep.atEachPoint?.(storage, oracle, point);
    const seed = (sweep.states?.seed ?? 1) + point; // other samples at each point
    for (const state of crashStates(storage, { ...sweep.states, seed })) {
      if (sweep.isKnown?.(state, oracle) === true) continue;
      states++;
      await checkState(sweep, point, storage, oracle, state);
    }
    if (isLast) return { points: point, states };
  }
}

async function runUntil(sweep: CrashSweep, point: number): Promise<{ storage: SimStorage; oracle: Oracle }> {
  const oracle = sweep.oracle?.fork() ?? new Oracle();
  const crash = crashAtMutation(point);
  const plan = sweep.faults === undefined ? crash : anyOf(crash, sweep.faults());
  const { start = Image.empty } = sweep;
  const options = { ...sweep.storage, plan };
  const storage = start instanceof SimStorage ? start.fork(options) : SimStorage.boot(start, options);
  try {
    await sweep.workload(storage, oracle);
  } catch (error) {
    if (!storage.isCrashed) throw error;
  }
  // Answers that were on their way when the machine stopped have been given: they bind the log.
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (storage.violations.length > 0) {
    throw new Error(`workload: ${storage.violations.join('\n')}\n${storage.log()}`);
  }
  return { storage, oracle };
}

async function checkState(
  sweep: CrashSweep,
  point: number,
  crashed: SimStorage,
  oracle: Oracle,
  state: CrashState,
): Promise<void> {
  const after = SimStorage.boot(state.image, sweep.storage);
  const problems: string[] = [];
  let cause: unknown;
  try {
    const { records, nextLsn } = await sweep.recover(after);
    problems.push(...oracle.check(records, nextLsn));
    if (problems.length === 0) await sweep.verify?.(state, oracle, after);
  } catch (error) {
    cause = error;
    problems.push(`recovery: ${error}`);
  }
  problems.push(...after.violations);
  if (problems.length === 0) return;
  const text = [
    `crash before change ${point}, image ${state.hash}`,
    ...problems,
    `--- the disk\n${state.describe()}`,
    `--- before the crash\n${crashed.log()}`,
    `--- since\n${after.log()}`,
  ];
  throw new Error(text.join('\n'), { cause });
}
