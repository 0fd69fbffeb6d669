/** end-watcher: what it shows of a log that another process writes, poll by poll, and when it has to look at the whole directory. */
import { expect, it } from 'vitest';
import { EndWatcher } from '../../dist/src/reader/end-watcher.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';

/**
 * A writer, and who watches what it wrote so far: LSN 1, which nothing proves yet. Four records take more than half of a
 * segment, so that its file is not shortened when it is sealed, which who reads it meets as an error.
 */
async function watched() {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage, undefined, { recycle: false });
  const append = async (...lsns: number[]): Promise<void> => {
    for (const lsn of lsns) await log.append(payloadOf(lsn, 3200));
  };
  await append(1);
  const writer = { isAlive: true };
  const watcher = new EndWatcher(storage, async () => writer.isAlive);
  await watcher.look();
  /** First and last LSN, and those of the segments. */
  const poll = async (): Promise<unknown> => {
    await watcher.poll();
    const { firstLsn, durableLsn, segments } = watcher.view;
    return { from: firstLsn, to: durableLsn, in: segments.map((one) => `${one.firstLsn}-${one.lastLsn}`) };
  };
  return { storage, log, append, writer, watcher, poll };
}

it('shows a record once the next group, a mark or a SEAL proves it, and moves on behind the SEAL without a look', async () => {
  const { log, append, watcher, poll } = await watched();
  await append(2, 3);
  expect(await poll()).toEqual({ from: 1, to: 2, in: ['1-2'] });
  await log.mark();
  await append(4);
  expect(await poll()).toEqual({ from: 1, to: 3, in: ['1-3'] });
  await log.rotate();
  await append(5, 6);
  expect(await poll()).toEqual({ from: 1, to: 5, in: ['1-4', '5-5'] });
  expect(watcher.looks).toBe(1);
  await watcher.close();
});

it('shows where the log begins as soon as a mark says so', async () => {
  const { log, append, poll } = await watched();
  await append(2, 3);
  expect(await poll()).toMatchObject({ from: 1 });
  await log.truncateBefore(3);
  await append(4);
  expect(await poll()).toMatchObject({ from: 3, to: 3 });
});

it('forgets segments that end before an LSN, and not the one that ends with it', async () => {
  const { log, append, watcher, poll } = await watched();
  for (const lsn of [2, 3]) {
    await log.rotate();
    await append(lsn);
  }
  await append(4);
  expect(await poll()).toMatchObject({ in: ['1-1', '2-2', '3-3'] });
  watcher.forget(2);
  await append(5);
  expect(await poll()).toMatchObject({ in: ['2-2', '3-4'] });
});

it('holds one file open at most, over segments and looks, and none when closed', async () => {
  const { storage, log, append, watcher, poll } = await watched();
  await append(2);
  await log.engine.maintenanceIdle();
  const before = storage.openFiles.length;
  for (let lsn = 3; lsn <= 6; lsn++) {
    await append(lsn);
    await poll();
    expect(storage.openFiles.length).toBe(before + 1);
    if (lsn === 4) await log.rotate();
    await log.engine.maintenanceIdle();
    if (lsn === 5) await watcher.look();
  }
  await watcher.close();
  expect(storage.openFiles.length).toBe(before);
});

it('finds its way again when the segment in which it stood is gone', async () => {
  const { log, append, watcher, poll } = await watched();
  for (const lsn of [2, 3]) {
    await log.rotate();
    await append(lsn);
  }
  await log.truncateBefore(3);
  await log.engine.maintenanceIdle();
  expect(await poll()).toEqual({ from: 3, to: 3, in: ['3-3'] });
  expect(watcher.looks).toBe(2);
});

it('looks at the directory when the end stays unproven for a while: its writer may have died', async () => {
  const { append, writer, watcher, poll } = await watched();
  await append(2);
  expect(await poll()).toMatchObject({ to: 1 });
  writer.isAlive = false;
  let polls = 0;
  while (watcher.looks === 1 && polls < 100) {
    await poll();
    polls++;
  }
  expect(polls).toBeGreaterThan(1);
  expect(polls).toBeLessThan(20);
  expect(watcher.view.durableLsn).toBe(2);
});
