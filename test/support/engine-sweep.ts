/** engine-sweep: one workload of the engine, stopped before every change, each image recovered, checked and read. */
import { expect } from 'vitest';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { type SweepFigures, sweepCrashes } from './crash-sweep.js';
import { EngineHarness, recoverAll } from './engine-harness.js';
import { Oracle } from './oracle.js';
import { SimStorage } from './sim-storage.js';

export interface Workload {
  readonly name: string;
  readonly options?: Partial<ResolvedOptions>;
  readonly states?: { tearsToZeros?: boolean; tearsToGarbage?: boolean; hasPowerSafeOverwrite?: false };
  /** Whether records reach over groups: what callers see of each image is then checked too. */
  readonly hasSpans?: boolean;
  readonly run: (open: () => Promise<EngineHarness>, storage: SimStorage) => Promise<void>;
}

/** Images tried at one crash point when there are too many to try all. */
const SAMPLES = Number(process.env.RINGWAL_CRASH_SAMPLES ?? 400);

/** Every so many states, recovery is followed by another crash at once. */
const RECOVERED_STAYS_EVERY = 12;

/** Adds the hashes of the images to `seen`. */
export async function sweepWorkload(
  workload: Workload,
  seen: Set<number>,
  samples = SAMPLES,
): Promise<SweepFigures> {
  const { options } = workload;
  let checked = 0;
  return sweepCrashes({
    workload: async (storage, oracle) => {
      let opened = 0;
      let last: EngineHarness | undefined;
      const open = async (): Promise<EngineHarness> => {
        await last?.engine.maintenanceIdle(); // of a process that is gone
        last = await EngineHarness.open(storage, oracle, options, ++opened);
        return last;
      };
      await workload.run(open, storage);
    },
    oracle: new Oracle({ truncation: 'exact' }),
    recover: async (storage) => {
      const recovered = await recoverAll(storage, options);
      if (workload.hasSpans !== true) return recovered;
      const last = recovered.records.at(-1)?.lsn ?? 0;
      const first = recovered.records[0]?.lsn ?? 0;
      const problems = await recovered.log.checkReading(last > first ? [Math.ceil((first + last) / 2)] : []);
      if (problems.length > 0) throw new Error(problems.join('\n'));
      return recovered;
    },
    verify: async (state, oracle, after) => {
      seen.add(state.hash);
      if (checked++ % RECOVERED_STAYS_EVERY !== 0) return;
      // What recovery returned stays: the machine stops right after it, and nothing unsynced survives.
      const first = await recoverAll(SimStorage.boot(state.image), options);
      const future = oracle.fork();
      future.reopened(first.records, first.nextLsn);
      const again = await recoverAll(SimStorage.boot(after.durableImage()), options);
      expect(future.check(again.records, again.nextLsn)).toEqual([]);
      if (workload.hasSpans) expect(await again.log.checkReading()).toEqual([]);
    },
    states: { samples, exhaustiveUpTo: samples, ...workload.states },
  });
}
