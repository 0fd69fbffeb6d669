/**
 * phantom-names: bug class 14 for directory entries: after a failed sync of the directory the running system shows names
 * that are not on the disk, and the next sync, which succeeds, need not bring them there (M7).
 *
 * Found by the layer io-errors (cases 121456 and 136359). The segment that an opening had built claimed that its first
 * groups were durable before its name was: the next opening believed it and linked to it, and after a power cut a
 * segment was missing. A cursor's file was trusted as soon as it could be seen.
 */
import { expect, it } from 'vitest';
import { EngineHarness, payloadOf, recoverAll } from '../support/engine-harness.js';
import { unsynced } from '../support/harness-producer.js';
import { Oracle } from '../support/oracle.js';
import { SimStorage } from '../support/sim-storage.js';

/** A machine on which the next sync of the directory fails, once it is armed. */
function machine() {
  const fault = { isArmed: false };
  const storage = new SimStorage({
    plan: ({ kind }) => {
      if (kind !== 'syncDirectory' || !fault.isArmed) return undefined;
      fault.isArmed = false;
      return { code: 'EIO' };
    },
  });
  return { storage, fault };
}

it('a segment whose directory sync failed while opening is not trusted by the opening after it', async () => {
  const { storage, fault } = machine();
  const oracle = new Oracle();
  const first = await EngineHarness.open(storage, oracle);
  for (const id of [10, 11, 12]) {
    first.submit(payloadOf(id, 3000), 0, unsynced);
    await first.commit();
  }
  fault.isArmed = true;
  await expect(EngineHarness.open(storage, oracle, {}, 2)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  const log = await EngineHarness.open(storage, oracle, {}, 3);
  await log.append(payloadOf(2, 40));
  const { records, nextLsn } = await recoverAll(SimStorage.boot(storage.durableImage()));
  expect(oracle.check(records, nextLsn)).toEqual([]);
});

it('a cursor whose directory sync failed while it was made is not trusted when it is asked for again', async () => {
  const { storage, fault } = machine();
  const log = await EngineHarness.open(storage);
  await log.append(payloadOf(1, 40));
  fault.isArmed = true;
  await expect(log.engine.cursors.position('one')).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  await log.engine.maintenanceIdle();
  const again = await EngineHarness.open(storage, undefined, {}, 2);
  expect(await again.engine.cursors.position('one')).toBe(0);
  expect(await again.engine.cursors.ack('one', 1)).toBe(1);
  const { log: after } = await recoverAll(SimStorage.boot(storage.durableImage()));
  expect(after.engine.cursors.list()).toEqual([{ name: 'one', position: 1 }]);
});
