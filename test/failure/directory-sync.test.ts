/**
 * directory-sync: a directory whose names can not be made durable is no place for a log. Windows refuses the sync of a
 * directory with EPERM, network file systems with EINVAL: others take that for success and go on.
 */
import { expect, it } from 'vitest';
import { EngineHarness, payloadOf, recoverAll } from '../support/engine-harness.js';
import type { FaultPlan } from '../support/sim-fault.js';
import { SimStorage } from '../support/sim-storage.js';

const CODES = ['EPERM', 'EINVAL', 'ENOTSUP', 'EACCES'];

// Class 53.
it.each(CODES)('opening is refused when it says %s, also of a log that is there', async (code) => {
  const plan: FaultPlan = ({ kind }) => (kind === 'syncDirectory' ? { code } : undefined);
  const refused = { code: 'RINGWAL_IO', cause: { code } };
  await expect(EngineHarness.open(new SimStorage({ plan }))).rejects.toMatchObject(refused);
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage);
  await log.append(payloadOf(1, 40));
  const disk = storage.durableImage();
  const again = SimStorage.boot(disk, { plan });
  await expect(EngineHarness.open(again, undefined, {}, 2)).rejects.toMatchObject(refused);
  expect(again.openFiles).toEqual([]);
  const { records } = await recoverAll(SimStorage.boot(again.durableImage()));
  expect(records.map(({ lsn }) => lsn)).toEqual([1]);
});

it('no segment is used whose name it could not make durable: appends wait, and nothing is acknowledged', async () => {
  let isRefused = false;
  const storage = new SimStorage({
    plan: ({ kind }) => (isRefused && kind === 'syncDirectory' ? { code: 'EPERM' } : undefined),
  });
  const log = await EngineHarness.open(storage);
  isRefused = true;
  for (let lsn = 1; log.engine.stats().rotations === 0; lsn++) await log.append(payloadOf(lsn, 3000)); // the spare
  const { durableLsn } = log.state;
  for (let i = 0; i < 20; i++) log.submit(payloadOf(100 + i, 3000));
  let outcome: unknown;
  for (let i = 0; i < 50 && outcome !== 'no-segment'; i++) outcome = log.engine.step();
  expect(outcome).toBe('no-segment');
  await log.engine.maintenanceIdle();
  expect(log.engine.stats().maintenanceErrors).toBeGreaterThan(0);
  expect(log.engine.stats().rotations).toBe(1);
  expect(log.state.durableLsn).toBeGreaterThanOrEqual(durableLsn);
  const { records } = await recoverAll(SimStorage.boot(storage.durableImage()));
  expect(records.length).toBe(log.state.durableLsn);
});
