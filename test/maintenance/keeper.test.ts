/** keeper: file operations of maintenance that fail: counted, tried again, and never at the expense of the log. */
import { expect, it } from 'vitest';
import { CommitMetrics } from '../../dist/src/commit/commit-metrics.js';
import { SegmentKeeper } from '../../dist/src/maintenance/segment-keeper.js';
import { EngineHarness, payloadOf, recoverAll, simulatedEnvironment } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';

it('tries a removal that failed again after a pause, not at every turn, until it succeeds', async () => {
  const stuck = '00000000000000000007.new';
  let isStuck = true;
  const storage = new SimStorage({
    plan: ({ kind, name }) =>
      isStuck && kind === 'unlink' && name === stuck ? { code: 'EBUSY' } : undefined,
  });
  await (await storage.create(stuck)).close();
  const attempts = (): number =>
    storage.operations.filter(({ kind, name }) => kind === 'unlink' && name === stuck).length;
  let us = 0;
  const metrics = new CommitMetrics();
  const keeper = new SegmentKeeper(
    storage,
    { closed: [], leftovers: [], abandoned: [stuck], nextNumber: 1 },
    metrics,
    {
      logId: new Uint8Array(16),
      epoch: 1,
      segmentBytes: 24 * 1024,
      recycle: true,
      environment: { ...simulatedEnvironment(1), monotonicUs: () => us },
      mayFill: () => false,
      isLinked: () => true,
      onSpare: () => {},
    },
  );
  await keeper.idle();
  const before = attempts();
  expect(before).toBeGreaterThan(0);
  expect(keeper.spare, 'what is stuck keeps no spare from being made').toBeDefined();
  for (let turn = 0; turn < 100; turn++) {
    keeper.nudge();
    await keeper.idle();
  }
  expect(attempts()).toBe(before);
  us += 10_000_000;
  keeper.nudge();
  await keeper.idle();
  expect(attempts()).toBe(before + 1);
  expect(metrics.maintenanceErrors).toBe(attempts());
  isStuck = false;
  us += 10_000_000;
  keeper.nudge();
  await keeper.idle();
  expect(await storage.list()).not.toContain(stuck);
  expect(metrics.segmentsRemoved).toBe(1);
  await keeper.close();
  expect(storage.openFiles).toEqual([]);
});

it('closes a sealed file that could not be shortened, and does not reuse it, its size being in doubt', async () => {
  let refusals = 0;
  const storage = new SimStorage({
    plan: ({ kind, bytes = 0 }) => {
      if (kind !== 'truncate' || bytes >= 24 * 1024) return undefined;
      refusals++;
      return { code: 'EIO' };
    },
  });
  const log = await EngineHarness.open(storage);
  for (let lsn = 1; lsn <= 3; lsn++) {
    await log.append(payloadOf(lsn, 40));
    await log.rotate();
  }
  expect(refusals).toBe(3);
  expect(log.engine.stats()).toMatchObject({ maintenanceErrors: 3 });
  expect(storage.openFiles.length, 'the active segment and the spare').toBe(2);
  await log.truncateBefore(4);
  expect(log.engine.stats()).toMatchObject({ segmentsRemoved: 3, segmentsRecycled: 0 });
  await log.append(payloadOf(4, 40));
  await log.close();
  expect(storage.openFiles).toEqual([]);
  const { records } = await recoverAll(SimStorage.boot(storage.liveImage()));
  expect(records.map(({ lsn }) => lsn)).toEqual([4]);
});
