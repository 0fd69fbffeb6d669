/** keeper: file operations of maintenance that fail: counted, tried again, and never at the expense of the log. */
import { expect, it } from 'vitest';
import { CommitMetrics } from '../../dist/src/commit/commit-metrics.js';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { SegmentKeeper } from '../../dist/src/maintenance/segment-keeper.js';
import { EngineHarness, payloadOf, recoverAll, simulatedEnvironment } from '../support/engine-harness.js';
import { unsynced } from '../support/harness-producer.js';
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

it('makes one spare, when a retry comes due after truncation has brought one', async () => {
  let isFull = false;
  const retries: (() => void)[] = [];
  const environment = {
    ...simulatedEnvironment(1),
    pause: () => new Promise<void>((resolve) => retries.push(resolve)),
  };
  const storage = new SimStorage({
    plan: ({ kind }) => (isFull && kind === 'create' ? { code: 'ENOSPC' } : undefined),
  });
  const log = await EngineHarness.open(storage, undefined, { recycle: false }, 1, { environment });
  await log.append(payloadOf(1, 40));
  isFull = true;
  await log.rotate(); // the spare is used, and there is none behind it
  await log.append(payloadOf(2, 40));
  expect(retries).toHaveLength(1);
  isFull = false;
  await log.truncateBefore(2); // a segment goes, and a spare is made in its place
  const before = [...storage.directory.live.keys()].sort();
  for (const retry of retries) retry();
  await new Promise((resolve) => setImmediate(resolve));
  await log.engine.maintenanceIdle();
  expect([...storage.directory.live.keys()].sort()).toEqual(before);
  await log.close();
  expect(storage.openFiles).toEqual([]);
});

it('does not try ever more removals on a file system that takes no changes', async () => {
  let isReadOnly = false;
  const retries: (() => void)[] = [];
  let us = 0;
  const environment = {
    ...simulatedEnvironment(1),
    monotonicUs: () => us,
    pause: () => new Promise<void>((resolve) => retries.push(resolve)),
  };
  const storage = new SimStorage({
    plan: ({ kind }) =>
      isReadOnly && (kind === 'create' || kind === 'unlink') ? { code: 'EROFS' } : undefined,
  });
  const log = await EngineHarness.open(storage, undefined, {}, 1, { environment });
  await log.append(payloadOf(1, 40));
  isReadOnly = true;
  await log.rotate();
  const turn = async (): Promise<number> => {
    const before = storage.operations.length;
    us += 300_000;
    for (const retry of retries.splice(0)) retry();
    await new Promise((resolve) => setImmediate(resolve));
    log.engine.nudge();
    await log.engine.maintenanceIdle();
    return storage.operations.length - before;
  };
  for (let i = 0; i < 40; i++) await turn();
  expect(await turn()).toBeLessThan(20);
  isReadOnly = false;
  for (let i = 0; i < 10; i++) await turn();
  await log.append(payloadOf(2, 40));
  await log.rotate();
  expect([...storage.directory.live.keys()].filter((name) => name.endsWith('.new'))).toEqual([]);
});

// Found by the simulation: a crash then left no segment that was part of the log, and opening refused.
it('frees no segment before the one behind it is part of the log on disk', async () => {
  for (const isUnsynced of [false, true]) {
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage, undefined, { recycle: false });
    await log.append(payloadOf(1, 40));
    const first = '00000000000000000001.wal';
    const truncated = log.engine.truncateBefore(2);
    const rotated = log.engine.rotate();
    log.engine.step();
    if (isUnsynced) {
      void log.producer(0).submit([{ type: RECORD_FULL, flags: 0, payload: payloadOf(2, 40) }], unsynced);
      log.engine.step();
    }
    await Promise.all([truncated, rotated]);
    await log.engine.maintenanceIdle();
    expect([...storage.directory.live.keys()]).toContain(first);
    const { log: again } = await recoverAll(SimStorage.boot(storage.durableImage()));
    expect(again.engine.summary).toMatchObject({ firstLsn: 2, lastLsn: 1 });
    // It goes as soon as that is so.
    await log.append(payloadOf(3, 40));
    log.engine.nudge();
    await log.engine.maintenanceIdle();
    expect([...storage.directory.live.keys()]).not.toContain(first);
    await recoverAll(SimStorage.boot(storage.durableImage()));
  }
});

it('makes a spare behind a cut although what was cut off can not be removed: rotation waited for ever', async () => {
  let isStuck = false;
  const storage = new SimStorage({
    plan: ({ kind, name = '' }) =>
      isStuck && kind === 'unlink' && name.endsWith('.wal') ? { code: 'EMFILE' } : undefined,
  });
  const log = await EngineHarness.open(storage, undefined, { recycle: false });
  for (let lsn = 1; lsn <= 3; lsn++) {
    await log.append(payloadOf(lsn, 40));
    await log.rotate();
  }
  isStuck = true;
  await log.drive(log.engine.truncateAfter(1));
  await log.engine.maintenanceIdle();
  isStuck = false; // a moment later than the removals, which are tried again only after a pause
  await log.append(payloadOf(4, 40));
  await log.rotate();
  await log.close();
  const { records } = await recoverAll(SimStorage.boot(storage.liveImage()));
  expect(records.map(({ lsn }) => lsn)).toEqual([1, 2]);
});

// Each attempt left a published file of a segment's size behind, four a second: on a disk that was nearly full, what
// truncation freed was gone at once.
it.each([
  ['whose zeros could not be written', 'write', 2 * 1024 * 1024],
  ['whose name could not be made durable', 'syncDirectory', 24 * 1024],
] as const)('gives the space of a spare back %s', async (_, kind, segmentBytes) => {
  const retries: (() => void)[] = [];
  const environment = {
    ...simulatedEnvironment(1),
    pause: () => new Promise<void>((resolve) => retries.push(resolve)),
  };
  let isFailing = false;
  const storage = new SimStorage({
    // Its first mebibyte is there before it is published.
    plan: (operation) =>
      isFailing && operation.kind === kind && (kind !== 'write' || (operation.position ?? 0) > 0)
        ? { code: 'ENOSPC' }
        : undefined,
  });
  const options = { recycle: false, segmentBytes };
  const log = await EngineHarness.open(storage, undefined, options, 1, { environment });
  await log.append(payloadOf(1, 40));
  isFailing = true;
  await log.rotate();
  for (let attempt = 0; attempt < 5; attempt++) {
    for (const retry of retries.splice(0)) retry();
    await new Promise((resolve) => setImmediate(resolve));
    await log.engine.maintenanceIdle();
  }
  isFailing = false;
  for (const retry of retries.splice(0)) retry();
  await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 5; turn++) {
    await log.engine.maintenanceIdle();
    log.engine.nudge();
  }
  await log.engine.maintenanceIdle();
  expect(log.engine.stats().maintenanceErrors).toBeGreaterThan(0);
  expect([...storage.directory.live.keys()].filter((name) => name.endsWith('.wal'))).toHaveLength(3);
  await log.close();
});

/** A keeper of a log that begins, over `storage`, and for each time that it said something about a spare, whether it is stuck. */
function keeperOf(
  storage: SimStorage,
  segmentBytes = 24 * 1024,
): {
  keeper: SegmentKeeper;
  told: boolean[];
  retry: () => Promise<void>;
} {
  const told: boolean[] = [];
  const retries: (() => void)[] = [];
  const start = { closed: [], leftovers: [], abandoned: [], nextNumber: 1 };
  const keeper: SegmentKeeper = new SegmentKeeper(storage, start, new CommitMetrics(), {
    logId: new Uint8Array(16),
    epoch: 1,
    segmentBytes,
    recycle: true,
    environment: {
      ...simulatedEnvironment(1),
      pause: () => new Promise<void>((resolve) => retries.push(resolve)),
    },
    mayFill: () => true,
    isLinked: () => true,
    onSpare: () => told.push(keeper.isStuck),
  });
  const retry = async (): Promise<void> => {
    for (const again of retries.splice(0)) again();
    await new Promise((resolve) => setImmediate(resolve));
    await keeper.idle();
  };
  return { keeper, told, retry };
}

it('tells of a spare that can not be made as of one that is there: the log would not hear that its disk is full', async () => {
  let isFull = true;
  const storage = new SimStorage({
    plan: ({ kind }) => (isFull && kind === 'create' ? { code: 'ENOSPC' } : undefined),
  });
  const { keeper, told, retry } = keeperOf(storage);
  await keeper.idle();
  expect(told).toEqual([true]);
  isFull = false;
  await retry();
  expect(told).toEqual([true, false]);
  await keeper.close();
});

it('leaves a file alone that has the name of the next segment before it is made, and takes another number', async () => {
  const storage = new SimStorage();
  const others = '00000000000000000001.wal';
  await (await storage.create(others)).close();
  const { keeper, retry } = keeperOf(storage);
  await keeper.idle();
  expect(keeper.spare).toBeUndefined();
  keeper.nudge();
  await retry();
  keeper.nudge();
  await keeper.idle();
  expect([...storage.directory.live.keys()].sort()).toEqual([others, '00000000000000000002.wal']);
  await keeper.close();
});

it('makes spares of the new epoch behind a cut: without the segment that made it, they tell that it is missing', async () => {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage, undefined, { recycle: false });
  for (let lsn = 1; lsn <= 3; lsn++) await log.append(payloadOf(lsn, 40));
  await log.drive(log.engine.truncateAfter(1));
  await log.engine.maintenanceIdle();
  await log.append(payloadOf(4, 40));
  const disk = SimStorage.boot(storage.liveImage());
  const names = (await disk.list()).filter((name) => name.endsWith('.wal')).sort();
  expect(names, 'the first, the one that made the cut, and a spare').toHaveLength(3);
  await disk.unlink(names[1] as string);
  await expect(recoverAll(disk)).rejects.toThrow(
    `${names[2]} was made when the log was opened for the 2th time`,
  );
});

it('gives no spare away while zeros are on their way into it, nor after a write of them has failed', async () => {
  let isFailing = false;
  const given: (number | undefined)[] = [];
  const storage = new SimStorage({
    plan: ({ kind, position = 0 }) => {
      if (kind !== 'write' || position === 0) return undefined;
      given.push(kept.keeper.peek()?.number);
      return isFailing ? { code: 'EIO' } : undefined;
    },
  });
  const kept = keeperOf(storage, 4 * 1024 * 1024);
  await kept.keeper.idle();
  expect(given.length).toBeGreaterThan(1);
  expect(new Set(given)).toEqual(new Set([undefined]));
  isFailing = true;
  expect(kept.keeper.take()?.number).toBe(1);
  await kept.keeper.idle();
  expect(kept.keeper.take()).toBeUndefined();
  isFailing = false;
  await kept.retry();
  expect(kept.keeper.take()?.number).toBe(3);
  await kept.keeper.close();
});

it('is closed when nothing is under way any more, also a spare that was being made', async () => {
  const storage = new SimStorage();
  await keeperOf(storage).keeper.close();
  const { length } = storage.operations;
  await new Promise((resolve) => setImmediate(resolve));
  expect([storage.operations.length, storage.openFiles]).toEqual([length, []]);
});
