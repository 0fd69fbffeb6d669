/** end-of-log: where a log ends whose last write was cut off or damaged, and where that is refused instead. */
import { describe, expect, it } from 'vitest';
import { MARK_BYTES } from '../../dist/src/segment/segment-writer.js';
import { must } from '../support/must.js';
import { SimStorage } from '../support/sim-storage.js';
import {
  BLOCK,
  boot,
  bytesOf,
  copyOf,
  type Disk,
  diskOf,
  flip,
  groups,
  open,
  refused,
  segments,
  text,
  texts,
  used,
} from './disk.js';

const SECTOR = 512;

/** The sectors in which a write changed a file. */
function changedSectors(before: Uint8Array, after: Uint8Array): number[] {
  const changed: number[] = [];
  for (let at = 0; at < after.length; at += SECTOR) {
    const isSame = Buffer.compare(before.subarray(at, at + SECTOR), after.subarray(at, at + SECTOR)) === 0;
    if (!isSame) changed.push(at);
  }
  return changed;
}

/** Every way of losing sectors that is telling: from one on, up to one, one alone, all but one. */
function* tears(before: Disk, after: Disk, name: string): Generator<{ disk: Disk; how: string }> {
  const sectors = changedSectors(bytesOf(before, name), bytesOf(after, name));
  const ways: readonly [string, (sector: number, at: number) => boolean][] = [
    ['from', (sector, at) => sector >= at],
    ['up to', (sector, at) => sector <= at],
    ['only', (sector, at) => sector === at],
    ['all but', (sector, at) => sector !== at],
  ];
  for (const [way, isLost] of ways) {
    for (const at of sectors) {
      const lost = sectors.filter((sector) => isLost(sector, at));
      if (lost.length === 0) continue;
      const disk = copyOf(after);
      for (const sector of lost) {
        bytesOf(disk, name).set(bytesOf(before, name).subarray(sector, sector + SECTOR), sector);
      }
      yield { disk, how: `lost: ${way} sector ${at / SECTOR} of ${sectors.map((s) => s / SECTOR)}` };
    }
  }
}

/** A log with three records of one group each, as kill -9 leaves it. */
async function threeRecords(last = 'three'): Promise<{ disk: Disk; name: string }> {
  const storage = new SimStorage();
  const log = await open(storage);
  for (const value of ['one', 'two', last]) await log.append(text(value));
  const disk = diskOf(storage);
  return { disk, name: must(used(disk).at(-1)) };
}

/** Opens, checks what is there, appends, and finds all of it again after another restart. */
async function goesOn(disk: Disk, expected: readonly string[], how = ''): Promise<void> {
  const storage = boot(disk);
  const log = await open(storage);
  expect(await texts(log), how).toEqual(expected);
  const next = `${expected.length + 1} next`;
  await log.append(text('next'));
  expect(await texts(log), how).toEqual([...expected, next]);
  const again = await open(boot(diskOf(storage)));
  expect(await texts(again), how).toEqual([...expected, next]);
  for (const [name, bytes] of disk) {
    const now = diskOf(storage).get(name);
    // Spares may be taken or removed; what held groups is as it was.
    if (groups(bytes).length > 0 && now !== undefined) expect(Buffer.compare(now, bytes), how).toBe(0);
  }
}

describe('a last write that was cut off', () => {
  it('ends the log before it whichever sectors are lost, and LSNs go on without a gap', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    await log.append(text('one'));
    await log.append(text('two'));
    const before = diskOf(storage);
    const payload = `x${'y'.repeat(2600)}z`;
    await log.append(text(payload));
    const after = diskOf(storage);
    const name = must(used(after).at(-1));
    let torn = 0;
    for (const { disk, how } of tears(before, after, name)) {
      await goesOn(disk, ['1 one', '2 two'], how);
      torn++;
    }
    expect(torn).toBeGreaterThan(15);
    await goesOn(after, ['1 one', '2 two', `3 ${payload}`]);
  });

  // It was refused as damage, with the whole log: the second group of the write, at the boundary, was taken for a group
  // that had come to a wrong place.
  it('ends the log before it when its first group ends where a block does, and only what is behind that is there', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    await log.append(text('one'));
    const name = must(used(diskOf(storage)).at(-1));
    const end = must(groups(bytesOf(diskOf(storage), name)).at(-1)) + 64 + 16; // its header, and one frame
    const mark = 2 * BLOCK - MARK_BYTES;
    await log.append(Buffer.alloc(mark - end - 64 - 8, 'x'));
    const before = diskOf(storage);
    log.submit(text('three'));
    await log.truncateBefore(1 + 1);
    const after = diskOf(storage);
    expect(groups(bytesOf(after, name)).slice(-2)).toEqual([mark, 2 * BLOCK]);
    for (const { disk, how } of tears(before, after, name)) {
      const again = await open(boot(disk));
      const found = (await texts(again)).filter((value) => !value.includes('x'));
      expect(['1 one', '', '3 three'], how).toContain(found.join());
    }
  });

  it('ends the log before it when what remains there is garbage', async () => {
    const { disk, name } = await threeRecords();
    const start = must(groups(bytesOf(disk, name)).at(-1));
    for (let at = start; at < start + 64 + 16; at += 8) {
      const damaged = copyOf(disk);
      bytesOf(damaged, name).fill(0xa5, at, start + 64 + 16 + 64);
      const opened = await open(boot(damaged));
      expect(opened.engine.summary).toMatchObject({ lastLsn: 2, tornTail: { file: name, offset: start } });
      await goesOn(damaged, ['1 one', '2 two'], `garbage from ${at}`);
    }
  });

  it('in a recycled file brings none of its former records back', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    for (let i = 1; i <= 4; i++) {
      for (let j = 0; j < 4; j++) await log.append(text(`old ${i}.${j} ${'o'.repeat(2500)}`));
    }
    await log.truncateBefore(must(log.state.durableLsn) + 1);
    const kept: string[] = [];
    const append = async (value: string): Promise<void> => {
      await log.append(text(value));
      kept.push(`${log.state.durableLsn} ${value}`);
    };
    const former = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('old ');
    for (let i = 0; i < 3; i++) {
      await log.rotate();
      await append(`new ${i}`);
    }
    expect(log.engine.stats().segmentsRecycled).toBeGreaterThan(0);
    const before = diskOf(storage);
    await log.append(text(`last ${'n'.repeat(1500)}`));
    const after = diskOf(storage);
    const name = must(used(after).at(-1));
    expect(former(bytesOf(after, name)), 'the file is a recycled one').toBe(true);
    for (const { disk, how } of tears(before, after, name)) {
      expect(await texts(await open(boot(disk))), how).toEqual(kept);
    }
  });

  it('whose payload is made of copies of earlier groups ends the log before it all the same', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    await log.append(text('one'));
    const [first] = [...diskOf(storage).entries()].filter(([name]) => used(diskOf(storage)).includes(name));
    const [name, bytes] = must(first);
    const copied = bytes.slice(must(groups(bytes)[1]), must(groups(bytes)[1]) + 64 + 16);
    const payload = Buffer.concat(Array.from({ length: 35 }, () => copied));
    await log.append(text('two'));
    const before = diskOf(storage);
    await log.append(payload);
    const after = diskOf(storage);
    for (const { disk, how } of tears(before, after, name)) await goesOn(disk, ['1 one', '2 two'], how);
    await goesOn(after, ['1 one', '2 two', `3 ${payload.toString('latin1')}`]);
  });
});

describe('a last group that was acknowledged and then damaged', () => {
  it('is refused when a MARK proves that it was durable, and names the place', async () => {
    const storage = new SimStorage();
    const marked = await open(storage);
    for (const value of ['one', 'two', 'three']) await marked.append(text(value));
    await marked.mark();
    const disk = diskOf(storage);
    const name = must(used(disk).at(-1));
    const offset = must(groups(bytesOf(disk, name)).at(-2));
    for (const at of [0, 9, 40, 60, 64, 72]) {
      const damaged = copyOf(disk);
      flip(bytesOf(damaged, name), offset + at);
      const { details, message } = await refused(damaged);
      expect(details).toMatchObject({ file: name, offset, expectedLsn: 3, lastGoodLsn: 2 });
      if (at >= 64) expect(details.evidence).toMatch(/durable/);
      expect(message).toContain(name);
    }
  });

  it('passes for a torn write when nothing behind it proves otherwise: the blind spot of any log', async () => {
    const { disk, name } = await threeRecords();
    const offset = must(groups(bytesOf(disk, name)).at(-1));
    flip(bytesOf(disk, name), offset + 64 + 9);
    expect((await open(boot(disk))).engine.summary).toMatchObject({
      lastLsn: 2,
      tornTail: { file: name, offset },
    });
    await goesOn(disk, ['1 one', '2 two']);
  });

  it('is refused, blind spot or not, when the caller knows its LSN (mustInclude)', async () => {
    const { disk, name } = await threeRecords();
    const offset = must(groups(bytesOf(disk, name)).at(-1));
    const rotten = copyOf(disk);
    flip(bytesOf(rotten, name), offset + 64 + 9);
    const zeroed = copyOf(disk);
    bytesOf(zeroed, name).fill(0, offset);
    const cut = copyOf(disk);
    cut.set(name, bytesOf(cut, name).slice(0, offset));
    for (const damaged of [rotten, zeroed, cut]) {
      const { details } = await refused(damaged, { mustInclude: 3 });
      expect(details).toMatchObject({ file: name, offset, expectedLsn: 3, lastGoodLsn: 2 });
      expect(details.evidence).toMatch(/mustInclude/);
      if (damaged === cut) continue; // refused in any case: no writer makes a file shorter that it did not close
      const opened = await open(boot(damaged), { mustInclude: 2 });
      expect(opened.engine.summary.lastLsn).toBe(2);
    }
  });
});

describe('the option mustInclude', () => {
  it('lets a log open that reaches the LSN, and refuses one that ends before it', async () => {
    const { disk, name } = await threeRecords();
    for (const mustInclude of [0, 1, 3]) {
      expect((await open(boot(disk), { mustInclude })).engine.summary.lastLsn).toBe(3);
    }
    const { details, message } = await refused(disk, { mustInclude: 4 });
    expect(details).toMatchObject({ file: name, expectedLsn: 4, lastGoodLsn: 3 });
    expect(message).toMatch(/LSN 4/);
  });

  it('refuses to begin a new log in an empty directory when there has been one', async () => {
    const { message } = await refused(new Map(), { mustInclude: 1 });
    expect(message).toMatch(/mustInclude/);
  });
});

describe('a group that verifies and is not the one that belongs there', () => {
  it('is refused: an earlier group over the last one is a misdirected write, and no crash', async () => {
    const { disk, name } = await threeRecords('two');
    const bytes = bytesOf(disk, name);
    const [, , second = 0, third = 0] = groups(bytes);
    bytes.copyWithin(third, second, third);
    const { details } = await refused(disk);
    expect(details).toMatchObject({ file: name, offset: third, expectedLsn: 3, lastGoodLsn: 2 });
  });
});

describe('records that are valid and not proven durable', () => {
  it('are the last write only; they are logged again, and then no longer needed in the old file', async () => {
    const { disk, name } = await threeRecords();
    const storage = boot(disk);
    const log = await open(storage);
    expect(log.engine.summary).toMatchObject({ lastLsn: 3, reloggedRecords: 1, tornTail: undefined });
    const logged = diskOf(storage);
    bytesOf(logged, name).fill(0xee, must(groups(bytesOf(logged, name)).at(-1)));
    expect(await texts(await open(boot(logged)))).toEqual(['1 one', '2 two', '3 three']);
  });

  it('do not exist behind a MARK, nor in a log that was closed', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    await log.append(text('one'));
    await log.mark();
    expect((await open(boot(diskOf(storage)))).engine.summary).toMatchObject({
      reloggedRecords: 0,
      lastLsn: 1,
    });
    await log.append(text('two'));
    await log.close();
    expect((await open(boot(diskOf(storage)))).engine.summary).toMatchObject({
      reloggedRecords: 0,
      lastLsn: 2,
    });
    expect(segments(diskOf(storage)).length).toBeGreaterThan(0);
  });
});
