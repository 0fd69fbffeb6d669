/**
 * crash-sweep.test: a correct log survives every crash that the simulator knows, and none of the usual
 * mistakes does. This is what says that the simulator, the enumeration and the oracle are worth something
 * together.
 */
import { describe, expect, it } from 'vitest';
import { type CrashSweep, sweepCrashes } from '../support/crash-sweep.js';
import type { Oracle } from '../support/oracle.js';
import { type FaultPlan, SimViolation } from '../support/sim-fault.js';
import type { SimStorage } from '../support/sim-storage.js';
import { filled } from './sim-helpers.js';
import { type Mistake, ToyLog } from './toy-log.js';

/** Payloads of a bit more than a sector, so that every frame can tear. */
const PAYLOAD_BYTES = 600;

function append(log: ToyLog, oracle: Oracle, count: number): void {
  for (let i = 0; i < count; i++) {
    const payload = filled(PAYLOAD_BYTES, oracle.generation * 16 + log.nextLsn);
    const ticket = oracle.submit(payload);
    try {
      log.append(payload, (lsn) => oracle.acked(ticket, lsn));
    } catch (error) {
      oracle.failed(ticket);
      throw error;
    }
  }
}

function sweepOf(mistake: Mistake, more: Partial<CrashSweep> = {}): CrashSweep {
  return {
    workload: async (storage, oracle) => {
      const log = await ToyLog.open(storage, mistake);
      oracle.reopened(log.records, log.nextLsn);
      append(log, oracle, 3);
    },
    recover: async (storage) => {
      const { records, nextLsn } = await ToyLog.open(storage, mistake);
      return { records, nextLsn };
    },
    states: { tearsToZeros: true, samples: 300, exhaustiveUpTo: 300 },
    ...more,
  };
}

/** The third sync of a group fails, the following ones do not. */
function failedSync(): FaultPlan {
  let syncs = 0;
  return ({ kind }) => (kind === 'syncGroup' && ++syncs === 3 ? { code: 'EIO' } : undefined);
}

/** Opens again from what a crash has left, appends, and crashes again, at each operation. */
function nested(mistake: Mistake): Partial<CrashSweep> {
  const states = { exhaustiveUpTo: 64, samples: 64 };
  return {
    states,
    verify: async (state, oracle) => {
      await sweepCrashes(sweepOf(mistake, { start: state.image, oracle, states }));
    },
  };
}

/** Restarts the process at each crash point, on the cache that the killed one left, and crashes that. */
function killed(mistake: Mistake): Partial<CrashSweep> {
  return {
    faults: failedSync,
    workload: async (storage, oracle) => {
      const log = await ToyLog.open(storage, mistake);
      oracle.reopened(log.records, log.nextLsn);
      try {
        append(log, oracle, 4);
      } catch {
        // Poisoned by the failed sync, or stopped by the crash: either way this process is over.
      }
    },
    atEachPoint: async (storage: SimStorage, oracle: Oracle) => {
      await sweepCrashes(
        sweepOf(mistake, { start: storage, oracle, states: { samples: 32, exhaustiveUpTo: 32 } }),
      );
    },
  };
}

describe('a correct log', () => {
  it('survives every crash', async () => {
    const { points, states } = await sweepCrashes(sweepOf('none'));
    // Opening: create, truncate, write, sync, link, sync; then two for each append, and the end.
    expect(points).toBe(6 + 3 * 2 + 1);
    expect(states).toBeGreaterThan(2 * points);
  });

  it('survives a crash of its recovery, and of what it does after it', async () => {
    await sweepCrashes(sweepOf('none', nested('none')));
  });

  it('survives a failed sync, a restart on the cache it left, and a crash of that', async () => {
    await sweepCrashes(sweepOf('none', killed('none')));
  });
});

describe('a log that', () => {
  it.each<[mistake: Mistake, more: Partial<CrashSweep>, complaint: string]>([
    ['acks before the sync', {}, 'O3'],
    ['forgets to sync the directory', {}, 'O3'],
    ['forgets to sync the new file', nested('forgets to sync the new file'), 'O3'],
    ['checks no checksum', {}, 'O4'],
    ['writes two frames with a sync for the first only', {}, 'O3'],
    ['returns what is not durable', killed('returns what is not durable'), 'O3'],
    ['retries a failed sync', { faults: failedSync }, 'O3'],
    ['appends to the old file', nested('appends to the old file'), 'is from before the start'],
  ])('%s is caught', async (mistake, more, complaint) => {
    const error: unknown = await sweepCrashes(sweepOf(mistake, more)).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(complaint);
    if (!(error instanceof SimViolation)) expect(String(error)).toContain('--- before the crash');
  });

  it('shares pages among acknowledged and new frames is caught where pages tear (M9)', async () => {
    const sweep = sweepOf('none', { states: { hasPowerSafeOverwrite: false } });
    await expect(sweepCrashes(sweep)).rejects.toThrow('O3');
  });
});
