/** segments: workloads that change segments: rotation, truncation, recycling, marks, closing, opening again. */

import { MARK_BYTES } from '../../../dist/src/segment/segment-writer.js';
import type { Workload } from '../../support/engine-sweep.js';
import { groupOf, large, small, torn } from './payloads.js';

export const segments: readonly Workload[] = [
  {
    name: 'rotation when a segment is full',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 20; i++) await log.append(large(i));
    },
  },
  {
    name: 'rotation on request',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 6; i++) {
        await log.append(small(i));
        await log.append(large(i + 10));
        await log.rotate();
      }
      await log.append(small(30));
    },
  },
  {
    name: 'truncation that removes files',
    states: torn,
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
      for (let i = 0; i < 6; i++) await log.append(large(i + 200));
      await log.truncateBefore(18);
      await log.append(large(300));
    },
  },
  {
    name: 'truncation that recycles files, and appends into them',
    states: torn,
    run: async (open) => {
      const log = await open();
      // Six fill a segment. The spare that is there comes first, then the files that were given back, with all they held.
      for (let i = 0; i < 8; i++) await log.append(large(i));
      await log.truncateBefore(7);
      for (let i = 10; i < 16; i++) await log.append(large(i));
      await log.truncateBefore(13);
      for (let i = 20; i < 30; i++) await log.append(large(i));
    },
  },
  {
    name: 'recycled files that hold groups of the same sizes at the same places',
    states: torn,
    run: async (open) => {
      const log = await open();
      // A round fills a file as the one four before it did: two are spares by the time that the first is given back.
      for (let round = 0; round < 6; round++) {
        for (let i = 0; i < 2; i++) await log.append(large(round * 10 + i));
        await log.rotate();
        if (round > 0) await log.truncateBefore(round * 2 + 1);
      }
      const again = await open();
      for (let i = 0; i < 4; i++) await again.append(large(100 + i));
    },
  },
  {
    name: 'truncation inside a batch, and right behind each append',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 6; i++) {
        await log.append([small(i * 10), large(i * 10 + 1), small(i * 10 + 2)]);
        await log.truncateBefore(log.state.durableLsn - 1);
        if (i % 2 === 1) await log.rotate();
      }
      await log.append(large(90));
    },
  },
  {
    name: 'marks and groups of one write, of which the first ends where a block does',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let block = 1; block <= 2; block++) {
        const first = block === 1 ? 128 : 2048; // a LINK is there, or the group that the last mark rode with
        await log.append(groupOf(block * 10, 4096 - first - 1024 - MARK_BYTES));
        await log.append(groupOf(block * 10 + 1, 1024));
        log.submit(groupOf(block * 10 + 2, 2048));
        await log.truncateBefore(log.state.durableLsn);
      }
      await log.append(small(40));
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
    name: 'truncation over several openings',
    states: torn,
    run: async (open) => {
      for (let round = 0; round < 4; round++) {
        const log = await open();
        for (let i = 0; i < 4; i++) await log.append(large(round * 10 + i));
        await log.truncateBefore(round * 4 + 2);
        if (round % 2 === 0) await log.close();
      }
      const log = await open();
      await log.append(small(99));
    },
  },
  {
    name: 'closing and opening again',
    states: torn,
    run: async (open) => {
      for (let i = 0; i < 5; i++) {
        const log = await open();
        await log.append(small(i));
        for (let n = 0; n < 3; n++) await log.append(large(i * 10 + n + 10));
        await log.close();
      }
      const log = await open();
      await log.close();
    },
  },
  {
    name: 'opening again without closing',
    states: torn,
    run: async (open) => {
      for (let i = 0; i < 6; i++) {
        const log = await open();
        await log.append(small(i));
        if (i !== 2) await log.append(large(i + 10));
        if (i % 2 === 0) await log.append([small(i + 20), large(i + 30)]);
      }
    },
  },
  {
    name: 'opening again and again with nothing appended',
    states: torn,
    run: async (open) => {
      const log = await open();
      await log.append(large(1));
      await log.append(small(2));
      await open();
      const third = await open();
      await third.close();
      await open();
      await open();
      const last = await open();
      await last.append(large(3));
    },
  },
  {
    name: 'marks between groups',
    states: torn,
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 4; i++) {
        await log.append(small(i));
        await log.mark();
      }
      for (let i = 0; i < 18; i++) {
        await log.append(large(i + 9));
        if (i % 3 !== 2) await log.mark();
      }
    },
  },
  {
    name: 'padded groups on a device that tears pages',
    options: { padGroups: true },
    states: { hasPowerSafeOverwrite: false, ...torn },
    run: async (open) => {
      const log = await open();
      await log.append(small(1));
      await log.append(large(2));
      await log.mark();
      await log.append(small(3));
      await log.rotate();
      await log.append(small(4));
      await log.append(small(5));
      for (let i = 0; i < 10; i++) await log.append(large(i + 10));
      const again = await open();
      for (let i = 0; i < 5; i++) await again.append(large(i + 30));
    },
  },
  {
    name: 'padded groups, truncated and recycled, on a device that tears pages',
    options: { padGroups: true },
    states: { hasPowerSafeOverwrite: false },
    run: async (open) => {
      const log = await open();
      for (let i = 0; i < 8; i++) {
        await log.append([small(i), large(i + 50)]);
        if (i % 3 === 2) await log.truncateBefore(log.state.durableLsn - 2);
      }
      await log.close();
      const again = await open();
      for (let i = 0; i < 8; i++) await again.append(large(i + 100));
      await again.truncateBefore(again.state.durableLsn);
      await again.append(large(200));
    },
  },
];
