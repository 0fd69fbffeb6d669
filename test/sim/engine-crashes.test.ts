/** engine-crashes: the engine under every workload, stopped before every change, recovered from what is left. */
import { afterAll, describe, expect, it } from 'vitest';
import { sweepCrashes } from '../support/crash-sweep.js';
import { EngineHarness, payloadOf, recoverAll } from '../support/engine-harness.js';
import { sweepWorkload, type Workload } from '../support/engine-sweep.js';
import { Oracle } from '../support/oracle.js';

/** Distinct disk images over all workloads; the promise of this file. */
const LEAST_STATES = Number(process.env.RINGWAL_CRASH_STATES ?? 20_000);
const seen = new Set<number>();

const small = (id: number): Uint8Array => payloadOf(id, 40);
const large = (id: number): Uint8Array => payloadOf(id, 3000);

const workloads: readonly Workload[] = [
  {
    name: 'single appends',
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 6; i++) await log.append(small(i));
    },
  },
  {
    name: 'groups from three producers',
    run: async (open) => {
      const log = await open();
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 6; i++) log.submit(small(round * 10 + i), i % 3);
        await log.commit();
      }
    },
  },
  {
    name: 'batches',
    states: { tearsToZeros: true, tearsToGarbage: true },
    run: async (open) => {
      const log = await open();
      await log.append([small(1), small(2), small(3)]);
      await log.append([large(4), small(5)]);
      await log.append([small(6)]);
    },
  },
  {
    name: 'groups of several sectors, torn to zeros and garbage',
    states: { tearsToZeros: true, tearsToGarbage: true },
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 3; i++) await log.append(large(i));
    },
  },
  {
    name: 'rotation when a segment is full',
    states: { tearsToZeros: true, tearsToGarbage: true },
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 9; i++) await log.append(large(i));
    },
  },
  {
    name: 'rotation on request',
    run: async (open) => {
      const log = await open();
      await log.append(small(1));
      await log.rotate();
      await log.append(small(2));
      await log.rotate();
      await log.append(small(3));
    },
  },
  {
    name: 'truncation that removes files',
    states: { tearsToZeros: true, tearsToGarbage: true },
    options: { recycle: false },
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 6; i++) {
        await log.append(large(i));
        await log.append(large(i + 100));
        await log.rotate();
      }
      await log.truncateBefore(8);
      await log.append(small(7));
      await log.truncateBefore(13);
      await log.append(small(8));
    },
  },
  {
    name: 'truncation that recycles files, and appends into them',
    states: { tearsToZeros: true, tearsToGarbage: true },
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 8; i++) await log.append(large(i));
      await log.truncateBefore(6);
      for (let i = 10; i < 16; i++) await log.append(large(i));
      await log.truncateBefore(13);
      for (let i = 20; i < 24; i++) await log.append(large(i));
    },
  },
  {
    name: 'truncation of everything',
    run: async (open) => {
      const log = await open();
      await log.append(small(1));
      await log.append(small(2));
      await log.truncateBefore(3);
      await log.rotate();
      await log.append(small(3));
      await log.truncateBefore(4);
      await log.close();
      const again = await open();
      await again.append(small(4));
    },
  },
  {
    name: 'closing and opening again',
    states: { tearsToZeros: true, tearsToGarbage: true },
    run: async (open) => {
      for (let i = 0; i < 3; i++) {
        const log = await open();
        await log.append(small(i));
        await log.append(large(i + 10));
        await log.close();
      }
      const log = await open();
      await log.close();
    },
  },
  {
    name: 'opening again without closing',
    run: async (open) => {
      for (let i = 0; i < 4; i++) {
        const log = await open();
        await log.append(small(i));
        if (i !== 2) await log.append(small(i + 10));
      }
    },
  },
  {
    name: 'marks between groups',
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 4; i++) {
        await log.append(small(i));
        await log.mark();
      }
      await log.append(large(9));
    },
  },
  {
    name: 'padded groups on a device that tears pages',
    options: { padGroups: true },
    states: { hasPowerSafeOverwrite: false },
    run: async (open) => {
      const log = await open();
      await log.append(small(1));
      await log.append(large(2));
      await log.mark();
      await log.append(small(3));
      await log.rotate();
      await log.append(small(4));
      await log.append(small(5));
    },
  },
];

describe('after a crash at any moment every acknowledged record is there, and nothing that was not appended', () => {
  for (const workload of workloads) {
    it(workload.name, { timeout: 120_000 }, async () => {
      const before = performance.now();
      const { points, states } = await sweepWorkload(workload, seen);
      const seconds = ((performance.now() - before) / 1000).toFixed(1);
      console.log(`${workload.name}: ${points} crash points, ${states} states, ${seconds} s`);
      expect(points).toBeGreaterThan(10);
    });
  }

  it('when syncs failed before, in the same boot and after a reboot', { timeout: 120_000 }, async () => {
    let states = 0;
    for (const failedSync of ['lost', 'revert'] as const) {
      for (let nth = 0; nth < 4; nth++) {
        let syncs = 0;
        const figures = await sweepCrashes({
          workload: async (storage, oracle) => {
            const log = await EngineHarness.open(storage, oracle);
            for (let i = 0; i < 6; i++) await log.append(small(i));
          },
          oracle: new Oracle({ truncation: 'exact' }),
          faults: () => {
            syncs = -1; // the first one is recovery's own
            return (op) => (op.kind === 'syncGroup' && syncs++ === nth ? { code: 'EIO' } : undefined);
          },
          storage: { failedSync },
          recover: (storage) => recoverAll(storage),
          atEachPoint: async (storage, oracle) => {
            // The same boot: the page cache holds what never reached the disk.
            const inner = await sweepCrashes({
              start: storage,
              oracle,
              workload: async (again, future) => {
                const log = await EngineHarness.open(again, future, {}, 7);
                await log.append(small(50));
              },
              recover: (after) => recoverAll(after),
              states: { samples: 3, exhaustiveUpTo: 3 },
            });
            states += inner.states;
          },
          states: { samples: 6, exhaustiveUpTo: 6 },
        });
        states += figures.states;
      }
    }
    console.log(`failed syncs: ${states} states`);
    expect(states).toBeGreaterThan(1000);
  });

  it('when recovery itself is stopped, again and again', { timeout: 120_000 }, async () => {
    let states = 0;
    await sweepCrashes({
      workload: async (storage, oracle) => {
        const log = await EngineHarness.open(storage, oracle);
        await log.append(small(1));
        await log.append(large(2));
      },
      oracle: new Oracle({ truncation: 'exact' }),
      recover: (storage) => recoverAll(storage),
      verify: async (state, oracle) => {
        seen.add(state.hash);
        const inner = await sweepCrashes({
          start: state.image,
          oracle,
          workload: async (storage, future) => {
            await EngineHarness.open(storage, future, {}, 3);
          },
          recover: (storage) => recoverAll(storage),
          states: { samples: 8, exhaustiveUpTo: 8 },
        });
        states += inner.states;
      },
      states: { samples: 16, exhaustiveUpTo: 16 },
    });
    console.log(`nested crashes: ${states} states`);
    expect(states).toBeGreaterThan(1000);
  });

  afterAll(() => {
    console.log(`crash states: ${seen.size} distinct`);
    expect(seen.size).toBeGreaterThanOrEqual(LEAST_STATES);
  });
});
