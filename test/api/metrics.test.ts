/** metrics: the counters and distributions of `stats()` say what happened. */
import { expect, it } from 'vitest';
import { attachLog, type LogOptions, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 32_768 };

it('counts appends, bytes, groups, syncs and what becomes of segments', async () => {
  const log = await openLog(tempDir(), SMALL);
  for (let round = 0; round < 40; round++) {
    await Promise.all(Array.from({ length: 10 }, () => log.append(Buffer.alloc(1000))));
    if (round % 10 === 9) await log.truncateBefore(log.durableLsn);
  }
  const stats = await log.stats();
  expect(stats.records).toBe(400);
  expect(stats.bytes).toBe(400 * 1008);
  expect(stats.groups).toBeGreaterThanOrEqual(40);
  expect(stats.syncs).toBeGreaterThanOrEqual(stats.groups);
  expect(stats.rotations).toBeGreaterThanOrEqual(5);
  expect(stats.segmentsRecycled + stats.segmentsRemoved).toBeGreaterThan(0);
  expect(stats.segmentsPrepared + stats.segmentsRecycled).toBeGreaterThanOrEqual(stats.rotations);
  expect(stats).toMatchObject({ ioErrors: 0, maintenanceErrors: 0, producers: 1, inFlight: 0, ringBytes: 0 });
  expect(stats.ringCapacityBytes).toBe(32_768);
  await log.close();
});

it('has a distribution over groups of records, bytes, wait and sync', async () => {
  const log = await openLog(tempDir(), SMALL);
  for (let group = 0; group < 20; group++) {
    await log.appendBatch(Array.from({ length: 7 }, () => Buffer.alloc(100)));
  }
  const { groups, groupRecords, groupBytes, waitUs, syncUs, syncs, syncUsTotal } = await log.stats();
  expect(groupRecords).toMatchObject({ count: groups, mean: 7, p50: 7, max: 7 });
  expect(groupBytes).toMatchObject({ count: groups, p50: 7 * 112 });
  expect(waitUs.count).toBe(groups);
  expect(waitUs.p50).toBeLessThan(1_000_000);
  expect(syncUs.count).toBe(syncs);
  expect(Math.abs(syncUs.mean * syncs - syncUsTotal)).toBeLessThan(syncs);
  await log.close();
});

it('counts values by powers of two, with their sum: buckets add up to the count', async () => {
  const log = await openLog(tempDir(), SMALL);
  for (const records of [1, 2, 3, 4, 5, 8, 9])
    await log.appendBatch(Array.from({ length: records }, () => 'a'));
  const { groupRecords, syncUs, waitUs, groupBytes } = await log.stats();
  expect(groupRecords).toMatchObject({ count: 7, sum: 32, buckets: [1, 1, 2, 2, 1] });
  for (const { count, sum, mean, buckets } of [syncUs, waitUs, groupBytes]) {
    expect(buckets.reduce((all, one) => all + one, 0)).toBe(count);
    expect(Math.abs(sum - mean * count)).toBeLessThan(count);
    expect(buckets.at(-1)).toBeGreaterThan(0);
  }
  await log.close();
});

it('tells how full the rings of all threads are together', async () => {
  const log = await openLog(tempDir(), { ...SMALL, windowUs: 1_000_000 });
  const other = await attachLog(log.handle());
  const appends = [log.append(Buffer.alloc(1000)), other.append(Buffer.alloc(2000))];
  let stats = await log.stats();
  while (stats.ringsUsedBytes < 3000) stats = await log.stats();
  expect(stats).toMatchObject({ ringsUsedBytes: 1008 + 2008, ringsCapacityBytes: 2 * 32_768, producers: 2 });
  await log.sync();
  await Promise.all(appends);
  expect((await log.stats()).ringsUsedBytes).toBe(0);
  await other.close();
  await log.close();
});
