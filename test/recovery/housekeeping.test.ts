/** housekeeping: what opening, truncating and closing leave in the directory, and how much opening reads. */
import { describe, expect, it } from 'vitest';
import { must } from '../support/must.js';
import type { FaultPlan } from '../support/sim-fault.js';
import { SimStorage } from '../support/sim-storage.js';
import { boot, bytesOf, diskOf, open, segments, text, texts, used } from './disk.js';

const OPEN = { recycle: false };

describe('opening and closing', () => {
  it('30 times without an append adds no segment file, and keeps records and next LSN', async () => {
    for (const records of [0, 3]) {
      let storage = new SimStorage();
      const first = await open(storage);
      for (let i = 1; i <= records; i++) await first.append(text(`r${i}`));
      await first.close();
      const counts: number[] = [];
      for (let i = 0; i < 30; i++) {
        storage = boot(diskOf(storage));
        const log = await open(storage);
        expect(log.engine.summary).toMatchObject({ lastLsn: records, epoch: i + 2, created: false });
        expect(await log.readAll()).toHaveLength(records);
        await log.close();
        expect(storage.openFiles).toEqual([]);
        counts.push(segments(diskOf(storage)).length);
      }
      expect(new Set(counts.slice(2)).size, counts.join()).toBe(1);
      expect(Math.max(...counts)).toBeLessThanOrEqual(4);
    }
  });

  it('30 times without closing, as kill -9 does, adds none either', async () => {
    let storage = new SimStorage();
    await (await open(storage)).append(text('one'));
    const counts: number[] = [];
    for (let i = 0; i < 30; i++) {
      storage = boot(diskOf(storage));
      expect(await texts(await open(storage))).toEqual(['1 one']);
      counts.push(segments(diskOf(storage)).length);
    }
    expect(Math.max(...counts)).toBeLessThanOrEqual(4);
  });

  it.each([
    'closed',
    'killed',
    'killed behind an append',
  ])('30 times with appends that are truncated, %s each time, keeps no file of them', async (how) => {
    let storage = new SimStorage();
    const counts: number[] = [];
    for (let i = 0; i < 30; i++) {
      storage = boot(diskOf(storage));
      const log = await open(storage);
      for (let n = 0; n < 3; n++) await log.append(text(`r${i}.${n}`));
      await log.truncateBefore(log.state.durableLsn + 1);
      if (how === 'closed') await log.close();
      if (how === 'killed behind an append') await log.append(text('not proven durable'));
      counts.push(segments(diskOf(storage)).length);
    }
    expect(Math.max(...counts), counts.join()).toBeLessThanOrEqual(4);
  });

  it('removes files that were under preparation, also one of the very name that is needed next', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    await log.append(text('one'));
    const disk = diskOf(storage);
    const next = segments(disk).length + 1;
    for (const number of [1, next, next + 1, 77]) {
      disk.set(`${String(number).padStart(20, '0')}.new`, text('half a segment'));
    }
    const booted = boot(disk);
    expect(await texts(await open(booted))).toEqual(['1 one']);
    expect([...diskOf(booted).keys()].filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('leaves files alone whose names are not those of segments', async () => {
    const storage = new SimStorage();
    await (await open(storage)).append(text('one'));
    const disk = diskOf(storage);
    const strangers = ['notes.txt', '1.wal', '00000000000000000001.wal.bak', '00000000000000000000.wal'];
    for (const name of strangers) disk.set(name, text(`content of ${name}`));
    const booted = boot(disk);
    expect(await texts(await open(booted))).toEqual(['1 one']);
    for (const name of strangers) {
      expect(Buffer.from(must(diskOf(booted).get(name))).toString()).toBe(`content of ${name}`);
    }
  });
});

/** Four segments with one record each, and a spare. */
async function fourSegments(plan: FaultPlan = () => undefined) {
  const storage = new SimStorage({ plan });
  const log = await open(storage, OPEN);
  for (let i = 1; i <= 4; i++) {
    if (i > 1) await log.rotate();
    await log.append(text(`r${i}`));
  }
  return { storage, log };
}

describe('a truncation', () => {
  it('survives a reopen, after kill -9 as well as after a close', async () => {
    for (const closes of [true, false]) {
      const { storage, log } = await fourSegments();
      await log.truncateBefore(3);
      if (closes) await log.close();
      let disk = diskOf(storage);
      for (let i = 0; i < 3; i++) {
        const booted = boot(disk);
        const again = await open(booted, OPEN);
        expect(again.engine.summary).toMatchObject({ firstLsn: 3, lastLsn: 4 });
        expect(await texts(again)).toEqual(['3 r3', '4 r4']);
        if (closes) await again.close();
        disk = diskOf(booted);
      }
    }
  });

  it('inside a segment hides the records before it for good, though their bytes are still there', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    for (const value of ['one', 'two', 'three']) await log.append(text(value));
    await log.truncateBefore(3);
    const again = await open(boot(diskOf(storage)));
    expect(again.engine.summary).toMatchObject({ firstLsn: 3, lastLsn: 3 });
    expect(await texts(again)).toEqual(['3 three']);
  });

  it('of everything leaves an empty log whose LSNs go on', async () => {
    const { storage, log } = await fourSegments();
    await log.truncateBefore(5);
    const again = await open(boot(diskOf(storage)), OPEN);
    expect(again.engine.summary).toMatchObject({ firstLsn: 5, lastLsn: 4 });
    await again.append(text('r5'));
    expect(await texts(again)).toEqual(['5 r5']);
  });

  it('after a restart frees segments that recovery found, at its first mark', async () => {
    const { storage } = await fourSegments();
    const booted = boot(diskOf(storage));
    const found = used(diskOf(booted));
    const again = await open(booted, OPEN);
    await again.truncateBefore(3);
    const left = segments(diskOf(booted));
    expect(found.slice(0, 2).filter((name) => left.includes(name))).toEqual([]);
    expect(left).toContain(must(found[2]));
    expect(await texts(again)).toEqual(['3 r3', '4 r4']);
  });

  it('whose mark is durable and whose files are still there is completed by the next opening', async () => {
    const { storage, log } = await fourSegments();
    const before = diskOf(storage);
    await log.truncateBefore(3);
    const disk = diskOf(storage);
    for (const [name, bytes] of before) if (!disk.has(name)) disk.set(name, bytes);
    const booted = boot(disk);
    const again = await open(booted, OPEN);
    expect(await texts(again)).toEqual(['3 r3', '4 r4']);
    expect(segments(diskOf(booted)).filter((name) => used(before).indexOf(name) in [0, 1])).toEqual([]);
  });
});

describe('a file that can not be removed', () => {
  it('is counted, keeps no other from being removed, and is tried again', async () => {
    let refusals = 0;
    let stuck = '';
    const { storage, log } = await fourSegments((operation) => {
      if (operation.kind !== 'unlink' || operation.name !== stuck || refusals > 0) return undefined;
      refusals++;
      return { code: 'EACCES' };
    });
    const names = used(diskOf(storage));
    stuck = must(names[0]);
    await log.truncateBefore(3);
    expect(refusals).toBe(1);
    expect(segments(diskOf(storage))).toContain(stuck);
    expect(segments(diskOf(storage))).not.toContain(must(names[1]));
    expect(log.engine.stats()).toMatchObject({ maintenanceErrors: 1, segmentsRemoved: 1 });
    expect(log.engine.stats().maintenanceError).toMatch(/EACCES/);
    await log.append(text('the log is none the worse'));
    await log.truncateBefore(4);
    expect(segments(diskOf(storage)).filter((name) => names.slice(0, 3).includes(name))).toEqual([]);
    expect(log.engine.stats().segmentsRemoved).toBe(3);
    expect(log.engine.stats().maintenanceError).toBeUndefined();
  });

  it('is tried again by the next opening when this one never could', async () => {
    const { storage, log } = await fourSegments(({ kind, name }) =>
      kind === 'unlink' && name.endsWith('.wal') ? { code: 'EIO' } : undefined,
    );
    const names = used(diskOf(storage));
    await log.truncateBefore(3);
    expect(segments(diskOf(storage))).toContain(must(names[0]));
    const booted = boot(diskOf(storage));
    expect(await texts(await open(booted, OPEN))).toEqual(['3 r3', '4 r4']);
    const left = [...diskOf(booted).keys()];
    expect(left.filter((name) => name.endsWith('.new') || names.slice(0, 2).includes(name))).toEqual([]);
  });
});

/** A storage whose removals take as long as the test wants. */
class SlowStorage extends SimStorage {
  removals: Promise<unknown> = Promise.resolve();

  override async unlink(name: string): Promise<void> {
    await this.removals;
    await super.unlink(name);
  }
}

describe('a segment that is sealed early, while older files are still being removed,', () => {
  it('is not reused at the full size that it no longer has', async () => {
    const storage = new SlowStorage();
    const segmentBytes = 65_536;
    const log = await open(storage, { segmentBytes });
    const { engine } = log;
    await log.append(text('r1'));
    await log.rotate(); // early: shortened, so it is removed and not reused
    await log.append(text('r2'));
    let goOn = (): void => {};
    storage.removals = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const between = async (call: Promise<unknown>): Promise<void> => {
      engine.step();
      await call;
    };
    await between(engine.truncateBefore(2)); // its removal holds up maintenance
    await between(engine.truncateBefore(3)); // the active segment, too, holds nothing any more: freed once closed
    await between(engine.rotate()); // which it is before maintenance has got there
    goOn();
    await engine.maintenanceIdle();
    const disk = diskOf(storage);
    const spares = segments(disk).filter((name) => !used(disk).includes(name));
    expect(spares.length).toBeGreaterThan(0);
    for (const name of spares) expect(bytesOf(disk, name).length, name).toBe(segmentBytes);
    await log.append(text('r3'));
    await log.append(text('r4'));
    expect(await texts(await open(boot(diskOf(storage))))).toEqual(['3 r3', '4 r4']);
  });
});
