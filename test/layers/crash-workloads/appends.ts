/** appends: workloads of plain appends: one at a time, of several producers, as batches, unsynced, and with conditions. */
import type { Workload } from '../../support/engine-sweep.js';
import { expecting, unsynced } from '../../support/harness-producer.js';
import { groupOf, large, small, torn } from './payloads.js';

export const appends: readonly Workload[] = [
  {
    name: 'single appends',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 30; i++) await log.append(small(i));
    },
  },
  {
    name: 'groups from three producers',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let round = 0; round < 20; round++) {
        for (let i = 0; i < 24; i++) log.submit(small(round * 100 + i), i % 3);
        await log.commit();
      }
    },
  },
  {
    name: 'batches',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 40; i += 5) {
        await log.append([small(i), small(i + 1), small(i + 2)]);
        await log.append([large(i + 3), small(i + 4)]);
      }
      await log.append([small(60)]);
      await log.append(Array.from({ length: 40 }, (_, i) => small(100 + i)));
    },
  },
  {
    name: 'batches of three producers in one group',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let round = 0; round < 14; round++) {
        for (const producer of [0, 1, 2]) {
          const id = round * 100 + producer * 10;
          log.submit([small(id), small(id + 1), large(id + 2).subarray(0, 900)], producer);
          log.submit(small(id + 3), producer);
        }
        await log.commit();
      }
    },
  },
  {
    name: 'groups of several sectors, torn to zeros and garbage',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 24; i++) await log.append(large(i));
    },
  },
  {
    name: 'groups of several sectors, old or new',
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 40; i++) await log.append(large(i));
    },
  },
  {
    name: 'groups of many sectors, of producers that submit more than a group at a time',
    options: { segmentBytes: 48 * 1024, maxGroupBytes: 8192, ringBytes: 32 * 1024 },
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 24; i += 3) {
        for (const producer of [0, 1, 2]) log.submit(large(i + producer), producer);
        log.submit(large(100 + i), 0);
        await log.commit();
      }
    },
  },
  {
    name: 'empty records, and a record as large as a group',
    states: torn,
    run: async (open) => {
      const log = await open();
      const empty = new Uint8Array(0);
      await log.append(empty);
      for (let i = 0; i < 10; i++) {
        log.submit(empty, 0); // all empty ones are one producer's: the oracle could not tell them apart
        log.submit([empty, small(i)], 0);
        await log.commit();
        await log.append(large(50 + i).subarray(0, 2900 + i * 8));
      }
    },
  },
  {
    name: 'records with a checksum of their own',
    options: { recordChecksums: true },
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 10; i++) {
        await log.append([small(i), large(i + 100)]);
        await log.append(small(i + 200));
      }
      const again = await open();
      for (let i = 0; i < 6; i++) await again.append(large(i + 300));
    },
  },
  {
    name: 'appends that wait for no sync, between ones that do',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 8; i++) {
        log.submit(small(i * 10), 0, unsynced);
        await log.commit();
        log.submit(large(i * 10 + 1), 1, unsynced);
        await log.commit();
        if (i % 4 === 1) await log.append(small(i * 10 + 2), 2);
        if (i % 4 === 2) void log.producer(2).sync();
        await log.commit();
      }
    },
  },
  {
    name: 'appends that wait for no sync, in groups that end where blocks do',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 4; i++) await log.append(groupOf(i, 128));
      for (let i = 4; i < 40; i++) {
        log.submit(groupOf(i, 128), i % 3, unsynced);
        await log.commit();
      }
      await log.append(groupOf(40, 128));
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
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let round = 0; round < 12; round++) {
        const next = log.state.durableLsn + 1;
        for (const producer of [0, 1, 2]) log.submit(small(round * 10 + producer), producer, expecting(next));
        log.submit([small(round * 10 + 3), small(round * 10 + 4)], round % 3, expecting(next + 1));
        log.submit(large(round * 10 + 5), 2);
        log.submit(small(round * 10 + 6), 2, expecting(next));
        await log.commit();
      }
    },
  },
];
