/**
 * full-disk: what can be done on a disk that has no room for another segment when the active one is full: truncation, which
 * makes room, and what needs none.
 */
import { expect, it } from 'vitest';
import { UNSYNCED } from '../../dist/src/ring/layout.js';
import { EngineHarness, payloadOf, recoverAll, simulatedEnvironment } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';

/** LSNs 1 to 3 in a closed segment, the active one full, no spare, and an append that waits. */
async function full(isTransaction = false, chunkFlags = 0) {
  let isFull = false;
  const retries: (() => void)[] = [];
  const environment = {
    ...simulatedEnvironment(1),
    pause: () => new Promise<void>((resolve) => retries.push(resolve)),
  };
  const storage = new SimStorage({
    plan: ({ kind, name = '' }) => {
      if (kind === 'unlink' && name.endsWith('.wal')) isFull = false; // a segment goes, and another one has room
      return isFull && kind === 'create' && /^\d+\.new$/.test(name) ? { code: 'ENOSPC' } : undefined;
    },
  });
  const log = await EngineHarness.open(storage, undefined, {}, 1, { environment });
  await log.append(payloadOf(1, 40));
  if (isTransaction) void log.begin().append(payloadOf(2, 40));
  else log.submit([payloadOf(2, 40), payloadOf(3, 40)]);
  await log.commit();
  isFull = true;
  await log.rotate();
  let lsn = 3;
  for (let outcome = ''; outcome !== 'no-segment'; lsn++) {
    log.submit(payloadOf(lsn + 1, 1000), 0, { chunkFlags });
    outcome = String(log.engine.step());
  }
  const makeRoom = async (): Promise<void> => {
    isFull = false;
    for (const retry of retries.splice(0)) retry();
    await new Promise((resolve) => setImmediate(resolve));
    await log.engine.maintenanceIdle();
  };
  return { storage, log, lastLsn: lsn, makeRoom };
}

// Each mark took a block of the active segment, of which a full one has one left: the first, which freed nothing, took
// it, and the one that would have freed a segment waited for ever, as did all appends.
it('truncation in small steps frees a segment when it comes to its end, and appends go on', async () => {
  const { storage, log, lastLsn } = await full();
  expect(await log.truncateBefore(2)).toBe(1);
  expect(await log.truncateBefore(3)).toBe(1);
  expect(log.state.firstLsn).toBe(1);
  expect(await log.truncateBefore(4)).toBe(4);
  await log.commit();
  expect(log.state.durableLsn).toBe(lastLsn);
  await log.close();
  const { records } = await recoverAll(SimStorage.boot(storage.durableImage()));
  expect(records.map(({ lsn }) => lsn)).toEqual(Array.from({ length: lastLsn - 3 }, (_, i) => 4 + i));
});

it('so does a consumer that acknowledges record by record what was to be truncated behind it', async () => {
  const { log, lastLsn } = await full();
  await log.engine.cursors.position('consumer');
  expect(await log.truncateBefore(lastLsn)).toBe(1);
  for (let lsn = 1; lsn <= 3; lsn++) {
    await log.engine.cursors.ack('consumer', lsn);
    await log.drive(log.engine.review());
    await log.engine.maintenanceIdle();
  }
  await log.commit();
  expect([log.state.firstLsn, log.state.durableLsn]).toEqual([4, lastLsn]);
  await log.close();
});

it('what was put off is done by itself once there is room', async () => {
  const { log, makeRoom } = await full();
  expect(await log.truncateBefore(3)).toBe(1);
  await log.drive(log.engine.review());
  expect(log.state.firstLsn).toBe(1);
  await makeRoom();
  await log.drive(log.engine.review());
  expect(log.state.firstLsn).toBe(3);
  await log.close();
});

it('no mark is spent on a segment that an open transaction keeps', async () => {
  const { log } = await full(true);
  expect(await log.truncateBefore(4)).toBe(1);
  expect(log.state.firstLsn).toBe(1);
});

// It waited for as long as the disk was full, and what it was for was not durable meanwhile.
it('a sync is answered while the append of another thread waits for room, which goes on when there is some', async () => {
  const { log, lastLsn, makeRoom } = await full(false, UNSYNCED);
  const written = lastLsn - 1;
  expect([log.state.durableLsn, log.state.lastLsn]).toEqual([3, written]);
  expect(await log.drive(log.producer(1).sync())).toBe(written);
  expect(log.state.durableLsn).toBe(written);
  expect(log.engine.step()).toBe('no-segment');
  await makeRoom();
  await log.commit();
  expect(log.state.lastLsn).toBe(lastLsn);
  await log.close();
});
