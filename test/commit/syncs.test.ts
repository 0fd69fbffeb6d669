/** syncs: which appends cost a sync, counted on the simulated storage, and what a crash may take of the others. */
import { describe, expect, it } from 'vitest';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { bytesOf, diskOf, flip, refused, used } from '../recovery/disk.js';
import { EngineHarness, payloadOf, recoverAll } from '../support/engine-harness.js';
import { expecting, unsynced } from '../support/harness-producer.js';
import { SimStorage } from '../support/sim-storage.js';

const small = (id: number): Uint8Array => payloadOf(id, 40);

async function opened(options: Partial<ResolvedOptions> = {}) {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage, undefined, options);
  const count = (kind: string): number => storage.operations.filter((one) => one.kind === kind).length;
  const before = { writeGroup: 0, syncGroup: 0 };
  /** Group writes and syncs since the last call. */
  const cost = (): { writes: number; syncs: number } => {
    const writes = count('writeGroup') - before.writeGroup;
    const syncs = count('syncGroup') - before.syncGroup;
    before.writeGroup += writes;
    before.syncGroup += syncs;
    return { writes, syncs };
  };
  cost();
  return { storage, log, cost };
}

const lastLsnAfterPowerCut = async (storage: SimStorage): Promise<number> => {
  const { nextLsn } = await recoverAll(SimStorage.boot(storage.durableImage()));
  return nextLsn - 1;
};

describe('an append that waits for no sync', () => {
  it('costs none; a power cut may take it, the death of the process does not', async () => {
    const { storage, log, cost } = await opened();
    await log.append(small(1));
    expect(cost()).toEqual({ writes: 1, syncs: 1 });
    log.submit(small(2), 0, unsynced);
    await log.commit();
    log.submit([small(3), small(4)], 1, unsynced);
    await log.commit();
    expect(cost()).toEqual({ writes: 2, syncs: 0 });
    expect(log.state.durableLsn).toBe(1);
    expect(await lastLsnAfterPowerCut(storage)).toBe(1);
    const { nextLsn } = await recoverAll(SimStorage.boot(storage.liveImage()));
    expect(nextLsn).toBe(5);
  });

  it('is durable with the next append to disk, in one sync for all', async () => {
    const { storage, log, cost } = await opened();
    for (let i = 0; i < 3; i++) {
      log.submit(small(i), 0, unsynced);
      await log.commit();
    }
    await log.append(small(9), 1);
    expect(cost()).toEqual({ writes: 4, syncs: 1 });
    expect(log.state.durableLsn).toBe(4);
    expect(await lastLsnAfterPowerCut(storage)).toBe(4);
  });

  it('shares the sync of a group in which another waits for it', async () => {
    const { storage, log, cost } = await opened();
    log.submit(small(1), 0, unsynced);
    log.submit(small(2), 1);
    log.submit(small(3), 2, unsynced);
    await log.commit();
    expect(cost()).toEqual({ writes: 1, syncs: 1 });
    expect(await lastLsnAfterPowerCut(storage)).toBe(3);
  });

  it('is durable after sync, a MARK, a rotation, and closing; a second sync has nothing to do', async () => {
    const ways: [(log: EngineHarness) => Promise<unknown>, number][] = [
      [sync, 1],
      [(log) => log.mark(), 2], // the MARK is to prove it, so it comes behind
      [(log) => log.rotate(), 1],
      [(log) => log.close(), 2],
    ];
    for (const [way, syncs] of ways) {
      const { storage, log, cost } = await opened();
      log.submit(small(1), 0, unsynced);
      await log.commit();
      cost();
      await way(log);
      expect(cost().syncs).toBe(syncs);
      expect(log.state.durableLsn).toBe(1);
      expect(await lastLsnAfterPowerCut(storage)).toBe(1);
      if (log.state.refusal() !== undefined) continue;
      await sync(log);
      expect(cost()).toEqual({ writes: 0, syncs: 0 });
    }
  });

  it.each([
    'mark',
    'close',
  ] as const)('is proven by what is written at %s: damage to it is told', async (way) => {
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage);
    await log.append(small(1));
    const marker = Buffer.alloc(600, 'unsynced');
    log.submit(marker, 0, unsynced);
    await log.commit();
    await log[way]();
    const disk = diskOf(storage);
    const [name = ''] = used(disk);
    flip(bytesOf(disk, name), Buffer.from(bytesOf(disk, name)).indexOf(marker) + 300);
    await refused(disk);
  });
});

async function sync(log: EngineHarness): Promise<void> {
  void log.producer(0).sync();
  await log.commit();
}

describe('a truncation mark', () => {
  it('rides with a group that is in flight, without a write or a sync of its own, and is durable with it', async () => {
    for (const padGroups of [false, true]) {
      const { storage, log, cost } = await opened({ padGroups, segmentBytes: 65_536 });
      for (let i = 0; i < 3; i++) await log.append(small(i));
      cost();
      log.submit(small(3), 1);
      await log.truncateBefore(3);
      await log.commit();
      expect(cost()).toEqual({ writes: 1, syncs: 1 });
      expect(log.engine.stats().groups).toBe(4);
      const { log: again } = await recoverAll(SimStorage.boot(storage.durableImage()), { padGroups });
      expect(again.engine.summary).toMatchObject({ firstLsn: 3, lastLsn: 4 });
    }
  });

  it('makes a group durable that would not have been; without a group it gets a write of its own', async () => {
    const { storage, log, cost } = await opened();
    await log.append(small(1));
    cost();
    log.submit(small(2), 0, unsynced);
    await log.truncateBefore(2);
    expect(cost()).toEqual({ writes: 1, syncs: 1 });
    expect(log.state.durableLsn).toBe(2);
    await log.truncateBefore(3);
    expect(cost()).toEqual({ writes: 1, syncs: 1 });
    const { log: again } = await recoverAll(SimStorage.boot(storage.durableImage()));
    expect(again.engine.summary).toMatchObject({ firstLsn: 3, lastLsn: 2 });
  });

  it('does not wait for ever for a group whose appends are all refused', async () => {
    const { log, cost } = await opened();
    await log.append(small(1));
    await log.append(small(2));
    cost();
    log.submit(small(3), 0, expecting(9));
    await log.truncateBefore(2);
    expect(cost()).toEqual({ writes: 1, syncs: 1 });
    expect(log.state.durableLsn).toBe(2);
  });
});

it('a group of refused appends is not written at all', async () => {
  const { log, cost } = await opened();
  log.submit(small(1), 0, expecting(2));
  log.submit([small(2), small(3)], 1, expecting(7));
  await log.commit();
  expect(cost()).toEqual({ writes: 0, syncs: 0 });
  expect(await log.readAll()).toEqual([]);
  await log.append(small(4));
  expect(log.state.durableLsn).toBe(1);
});
