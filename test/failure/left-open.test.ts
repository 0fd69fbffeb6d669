/** left-open: after a failure no file stays open, and nothing more is done to the storage. Found by the simulation. */
import { expect, it } from 'vitest';
import { RingwalError } from '../../dist/src/errors.js';
import { CursorFile } from '../../dist/src/maintenance/cursor-file.js';
import { Follower } from '../../dist/src/read/follower.js';
import { readDirectory } from '../../dist/src/segment/segment-files.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import type { FaultPlan } from '../support/sim-fault.js';
import { SimStorage } from '../support/sim-storage.js';
import { StepStorage } from '../support/step-storage.js';

/** Fails the operations for which `isHit` is true, once the test says so. */
function failing(isHit: (kind: string, name: string) => boolean): { plan: FaultPlan; begin(): void } {
  let hasBegun = false;
  return {
    plan: ({ kind, name }) => (hasBegun && isHit(kind, name) ? { code: 'EIO' } : undefined),
    begin: () => {
      hasBegun = true;
    },
  };
}

it('closes the segment that was to come next, when the write of the SEAL before it fails', async () => {
  for (const kind of ['writeGroup', 'syncGroup']) {
    const fault = failing((failed) => failed === kind);
    const storage = new SimStorage({ plan: fault.plan });
    const log = await EngineHarness.open(storage);
    await log.append(payloadOf(1, 40));
    fault.begin();
    await expect(log.rotate()).rejects.toMatchObject({ code: 'RINGWAL_POISONED' });
    await log.close().catch(() => {});
    expect(storage.openFiles, kind).toEqual([]);
  }
});

it('ends a look at the directory only when no file is being read any more', async () => {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage);
  await log.append(payloadOf(1, 40));
  await log.rotate();
  await log.close();
  const fault = failing((kind, name) => kind === 'read' && name.startsWith('00000000000000000001'));
  const again = storage.fork({ plan: fault.plan });
  fault.begin();
  const steps = new StepStorage(again);
  let left: number | undefined;
  const looked = readDirectory(steps).catch((error: unknown) => {
    left = again.openFiles.length + steps.waiting;
    throw error;
  });
  void looked.catch(() => {});
  for (let i = 0; i < 100; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    steps.finish(0); // the oldest first: the failure comes while the other files are open
  }
  await expect(looked).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  expect(left).toBe(0);
});

it('takes no harm, and throws nothing untyped, when a file that a tail has read can not be closed', async () => {
  const fault = failing((kind) => kind === 'close');
  const storage = new SimStorage({ plan: fault.plan });
  const log = await EngineHarness.open(storage);
  await log.append(payloadOf(1, 40));
  const view = log.engine.view();
  const follower = new Follower(storage, { from: 1, transactions: 'committed', decoder: undefined });
  const found: number[] = [];
  for await (const records of follower.advance(view, () => 1)) found.push(...records.map(({ lsn }) => lsn));
  expect(found).toEqual([1]);
  fault.begin();
  await follower.close().catch((error: unknown) => expect(error).toBeInstanceOf(RingwalError));
});

it('closes every file of a log, also when closing one of them fails', async () => {
  const names = ['a.cursor', '00000000000000000001.new', '00000000000000000002.new'];
  for (const name of names) {
    const fault = failing((kind, failed) => kind === 'close' && failed.startsWith(name));
    const storage = new SimStorage({ plan: fault.plan });
    const log = await EngineHarness.open(storage);
    await log.engine.cursors.position('a');
    await log.append(payloadOf(1, 40));
    fault.begin();
    await log.close();
    expect(storage.openFiles, name).toEqual([]);
    expect(storage.violations).toEqual([]);
  }
});

it('lets go of the spare and of what was cut off, when closing the file that was cut fails', async () => {
  const fault = failing((kind, name) => kind === 'close' && name === '00000000000000000001.new');
  const storage = new SimStorage({ plan: fault.plan });
  const log = await EngineHarness.open(storage, undefined, { recycle: false });
  await log.append(payloadOf(1, 40));
  await log.append(payloadOf(2, 40));
  fault.begin();
  await log.drive(log.engine.truncateAfter(0));
  await log.engine.maintenanceIdle();
  expect([...storage.directory.live.keys()].sort()).toEqual([
    '00000000000000000003.wal',
    '00000000000000000004.wal',
  ]);
  await log.close();
  expect(storage.openFiles).toEqual([]);
});

it('does not close a cursor twice, when closing the file that is made anew fails', async () => {
  const unsynced = failing((kind) => kind === 'syncDirectory');
  const storage = new SimStorage({ plan: unsynced.plan });
  const logId = new Uint8Array(16);
  unsynced.begin();
  await expect(CursorFile.create(storage, 'a', logId, 7)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  expect([...storage.directory.live.keys()]).toEqual(['a.cursor']); // with its first position alone
  const unclosed = failing((kind) => kind === 'close');
  const next = storage.fork({ plan: unclosed.plan });
  unclosed.begin();
  await expect(CursorFile.open(next, 'a', logId)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  expect(next.violations).toEqual([]);
  expect((await CursorFile.open(storage.fork(), 'a', logId)).position).toBe(7);
});
