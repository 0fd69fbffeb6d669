/** spans: workloads of records that reach over groups: transactions, and records larger than a group. */
import { type EngineHarness, payloadOf } from '../../support/engine-harness.js';
import type { Workload } from '../../support/engine-sweep.js';
import { Prng } from '../../support/prng.js';
import { large, larger, small, torn } from './payloads.js';

/** Appends and ends transactions of three producers as chance has it, a group now and then between them. */
async function transact(log: EngineHarness, seed: number, steps: number): Promise<void> {
  const prng = new Prng(seed);
  const open = [0, 1, 2].map((producer) => ({ producer, tx: log.begin(producer) }));
  for (let i = 0; i < steps; i++) {
    const slot = prng.below(open.length);
    const { producer, tx } = open[slot] as (typeof open)[number];
    const id = seed * 1000 + i;
    const what = prng.below(10);
    if (what < 5) void tx.append(prng.below(4) === 0 ? large(id) : small(id));
    else if (what < 6) log.submit(small(id), producer);
    else if (what < 9) {
      void (prng.below(3) === 0 ? tx.abort() : tx.commit()).catch(() => {});
      open[slot] = { producer, tx: log.begin(producer) };
    } else await log.commit();
  }
  await log.commit();
}

export const spans: readonly Workload[] = [
  {
    name: 'one transaction after the other',
    hasSpans: true,
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 3; i++) {
        const tx = log.begin();
        void tx.append(small(i * 10));
        await log.commit();
        void tx.append(small(i * 10 + 1));
        void (i === 1 ? tx.abort() : tx.commit()).catch(() => {});
        await log.commit();
      }
    },
  },
  {
    name: 'transactions of three producers, over rotations',
    hasSpans: true,
    run: async (open) => {
      const log = await open();
      await transact(log, 1, 60);
      await log.rotate();
      await transact(log, 2, 60);
    },
  },
  {
    name: 'transactions that are open when the log is closed, crashes, and is truncated',
    hasSpans: true,
    run: async (open) => {
      const log = await open();
      await transact(log, 3, 25);
      const tx = log.begin();
      void tx.append(small(1));
      await log.append(small(2));
      await log.truncateBefore(log.state.durableLsn);
      await log.rotate();
      await log.append(large(3));
      void tx.append(small(4));
      await log.rotate();
      void tx.commit().catch(() => {});
      await log.append(small(5));
      await log.truncateBefore(log.state.durableLsn);
      const left = log.begin();
      void left.append(small(6));
      await log.commit();
      await log.close();
      const again = await open();
      await transact(again, 4, 20);
      const third = await open();
      await transact(third, 5, 20);
      await third.truncateBefore(third.state.durableLsn);
      await third.append(small(7));
    },
  },
  {
    name: 'large records among small ones',
    hasSpans: true,
    options: { ringBytes: 8192 },
    states: torn,
    run: async (open) => {
      const log = await open();
      log.submitLarge(larger(1), 0);
      log.submit(small(2), 1);
      log.submitLarge(larger(3), 1);
      log.submit(small(4), 0);
      await log.commit();
      log.submitLarge(payloadOf(5, 30_000), 2);
      log.submit(small(6), 0);
      await log.commit();
      await log.append(small(7), 2);
    },
  },
  {
    name: 'large records over rotations, truncations and reopening, some in transactions',
    hasSpans: true,
    states: torn,
    run: async (open) => {
      const log = await open();
      log.submitLarge(larger(1));
      await log.commit();
      await log.truncateBefore(log.state.durableLsn);
      const tx = log.begin(1);
      void tx.append(larger(2));
      log.submitLarge(larger(3), 2);
      await log.commit();
      await log.rotate();
      void tx.append(small(4));
      void tx.commit().catch(() => {});
      await log.commit();
      await log.truncateBefore(log.state.durableLsn);
      await log.close();
      const again = await open();
      again.submitLarge(larger(5), 1);
      await again.commit();
      await again.truncateBefore(again.state.durableLsn + 1);
      await again.append(small(6));
    },
  },
];
