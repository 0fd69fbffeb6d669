/**
 * span-crashes: as engine-crashes, for records that reach over groups, that wait for no sync, and that expect an LSN.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { type EngineHarness, payloadOf } from '../support/engine-harness.js';
import { sweepWorkload, type Workload } from '../support/engine-sweep.js';
import { expecting, unsynced } from '../support/harness-producer.js';
import { Prng } from '../support/prng.js';

/** Images tried at one crash point; the points are what matters here. */
const SAMPLES = Number(process.env.RINGWAL_SPAN_CRASH_SAMPLES ?? 40);

const seen = new Set<number>();

const small = (id: number): Uint8Array => payloadOf(id, 40);
const large = (id: number): Uint8Array => payloadOf(id, 3000);
const larger = (id: number): Uint8Array => payloadOf(id, 9000);

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

const workloads: readonly Workload[] = [
  {
    name: 'one transaction after the other',
    hasSpans: true,
    states: { tearsToZeros: true, tearsToGarbage: true },
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
    states: { tearsToZeros: true },
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
  {
    name: 'appends that wait for no sync, between ones that do',
    states: { tearsToZeros: true, tearsToGarbage: true },
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 4; i++) {
        log.submit(small(i * 10), 0, unsynced);
        await log.commit();
        log.submit(large(i * 10 + 1), 1, unsynced);
        await log.commit();
        if (i === 1) await log.append(small(i * 10 + 2), 2);
        if (i === 2) void log.producer(2).sync();
        await log.commit();
      }
    },
  },
  {
    name: 'appends that wait for no sync, over rotations, marks and reopening',
    options: { padGroups: true },
    states: { hasPowerSafeOverwrite: false },
    run: async (open) => {
      const log = await open();
      log.submit(large(1), 0, unsynced);
      await log.commit();
      await log.rotate();
      void log.producer(0).sync(); // nothing is unsynced, and the new segment's LINK is not written yet
      await log.commit();
      log.submit(large(2), 0, unsynced);
      await log.commit();
      log.submit(small(3), 1, unsynced);
      await log.commit();
      await log.mark();
      log.submit(small(4), 0, unsynced);
      await log.commit();
      const again = await open();
      again.submit(large(5), 0, unsynced);
      await again.commit();
      void again.producer(0).sync();
      await again.commit();
      for (let i = 6; i < 14; i++) {
        again.submit(large(i), i % 3, unsynced);
        await again.commit();
      }
      await again.append(small(14));
    },
  },
  {
    name: 'appends that expect an LSN, of three producers at a time',
    run: async (open) => {
      const log = await open();
      for (let round = 0; round < 4; round++) {
        const next = log.state.durableLsn + 1;
        for (const producer of [0, 1, 2]) log.submit(small(round * 10 + producer), producer, expecting(next));
        log.submit([small(round * 10 + 3), small(round * 10 + 4)], round % 3, expecting(next + 1));
        log.submit(small(round * 10 + 5), 2);
        log.submit(small(round * 10 + 6), 2, expecting(next));
        await log.commit();
      }
    },
  },
];

describe('after a crash at any moment', () => {
  for (const workload of workloads) {
    it(workload.name, { timeout: 120_000 }, async () => {
      const before = performance.now();
      const { points, states } = await sweepWorkload(workload, seen, SAMPLES);
      const seconds = ((performance.now() - before) / 1000).toFixed(1);
      console.log(`${workload.name}: ${points} crash points, ${states} states, ${seconds} s`);
      expect(points).toBeGreaterThan(10);
    });
  }

  afterAll(() => {
    console.log(`crash states: ${seen.size} distinct`);
    expect(seen.size).toBeGreaterThanOrEqual(1000);
  });
});
