/** cut: truncateAfter: what is left, what comes behind it, and who is told. */
import { describe, expect, it } from 'vitest';
import { RECORD_CHECKPOINT, RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { openLog, verifyLog } from '../../dist/src/index.js';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { CHECKPOINT, createRing, UNSYNCED } from '../../dist/src/ring/layout.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import { boot, diskOf, open, segments, text, texts, used } from '../recovery/disk.js';
import { type EngineHarness, TINY_OPTIONS } from '../support/engine-harness.js';
import { must } from '../support/must.js';
import { SimStorage } from '../support/sim-storage.js';
import { tempDir } from '../support/temp-dir.js';

async function cut(log: EngineHarness, lsn: number): Promise<void> {
  await log.drive(log.engine.truncateAfter(lsn));
  await log.engine.maintenanceIdle();
}

const lines = (from: number, to: number): string[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => `${from + i} r${from + i}`);

/** Records 1 to 24 in groups of 1 to 4, in segments of up to 10; marks in between; those before 4 are truncated. */
async function manyShapes(storage: SimStorage, options: Partial<ResolvedOptions>): Promise<EngineHarness> {
  const log = await open(storage, options);
  let lsn = 0;
  const group = async (records: number): Promise<void> => {
    await log.append(Array.from({ length: records }, () => text(`r${++lsn}`)));
  };
  for (const records of [1, 3, 2]) await group(records);
  await log.mark();
  await group(4);
  await log.rotate();
  await group(1);
  await log.truncateBefore(4);
  await group(4);
  await log.rotate();
  for (const records of [2, 3]) await group(records);
  await log.rotate();
  await group(4);
  expect(log.state.durableLsn).toBe(24);
  return log;
}

/** A storage whose links take as long as the test wants. */
class SlowStorage extends SimStorage {
  #held: Promise<void> | undefined;
  #reached: () => void = () => {};

  /** What lets them go on, and what resolves when one waits. */
  holdLinks(): [() => void, Promise<void>] {
    const reached = new Promise<void>((resolve) => {
      this.#reached = resolve;
    });
    let goOn = (): void => {};
    this.#held = new Promise((resolve) => {
      goOn = resolve;
    });
    return [goOn, reached];
  }

  override async link(existing: string, name: string): Promise<void> {
    this.#reached();
    await this.#held;
    await super.link(existing, name);
  }
}

describe('truncateAfter', () => {
  const shapes: [string, Partial<ResolvedOptions>][] = [
    ['packed', { recycle: false }],
    ['padded', { recycle: false, padGroups: true }],
    ['with recycling', {}],
  ];
  it.each(
    shapes,
  )('leaves every record up to the LSN, wherever it lies, and goes on behind it: %s', async (_, options) => {
    for (let lsn = 3; lsn <= 24; lsn++) {
      const storage = new SimStorage();
      const log = await manyShapes(storage, options);
      await cut(log, lsn);
      expect(log.state).toMatchObject({ durableLsn: lsn, firstLsn: 4 });
      expect(await texts(log)).toEqual(lines(4, lsn));
      // As it was left by a kill -9, and by a closing; and used further.
      for (const closes of [false, true]) {
        const disk = boot(diskOf(storage));
        const again = await open(disk, options);
        expect(again.engine.summary).toMatchObject({ firstLsn: 4, lastLsn: lsn });
        expect(await texts(again)).toEqual(lines(4, lsn));
        await again.append(text(`r${lsn + 1}`));
        if (closes) await again.close();
        expect(await texts(await open(boot(diskOf(disk)), options))).toEqual(lines(4, lsn + 1));
      }
      for (let next = lsn + 1; next <= lsn + 3; next++) {
        await log.append(text(`r${next}`));
        await log.rotate();
      }
      expect(await texts(log)).toEqual(lines(4, lsn + 3));
      await log.close();
      const reopened = await open(boot(diskOf(storage)), options);
      expect(await texts(reopened)).toEqual(lines(4, lsn + 3));
      expect(storage.violations).toEqual([]);
      expect(storage.openFiles).toEqual([]);
    }
  });

  it('gives the LSNs behind it to other records, again and again', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    for (let round = 1; round <= 12; round++) {
      for (let i = 1; i <= 5; i++) await log.append(text(`round ${round}, ${i}`));
      if (round % 3 === 0) await log.rotate();
      await cut(log, round);
      expect((await texts(log)).at(-1)).toBe(`${round} round ${round}, 1`);
    }
    const found = await texts(log);
    expect(found).toHaveLength(12);
    expect(await texts(await open(boot(diskOf(storage))))).toEqual(found);
    expect(segments(diskOf(storage)).length, 'one for each cut, and some to be used again').toBeLessThan(18);
  });

  it('of everything leaves an empty log whose LSNs begin anew', async () => {
    for (const rotates of [false, true]) {
      const storage = new SimStorage();
      const log = await open(storage, { recycle: false });
      for (let i = 1; i <= 3; i++) {
        await log.append(text(`old ${i}`));
        if (rotates) await log.rotate();
      }
      await cut(log, 0);
      expect(await texts(log)).toEqual([]);
      expect(segments(diskOf(storage)).length, 'one, and a spare').toBe(2);
      expect((await open(boot(diskOf(storage)))).engine.summary).toMatchObject({ firstLsn: 1, lastLsn: 0 });
      await cut(log, 0);
      await log.append(text('new 1'));
      expect(await texts(await open(boot(diskOf(storage))))).toEqual(['1 new 1']);
    }
  });

  // Found by the simulation: the LINK of the segment told of a checkpoint that lay behind it.
  it('before a checkpoint that recovery has logged again leaves the one before, or none', async () => {
    for (const isSecond of [false, true]) {
      const storage = new SimStorage();
      const log = await open(storage);
      const checkpoint = async (name: string): Promise<void> => {
        const frame = { type: RECORD_CHECKPOINT, flags: 0, payload: text(name) };
        void log.producer(0).submit([frame], { chunkFlags: CHECKPOINT });
        await log.commit();
      };
      if (isSecond) await checkpoint('first');
      else await log.append(text('r1'));
      await log.append(text('r2'));
      await log.append(text('r3'), 0);
      log
        .producer(0)
        .submit([{ type: RECORD_FULL, flags: 0, payload: text('r4') }], { chunkFlags: UNSYNCED });
      await log.commit();
      await checkpoint('last'); // LSN 5, proven by nothing behind it
      const again = await open(storage.fork());
      expect(again.engine.summary).toMatchObject({ lastLsn: 5, checkpointLsn: 5 });
      await cut(again, 4);
      expect(again.state.checkpointLsn).toBe(isSecond ? 1 : 0);
    }
  });

  it('of a log whose first segment was filled with marks can be opened again when that is gone', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false, padGroups: true });
    for (let i = 0; i < 6; i++) await log.mark();
    for (const record of ['r1', 'r2', 'r3']) await log.append(text(record));
    await cut(log, 1);
    expect(segments(diskOf(storage))).not.toContain('00000000000000000001.wal');
    for (const disk of [storage.fork(), SimStorage.boot(storage.durableImage())])
      expect(await texts(await open(disk))).toEqual(['1 r1']);
  });

  it('of what truncateBefore has left of a segment leaves nothing, and the next LSN', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    await log.append(['r1', 'r2', 'r3', 'r4'].map(text));
    await log.truncateBefore(3);
    await cut(log, 2);
    expect(await texts(log)).toEqual([]);
    await log.append(text('new'));
    expect(await texts(log)).toEqual(['3 new']);
    expect(await texts(await open(boot(diskOf(storage))))).toEqual(['3 new']);
  });

  it('refuses LSNs that are not in the log, and changes nothing then', async () => {
    const log = await manyShapes(new SimStorage(), {});
    for (const lsn of [2, 25, 1000]) {
      await expect(cut(log, lsn)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    }
    await cut(log, 24);
    expect(await texts(log)).toEqual(lines(4, 24));
  });

  it('makes room behind it for a truncation that was wished for what is gone, and none too much', async () => {
    const log = await open(new SimStorage(), { retention: { bytes: 10 ** 9, ageMs: 0 } });
    for (let i = 1; i <= 6; i++) await log.append(text(`r${i}`));
    await log.truncateBefore(7);
    await cut(log, 3);
    for (let i = 4; i <= 6; i++) await log.append(text(`r${i}`));
    await log.drive(log.engine.review());
    expect(await texts(log)).toEqual(lines(1, 6));
  });

  it('sets back what depends on LSNs: the checkpoint, cursors, and the mark of idle time', async () => {
    const storage = new SimStorage();
    const directory = tempDir();
    const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 16_384 });
    await log.checkpoint('first'); // 1
    await log.append('two');
    await log.rotate();
    await log.append('three');
    await log.checkpoint('second'); // 4
    await log.appendBatch(['five', 'six', 'seven']);
    const cursor = await log.cursor('sink');
    await cursor.ack(6);
    await log.truncateAfter(5);
    expect(log).toMatchObject({ durableLsn: 5, checkpointLsn: 4 });
    expect(cursor.position).toBe(5);
    expect(await log.cursors()).toEqual([{ name: 'sink', position: 5 }]);
    await log.truncateAfter(3);
    expect(log).toMatchObject({ durableLsn: 3, checkpointLsn: 1 });
    expect(cursor.position).toBe(3);
    expect(await log.append('other', { expectedLsn: 4 })).toBe(4);
    await cursor.ack(4);
    await log.close();
    expect(await verifyLog(directory)).toMatchObject({ firstLsn: 1, lastLsn: 4, damage: [] });
    const again = await openLog(directory);
    expect(again.checkpointLsn).toBe(1);
    expect(await again.cursors()).toEqual([{ name: 'sink', position: 4 }]);
    await again.close();
    expect(storage.violations).toEqual([]);
  });

  it('is refused while a span is open, which nobody could end then', async () => {
    const log = await open(new SimStorage());
    await log.append(text('r1'));
    const memory = createRing(TINY_OPTIONS.ringBytes);
    const ring = new RingProducer(memory, log.state, { bytes: 4096, records: 64 });
    log.engine.attach(memory.buffer);
    expect(ring.reserve(16, 1)).toBe(true);
    const span = ring.beginSpan();
    ring.frame(1, 8);
    ring.publish();
    await log.commit();
    await expect(cut(log, 1)).rejects.toMatchObject({ code: 'RINGWAL_BUSY' });
    ring.reserve(16, 1);
    ring.frame(1, 8);
    ring.endSpan(span);
    ring.publish();
    await log.commit();
    await cut(log, 1);
    expect(await texts(log)).toEqual(['1 r1']);
  });

  it('voids a large record whose end is cut off, and not those before and behind it', async () => {
    const directory = tempDir();
    const options = { segmentBytes: 65_536, ringBytes: 16_384, maxGroupBytes: 4096 };
    const log = await openLog(directory, options);
    const large = Buffer.alloc(30_000, 7);
    const whole = await log.append(large);
    const half = await log.append(large);
    await log.truncateAfter(half - 3);
    const read = async (from: Awaited<ReturnType<typeof openLog>>): Promise<[number, number][]> => {
      const found: [number, number][] = [];
      for await (const { lsn, payload } of from.read()) found.push([lsn, payload.length]);
      return found;
    };
    expect(await read(log)).toEqual([[whole, 30_000]]);
    expect(await log.append('small')).toBe(half - 2);
    const behind = await log.append(large);
    const expected = [
      [whole, 30_000],
      [half - 2, 5],
      [behind, 30_000],
    ];
    expect(await read(log)).toEqual(expected);
    await log.close();
    const again = await openLog(directory, options);
    expect(await read(again)).toEqual(expected);
    await again.close();
  });
});

describe('a reader', () => {
  it('of what is cut off gets a typed error, and what is left before that; one of what is left reads on', async () => {
    const log = await openLog(tempDir(), { segmentBytes: 65_536, ringBytes: 16_384, maxGroupBytes: 4096 });
    for (let i = 1; i <= 60; i++) await log.append(Buffer.alloc(3000, i));
    const whole = log.read();
    const first = log.read({ to: 20 });
    for (const reader of [whole, first]) expect((await reader.next()).value?.lsn).toBe(1);
    await log.truncateAfter(30);
    for (let i = 31; i <= 60; i++) await log.append(Buffer.alloc(3000, 100));
    const lsns: number[] = [];
    const goOn = async (reader: typeof whole): Promise<void> => {
      for await (const { lsn, payload } of reader) {
        expect(payload[0]).toBe(lsn);
        lsns.push(lsn);
      }
    };
    await expect(goOn(whole)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    expect(lsns.at(-1)).toBeLessThanOrEqual(30);
    lsns.length = 0;
    await goOn(first);
    expect(lsns).toEqual(Array.from({ length: 19 }, (_, i) => i + 2));
    for await (const { payload } of log.read({ from: 31, to: 31 })) expect(payload[0]).toBe(100);
    await log.close();
  });

  // From the eighth cut on, all that had paused was told that the log had been cut before its first record.
  it('that pauses reads on, and a cursor stays where it is, over any number of cuts behind them', async () => {
    const log = await openLog(tempDir());
    for (let i = 1; i <= 20; i++) await log.append(`r${i}`);
    const cursor = await log.cursor('sink');
    await cursor.ack(10);
    await log.truncateBefore(5);
    const read = log.read({ to: 20 });
    const tail = log.tail();
    for (const reader of [read, tail]) expect((await reader.next()).value?.lsn).toBe(5);
    for (let i = 0; i < 12; i++) {
      await log.append('cut off');
      await log.truncateAfter(20);
    }
    expect(cursor).toMatchObject({ position: 10, isOvertaken: false });
    await log.append('r21');
    for (let lsn = 6; lsn <= 20; lsn++) expect((await read.next()).value?.lsn).toBe(lsn);
    expect((await read.next()).done).toBe(true);
    for (let lsn = 6; lsn <= 21; lsn++) {
      const { value } = await tail.next();
      expect([value?.lsn, Buffer.from(value?.payload ?? []).toString()]).toEqual([lsn, `r${lsn}`]);
    }
    await tail.return();
    await log.close();
  });

  // Only an ack made a cursor count from newer cuts: it was set back to where an older cut had been.
  it('sees no cursor set back by a cut from before it was moved, if it looks now and then', async () => {
    const log = await openLog(tempDir());
    await log.appendBatch(['1', '2', '3']);
    await log.truncateAfter(2);
    await log.appendBatch(Array.from({ length: 18 }, (_, i) => `${i + 3}`));
    const cursor = await log.cursor('sink');
    await cursor.ack(10);
    for (let i = 0; i < 12; i++) {
      await log.append('cut off');
      await log.truncateAfter(20);
      expect(cursor.position).toBe(10);
    }
    await log.truncateAfter(7);
    expect(cursor.position).toBe(7);
    await log.close();
  });
});

describe('a cut', () => {
  it('of this thread comes behind what it appended before the call', async () => {
    const log = await openLog(tempDir());
    const appends = ['one', 'two', 'three'].map((value) => log.append(value));
    await log.truncateAfter(0);
    expect(await Promise.all(appends)).toEqual([1, 2, 3]);
    expect(log.durableLsn).toBe(0);
    expect(await log.append('new')).toBe(1);
    for (const wrong of [-1, 0.5, '1' as never]) {
      await expect(log.truncateAfter(wrong)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    }
    await log.close();
    await expect(log.truncateAfter(0)).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
  });

  it('while the log is closed, or asked for many times at once, leaves no call without an answer', async () => {
    const directory = tempDir();
    const log = await openLog(directory);
    for (let i = 0; i < 20; i++) await log.append(`${i}`);
    const cuts = [15, 18, 12, 10].map((lsn) =>
      log.truncateAfter(lsn).then(
        () => lsn,
        (error) => error.code,
      ),
    );
    const closing = log.close();
    const outcomes = await Promise.all(cuts);
    await closing;
    const done = outcomes.filter((outcome) => typeof outcome === 'number');
    const again = await openLog(directory);
    expect(again.durableLsn).toBe(Math.min(20, ...done));
    for (const code of outcomes.filter((outcome) => typeof outcome !== 'number'))
      expect(['RINGWAL_OUT_OF_RANGE', 'RINGWAL_CLOSED']).toContain(code);
    await again.close();
  });

  it('in the making lets nobody truncate, acknowledge or read beyond it, and appends come behind it', async () => {
    const storage = new SlowStorage();
    const log = await open(storage, { recycle: false });
    for (let i = 1; i <= 10; i++) {
      await log.append(text(`r${i}`));
      if (i === 7) await log.rotate();
    }
    const { cursors } = log.engine;
    await cursors.position('sink');
    await cursors.ack('sink', 9);
    const [goOn, reached] = storage.holdLinks();
    const cutting = log.engine.truncateAfter(5);
    while (log.engine.step() !== 'paused') await Promise.resolve();
    await reached; // built, and not yet published
    log.submit(text('behind'));
    await expect(log.engine.truncateBefore(8)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    await expect(log.engine.gcBefore(2)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    await expect(cursors.ack('sink', 8)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    const truncating = log.engine.truncateBefore(4);
    expect(log.engine.view()).toMatchObject({ cuts: 0, durableLsn: 10 });
    goOn();
    await log.drive(cutting);
    expect(await log.drive(truncating)).toBe(4);
    await log.commit();
    expect(await texts(log)).toEqual(['4 r4', '5 r5', '6 behind']);
    expect(cursors.list()).toEqual([{ name: 'sink', position: 5 }]);
    expect(await texts(await open(boot(diskOf(storage))))).toEqual(['4 r4', '5 r5', '6 behind']);
  });

  it('that fails before it is published leaves the log open and as it was; after that, poisoned', async () => {
    const outcomes = new Set<string>();
    for (let nth = 0; ; nth++) {
      let armed = false;
      let operations = 0;
      const storage = new SimStorage({
        plan: ({ kind }) => {
          if (!armed || kind === 'close' || operations++ !== nth) return undefined;
          return { code: 'EIO' };
        },
      });
      const log = await open(storage, { recycle: false });
      for (let i = 1; i <= 3; i++) await log.append(['a', 'b'].map((half) => text(`r${i}${half}`)));
      const before = await texts(log);
      await log.engine.cursors.position('sink');
      await log.engine.cursors.ack('sink', 5);
      armed = true;
      const error = await log.drive(log.engine.truncateAfter(3)).then(
        () => undefined,
        (reason: { code: string }) => reason,
      );
      armed = false;
      outcomes.add(error?.code ?? 'cut');
      const reopened = await texts(await open(boot(diskOf(storage))));
      if (error === undefined) expect(reopened).toEqual(before.slice(0, 3));
      else if (error.code === 'RINGWAL_POISONED') {
        expect([3, 6]).toContain(reopened.length);
        expect(before.slice(0, reopened.length)).toEqual(reopened);
        await expect(log.drive(log.engine.rotate())).rejects.toMatchObject({ code: 'RINGWAL_POISONED' });
      } else {
        expect(reopened).toEqual(before);
        await log.append(text('the log is none the worse'));
        expect(await texts(log)).toEqual([...before, '7 the log is none the worse']);
        log.engine.nudge();
        await log.engine.maintenanceIdle();
        const left = [...storage.directory.live.keys()].filter((name) => name.endsWith('.new'));
        expect(left, 'each attempt on a full disk would take more of it').toEqual([]);
      }
      await log.engine.close().catch(() => {});
      expect(storage.openFiles, `fault ${nth}`).toEqual([]);
      expect(storage.violations).toEqual([]);
      if (error === undefined && operations <= nth) break;
    }
    expect([...outcomes].sort()).toEqual(['RINGWAL_IO', 'RINGWAL_POISONED', 'cut']);
  });

  it('that meets damage says so, and changes nothing', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    for (let i = 1; i <= 3; i++) {
      await log.append(text(`r${i}`));
      await log.rotate();
    }
    const file = await storage.open(must(used(diskOf(storage))[1]), 'write');
    const inode = must(storage.directory.live.get(must(used(diskOf(storage))[1])));
    inode.protectedEnd = 0; // a disk that rots is no program
    await file.write(new Uint8Array(64), 4096 + 128);
    await file.close();
    await expect(cut(log, 2)).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
    await log.append(text('r4'));
    expect(log.state.durableLsn).toBe(4);
    await cut(log, 3);
    expect(log.state.durableLsn).toBe(3);
  });
});
