/** cursors: durable positions of consumers: where they stand after a crash, what they hold back, what they refuse. */
import { describe, expect, it } from 'vitest';
import { attachLog, openLog } from '../../dist/src/index.js';
import { boot, diskOf, flip, open, text } from '../recovery/disk.js';
import { sweepCrashes } from '../support/crash-sweep.js';
import { EngineHarness } from '../support/engine-harness.js';
import { must } from '../support/must.js';
import type { FaultPlan } from '../support/sim-fault.js';
import { SimStorage } from '../support/sim-storage.js';
import { tempDir } from '../support/temp-dir.js';

const OPEN = { recycle: false };

/** A log of `records`, each in a segment of its own. */
async function logOf(records: number, storage = new SimStorage()): Promise<EngineHarness> {
  const log = await open(storage, OPEN);
  await extended(log, 1, records);
  return log;
}

async function extended(log: EngineHarness, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i++) {
    await log.append(text(`r${i}`));
    await log.rotate();
  }
}

describe('a cursor', () => {
  it('begins before the first record, moves forward only, and stands where it was when the log is opened again', async () => {
    const storage = new SimStorage();
    const log = await logOf(5, storage);
    await log.truncateBefore(2);
    const { cursors } = log.engine;
    expect(await cursors.position('sink')).toBe(1);
    expect(await cursors.ack('sink', 3)).toBe(3);
    expect(await cursors.ack('sink', 2)).toBe(3);
    expect(await cursors.position('sink')).toBe(3);
    for (let i = 0; i < 3; i++) {
      const again = await open(boot(diskOf(storage)), OPEN);
      expect(again.engine.cursors.list()).toEqual([{ name: 'sink', position: 3 }]);
      await again.engine.close();
    }
    await log.close();
    expect(storage.openFiles).toEqual([]);
  });

  // Found by the simulation: what it had let go by truncation was below the position that a power cut brought back.
  it('that was read from the page cache alone is durable before it is told', async () => {
    for (const failedSync of ['lost', 'revert'] as const) {
      const fault: FaultPlan = ({ kind, name }) =>
        kind === 'sync' && name.startsWith('sink') && isFailing ? { code: 'EIO' } : undefined;
      let isFailing = false;
      const storage = new SimStorage({ plan: fault, failedSync });
      const log = await logOf(3, storage);
      await log.engine.cursors.position('sink');
      await log.engine.cursors.ack('sink', 1);
      isFailing = true;
      await expect(log.engine.cursors.ack('sink', 3)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
      const killed = storage.fork();
      const told = (await open(killed, OPEN)).engine.cursors.list();
      expect(told).toEqual([{ name: 'sink', position: failedSync === 'lost' ? 3 : 1 }]);
      const cut = await open(SimStorage.boot(killed.durableImage()), OPEN);
      expect(cut.engine.cursors.list()).toEqual(told);
    }
  });

  it('whose making has failed half-way can be made again, at the place where the log begins then', async () => {
    let syncs = 0;
    const storage = new SimStorage({
      plan: ({ kind }) => (kind === 'syncDirectory' && --syncs === 0 ? { code: 'EIO' } : undefined),
    });
    const log = await logOf(3, storage);
    syncs = 1;
    await expect(log.engine.cursors.position('sink')).rejects.toMatchObject({ code: 'RINGWAL_IO' });
    await log.truncateBefore(3);
    expect(await log.engine.cursors.position('sink')).toBe(2);
    const again = await open(SimStorage.boot(storage.durableImage()), OPEN);
    expect(again.engine.cursors.list()).toEqual([{ name: 'sink', position: 2 }]);
  });

  // It came back at the next opening, stood at 0 and held back truncation, though its making had been refused.
  it('whose making has failed is none after the next opening either, at whichever operation it failed', async () => {
    for (let at = 1; ; at++) {
      let operations = Number.NEGATIVE_INFINITY;
      const plan: FaultPlan = ({ name, kind }) =>
        (name.startsWith('sink') || kind === 'syncDirectory') && ++operations === at
          ? { code: 'EIO' }
          : undefined;
      const storage = new SimStorage({ plan, failedSync: 'lost' });
      const log = await logOf(2, storage);
      operations = 0;
      const outcome = await log.engine.cursors.position('sink').catch((error: Error) => error);
      if (outcome === 0) {
        expect(at).toBeGreaterThan(8);
        return;
      }
      expect(outcome).toMatchObject({ code: 'RINGWAL_IO' });
      expect(log.engine.cursors.list()).toEqual([]);
      for (const disk of [storage.fork(), SimStorage.boot(storage.durableImage())])
        expect((await open(disk, OPEN)).engine.cursors.list(), `operation ${at}`).toEqual([]);
      expect(await log.truncateBefore(3)).toBe(3);
      expect(await log.engine.cursors.position('sink')).toBe(2);
    }
  });

  it('that can neither be made nor be removed is told of, and can be made or deleted once the disk is well', async () => {
    for (const next of ['made', 'deleted']) {
      let isFailing = false;
      const storage = new SimStorage({
        plan: ({ kind }) => (isFailing && kind === 'syncDirectory' ? { code: 'EIO' } : undefined),
      });
      const log = await logOf(2, storage);
      const { cursors } = log.engine;
      isFailing = true;
      for (let i = 0; i < 2; i++)
        await expect(cursors.position('sink')).rejects.toMatchObject({ code: 'RINGWAL_IO' });
      await expect(cursors.ack('sink', 1)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
      expect(cursors.list()).toEqual([{ name: 'sink', position: undefined }]);
      expect(cursors.heldFrom()).toBe(1);
      isFailing = false;
      if (next === 'made') expect(await cursors.position('sink')).toBe(0);
      else await cursors.remove('sink');
      const expected = next === 'made' ? [{ name: 'sink', position: 0 }] : [];
      for (const disk of [storage.fork(), SimStorage.boot(storage.durableImage())])
        expect((await open(disk, OPEN)).engine.cursors.list()).toEqual(expected);
      expect(cursors.list()).toEqual(expected);
      await log.close();
      expect(storage.openFiles).toEqual([]);
    }
  });

  // The one made behind the deletion was taken for the deleted one: it was on the disk, and nobody knew of it.
  it('that is asked for while one of its name is being deleted is there', async () => {
    const storage = new SimStorage();
    const log = await logOf(2, storage);
    const { cursors } = log.engine;
    const removed = [cursors.remove('other'), cursors.remove('sink')];
    expect(await cursors.position('sink')).toBe(0);
    await Promise.all(removed);
    expect(await cursors.ack('sink', 1)).toBe(1);
    expect(cursors.list()).toEqual([{ name: 'sink', position: 1 }]);
  });

  it('that is deleted at the second attempt stays so, whatever the failed directory sync has forgotten', async () => {
    let syncs = 0;
    const storage = new SimStorage({
      plan: ({ kind }) => (kind === 'syncDirectory' && --syncs === 0 ? { code: 'EIO' } : undefined),
    });
    const log = await logOf(1, storage);
    await log.engine.cursors.position('sink');
    syncs = 1;
    await expect(log.engine.cursors.remove('sink')).rejects.toMatchObject({ code: 'RINGWAL_IO' });
    await log.engine.cursors.remove('sink');
    for (const disk of [storage.fork(), SimStorage.boot(storage.durableImage())])
      expect((await open(disk, OPEN)).engine.cursors.list()).toEqual([]);
  });

  it('is deleted also when its file can not be closed', async () => {
    const storage = new SimStorage({
      plan: ({ kind, name }) => (kind === 'close' && name.startsWith('sink') ? { code: 'EIO' } : undefined),
    });
    const log = await logOf(1, storage);
    await log.engine.cursors.position('sink');
    await log.engine.cursors.remove('sink');
    expect(log.engine.cursors.list()).toEqual([]);
  });

  it('refuses LSNs that are not durable in the log', async () => {
    const log = await logOf(3);
    const { cursors } = log.engine;
    await cursors.position('sink');
    await expect(cursors.ack('sink', 4)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    expect(await cursors.ack('sink', 3)).toBe(3);
  });

  it('that many acknowledge to at once is written once or twice, and all hear when it is durable', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    for (let i = 1; i <= 50; i++) await log.append(text(`r${i}`));
    const { cursors } = log.engine;
    await cursors.position('sink');
    const before = storage.operations.length;
    const acks = Array.from({ length: 50 }, (_, i) => cursors.ack('sink', i + 1));
    for (const [i, position] of (await Promise.all(acks)).entries()) expect(position).toBeGreaterThan(i);
    const syncs = storage.operations.slice(before).filter(({ kind }) => kind === 'sync');
    expect(syncs.length).toBeLessThanOrEqual(2);
  });

  it('holds back truncation, which resolves with what it got and goes on by itself as cursors move', async () => {
    const log = await logOf(8);
    const { cursors } = log.engine;
    for (const name of ['slow', 'fast']) await cursors.position(name);
    await cursors.ack('slow', 2);
    await cursors.ack('fast', 6);
    expect(await log.truncateBefore(8)).toBe(3);
    expect((await log.readAll()).map(({ lsn }) => lsn)).toEqual([3, 4, 5, 6, 7, 8]);
    await log.drive(cursors.ack('slow', 5));
    await log.drive(log.engine.review());
    expect(log.state.firstLsn).toBe(6);
    await log.drive(cursors.remove('slow'));
    await log.drive(log.engine.review());
    expect(log.state.firstLsn).toBe(7);
    expect(await log.drive(log.engine.gcBefore(1))).toBe(7);
  });

  it('holds back truncation also while its consumer is away', async () => {
    const storage = new SimStorage();
    const log = await logOf(4, storage);
    await log.engine.cursors.position('away');
    await log.engine.cursors.ack('away', 1);
    const again = await open(boot(diskOf(storage)), OPEN);
    expect(await again.truncateBefore(5)).toBe(2);
  });

  it('is passed by a truncation that is forced, is told so, and can go on from what is left', async () => {
    const log = await logOf(8);
    const { cursors } = log.engine;
    await cursors.position('slow');
    await cursors.ack('slow', 2);
    expect(await log.drive(log.engine.truncateBefore(6, true))).toBe(6);
    await expect(cursors.ack('slow', 4)).rejects.toMatchObject({ code: 'RINGWAL_TRUNCATED' });
    expect(await cursors.position('slow')).toBe(2);
    expect(await log.truncateBefore(8)).toBe(6); // what is left is still for it
    expect(await cursors.ack('slow', 5)).toBe(5);
    expect(await cursors.ack('slow', 6)).toBe(6);
  });

  it('that was deleted takes nothing, holds nothing back, and begins anew', async () => {
    const storage = new SimStorage();
    const log = await logOf(4, storage);
    const { cursors } = log.engine;
    await cursors.position('sink');
    await cursors.ack('sink', 2);
    await cursors.remove('sink');
    await cursors.remove('never there');
    await expect(cursors.ack('sink', 3)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    expect(await log.truncateBefore(4)).toBe(4);
    expect([...diskOf(storage).keys()].filter((name) => name.includes('cursor'))).toEqual([]);
    expect(await cursors.position('sink')).toBe(3);
  });
});

describe('after a crash at any moment', () => {
  it('a cursor stands at the last position that was acknowledged, or at the one that was being written', async () => {
    let acked = -1;
    let asked = -1;
    let found: number | undefined;
    const { points, states } = await sweepCrashes({
      workload: async (storage, oracle) => {
        acked = -1;
        asked = -1;
        const log = await EngineHarness.open(storage, oracle);
        for (let i = 1; i <= 4; i++) await log.append(text(`r${i}`));
        asked = await log.engine.cursors.position('sink');
        acked = asked;
        for (const lsn of [1, 2, 4]) {
          asked = lsn;
          acked = await log.engine.cursors.ack('sink', lsn);
        }
      },
      recover: async (storage) => {
        const log = await EngineHarness.open(storage, undefined, {}, 99);
        found = log.engine.cursors.list()[0]?.position;
        expect(log.engine.cursors.list()).toEqual(
          found === undefined ? [] : [{ name: 'sink', position: found }],
        );
        return { records: await log.readAll(), nextLsn: log.engine.summary.lastLsn + 1 };
      },
      verify: async () => {
        // While it is being made it may be there or not, and then stands at 0.
        if (acked < 0) expect([undefined, 0]).toContain(found);
        else expect([acked, asked]).toContain(found);
      },
      states: { samples: 200, exhaustiveUpTo: 200, tearsToZeros: true, tearsToGarbage: true },
    });
    expect(points).toBeGreaterThan(20);
    expect(states).toBeGreaterThan(400);
  });

  it('a cursor that was being deleted is there or not, and one under preparation is no cursor', async () => {
    const figures = await sweepCrashes({
      workload: async (storage, oracle) => {
        const log = await EngineHarness.open(storage, oracle);
        await log.append(text('r1'));
        await log.engine.cursors.position('sink');
        await log.engine.cursors.ack('sink', 1);
        await log.engine.cursors.remove('sink');
        await log.engine.cursors.position('sink');
      },
      recover: async (storage) => {
        const log = await EngineHarness.open(storage, undefined, {}, 99);
        for (const { position } of log.engine.cursors.list()) expect([0, 1]).toContain(position);
        expect((await storage.list()).filter((name) => name.endsWith('.cursor.new'))).toEqual([]);
        await log.engine.cursors.position('sink'); // the name can be used in any case
        return { records: await log.readAll(), nextLsn: log.engine.summary.lastLsn + 1 };
      },
      states: { samples: 100, exhaustiveUpTo: 100 },
    });
    expect(figures.points).toBeGreaterThan(20);
  });
});

describe('a cursor file', () => {
  /** A disk with a cursor that was moved often enough for both slots to be in use. */
  async function diskWithCursor() {
    const storage = new SimStorage();
    const log = await logOf(4, storage);
    await log.engine.cursors.position('sink');
    for (const lsn of [1, 2, 3]) await log.engine.cursors.ack('sink', lsn);
    return diskOf(storage);
  }

  it('with one damaged slot gives the position of the other, with two a typed error and never 0', async () => {
    const disk = await diskWithCursor();
    const bytes = must(disk.get('sink.cursor'));
    flip(bytes, 40); // the last one, of sequence 4: behind it came that of its making, and that its name is durable
    const behind = await open(boot(disk), OPEN);
    expect(behind.engine.cursors.list()).toEqual([{ name: 'sink', position: 2 }]);
    flip(bytes, 4096 + 40);
    const log = await open(boot(disk), OPEN);
    const { cursors } = log.engine;
    await expect(cursors.position('sink')).rejects.toMatchObject({
      code: 'RINGWAL_CORRUPT',
      details: { file: 'sink.cursor' },
    });
    await expect(cursors.ack('sink', 4)).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
    expect(cursors.list()).toEqual([{ name: 'sink', position: undefined }]);
    expect(await log.truncateBefore(5)).toBe(1); // nobody knows what it still needs
    await cursors.remove('sink');
    await log.drive(log.engine.review());
    expect(log.state.firstLsn).toBe(5);
    expect(await cursors.position('sink')).toBe(4);
  });

  it.each([
    'empty',
    'cut',
    'renamed',
    'of another log',
    'ahead of the log',
  ])('that is %s is refused when it is used, and harms neither the log nor other cursors', async (what) => {
    const disk = await diskWithCursor();
    const file = must(disk.get('sink.cursor'));
    if (what === 'empty') disk.set('sink.cursor', new Uint8Array(0));
    if (what === 'cut') disk.set('sink.cursor', file.subarray(0, 500));
    if (what === 'renamed') disk.set('sink.cursor', file).set('other.cursor', file);
    const name = what === 'renamed' ? 'other' : 'sink';
    let target = disk;
    if (what === 'of another log' || what === 'ahead of the log') {
      const storage = new SimStorage();
      const log =
        what === 'of another log' ? await logOf(4, storage) : await open(boot(await diskWithCursor()), OPEN);
      target = what === 'of another log' ? diskOf(storage) : disk;
      await log.close();
    }
    if (what === 'of another log') target.set('sink.cursor', file);
    if (what === 'ahead of the log') {
      // The log as it was when it held one record, with the cursor of later.
      const storage = new SimStorage();
      const first = await EngineHarness.open(storage, undefined, OPEN, 7);
      await extended(first, 1, 1);
      target = diskOf(storage);
      await extended(first, 2, 2);
      await first.engine.cursors.position('sink');
      await first.engine.cursors.ack('sink', 3);
      target.set('sink.cursor', must(diskOf(storage).get('sink.cursor')));
    }
    const log = await open(boot(target), OPEN);
    await expect(log.engine.cursors.position(name)).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
    expect(await log.engine.cursors.position('mine')).toBe(0);
    await log.append(text('the log is none the worse'));
    await log.close();
  });

  it('that could not be written takes no more positions, and stands where it was', async () => {
    let fails = false;
    const plan: FaultPlan = ({ kind, name }) =>
      fails && kind === 'sync' && name.startsWith('sink.') ? { code: 'EIO' } : undefined;
    const storage = new SimStorage({ plan });
    const log = await logOf(4, storage);
    const { cursors } = log.engine;
    await cursors.position('sink');
    await cursors.ack('sink', 1);
    fails = true;
    await expect(cursors.ack('sink', 2)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
    fails = false;
    for (const lsn of [2, 3])
      await expect(cursors.ack('sink', lsn)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
    expect(cursors.list()).toEqual([{ name: 'sink', position: 1 }]);
    expect(await log.truncateBefore(5)).toBe(2);
    await log.append(text('the log is none the worse'));
    await log.close();
    expect(storage.openFiles).toEqual([]);
  });

  it('that can not be made is an error, and holds nothing back', async () => {
    const storage = new SimStorage({
      plan: ({ kind, newName }) =>
        kind === 'link' && newName === 'sink.cursor' ? { code: 'ENOSPC' } : undefined,
    });
    const log = await logOf(2, storage);
    await expect(log.engine.cursors.position('sink')).rejects.toMatchObject({ code: 'RINGWAL_IO' });
    expect(log.engine.cursors.list()).toEqual([]);
    expect(await log.truncateBefore(3)).toBe(3);
  });
});

describe('log.cursor', () => {
  it('serves every thread that uses the log, and survives its closing', async () => {
    const directory = tempDir();
    const log = await openLog(directory);
    for (let i = 1; i <= 5; i++) await log.append(`r${i}`);
    const cursor = await log.cursor('sink');
    expect(cursor).toMatchObject({ name: 'sink', position: 0, isOvertaken: false });
    await cursor.ack(2);
    expect(cursor.position).toBe(2);
    const attached = await attachLog(log.handle());
    const same = await attached.cursor('sink');
    expect(same.position).toBe(2);
    await same.ack(4);
    await cursor.ack(1);
    expect(cursor.position).toBe(4);
    await expect(cursor.ack(6)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    await expect(cursor.ack(-1)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    expect(await attached.truncateBefore(6)).toBe(5);
    expect(await attached.truncateBefore(6, { force: true })).toBe(6);
    expect(cursor.isOvertaken).toBe(true);
    await expect(cursor.ack(4)).resolves.toBeUndefined();
    await attached.close();
    await log.close();
    await expect(cursor.ack(5)).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    const again = await openLog(directory);
    expect(await again.cursors()).toEqual([{ name: 'sink', position: 4 }]);
    await (await again.cursor('sink')).delete();
    await again.deleteCursor('sink');
    expect(await again.cursors()).toEqual([]);
    await again.close();
  });

  // It moved the new cursor of that name, past records that its consumer had not read.
  it('that was deleted neither moves nor deletes another one of its name, on whatever thread', async () => {
    const log = await openLog(tempDir());
    for (let i = 1; i <= 5; i++) await log.append(`r${i}`);
    const attached = await attachLog(log.handle());
    const [old, same] = [await log.cursor('sink'), await attached.cursor('sink')];
    await old.ack(2);
    await same.ack(3);
    await old.delete();
    const fresh = await log.cursor('sink');
    for (const deleted of [old, same]) {
      await expect(deleted.ack(4)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
      await deleted.delete();
    }
    expect(await log.cursors()).toEqual([{ name: 'sink', position: 0 }]);
    await fresh.ack(1);
    await (await attached.cursor('sink')).ack(2);
    expect(await log.cursors()).toEqual([{ name: 'sink', position: 2 }]);
    await log.deleteCursor('sink');
    expect(await log.cursors()).toEqual([]);
    await expect(fresh.ack(3)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    await attached.close();
    await log.close();
  });

  it('refuses names that could be none of a file', async () => {
    const log = await openLog(tempDir());
    for (const name of ['', 'a/b', '../up', 'a b', 'ä', 'x'.repeat(65), 5, undefined]) {
      await expect(log.cursor(name as string)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    }
    for (const name of ['..', '.', '-', 'x'.repeat(64)]) expect((await log.cursor(name)).position).toBe(0);
    await log.close();
  });
});
