/** cut-off: what `truncateAfter` cut off never comes back, also when the LINK of the segment that did it is damaged. */
import { describe, expect, it } from 'vitest';
import type { EngineHarness } from '../support/engine-harness.js';
import { must } from '../support/must.js';
import { salvaged } from '../support/salvaged.js';
import { SimStorage } from '../support/sim-storage.js';
import {
  BLOCK,
  boot,
  bytesOf,
  copyOf,
  type Disk,
  diskOf,
  flip,
  open,
  refused,
  text,
  texts,
  used,
} from './disk.js';

const MODE = { recovery: 'point-in-time' } as const;
const lines = (letter: string, from: number, to: number): string[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => `${from + i} ${letter}${from + i}`);

async function append(log: EngineHarness, letter: string, from: number, to: number): Promise<void> {
  for (let lsn = from; lsn <= to; lsn++) await log.append(text(`${letter}${lsn}`));
}

async function cut(log: EngineHarness, lsn: number): Promise<void> {
  await log.drive(log.engine.truncateAfter(lsn));
  await log.engine.maintenanceIdle();
}

/** Old records 1 to 12, three in a segment, in groups of one; cut after `lsn`; then new ones up to 14. */
async function cutAfter(lsn: number, segmentsAfter = 1): Promise<Disk> {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (let first = 1; first <= 12; first += 3) {
    if (first > 1) await log.rotate();
    await append(log, 'old', first, first + 2);
  }
  const before = diskOf(storage);
  await cut(log, lsn);
  for (let i = 0; i < segmentsAfter; i++) {
    if (i > 0) await log.rotate();
    const step = Math.ceil((14 - lsn) / segmentsAfter);
    await append(log, 'new', lsn + 1 + i * step, Math.min(14, lsn + (i + 1) * step));
  }
  await log.close();
  const disk = diskOf(storage);
  // As if nothing of what was cut off had been removed before a crash.
  for (const name of used(before)) if (!disk.has(name)) disk.set(name, bytesOf(before, name));
  return new Map([...disk].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The segment that made the cut: behind the four of before, and their spares. */
function cutter(disk: Disk): string {
  const name = used(disk).find((one) => new DataView(bytesOf(disk, one).buffer).getUint32(56, true) === 2);
  return must(name);
}

const DAMAGE: readonly (readonly [string, (bytes: Uint8Array) => void])[] = [
  ['a byte of its body', (bytes) => flip(bytes, BLOCK + 70)],
  ['a byte of its header', (bytes) => flip(bytes, BLOCK + 10)],
  ['its sector', (bytes) => bytes.fill(0, BLOCK, BLOCK + 512)],
];

const isNoOld = (line: string, lsn: number): boolean =>
  !line.includes('old') || Number.parseInt(line, 10) <= lsn;

describe.each(DAMAGE)('what was cut off stays so when the LINK of the cut is damaged: %s', (_, damage) => {
  it('in a log opened to the point in time before the damage, and after it', async () => {
    for (let lsn = 1; lsn <= 11; lsn++) {
      for (const segmentsAfter of [1, 2]) {
        const disk = await cutAfter(lsn, segmentsAfter);
        const made = cutter(disk); // not found as such any more once no group of it is left
        damage(bytesOf(disk, made));
        await refused(copyOf(disk));
        const storage = boot(disk);
        const log = await open(storage, MODE);
        expect(await texts(log), `cut after ${lsn}`).toEqual(lines('old', 1, lsn));
        // Of what was cut off nothing is called lost: no file that holds nothing else is told of.
        for (const { file, firstLostLsn } of log.engine.summary.damage) {
          expect(file >= made, `${file}, cut after ${lsn}`).toBe(true);
          expect(firstLostLsn ?? lsn + 1).toBeGreaterThan(lsn);
        }
        await append(log, 'next', lsn + 1, lsn + 2);
        await log.close();
        expect(await texts(await open(boot(diskOf(storage)), { recovery: 'absolute' }))).toEqual([
          ...lines('old', 1, lsn),
          ...lines('next', lsn + 1, lsn + 2),
        ]);
        // And once more, in the segment with which that opening ended the log. It may hold the last record that was
        // left, which nothing had proven, and at LSN 1 all of them.
        if (lsn === 1) continue;
        const again = diskOf(storage);
        damage(bytesOf(again, must(used(again).at(-1))));
        const left = await texts(await open(boot(again), MODE));
        expect(left, `again, cut after ${lsn}`).toEqual(lines('old', 1, left.length));
        expect([lsn - 1, lsn]).toContain(left.length);
      }
    }
  });

  it('in a salvaged log, which has all else', async () => {
    for (let lsn = 1; lsn <= 11; lsn++) {
      for (const segmentsAfter of [1, 2]) {
        const disk = await cutAfter(lsn, segmentsAfter);
        damage(bytesOf(disk, cutter(disk)));
        const { report, records } = await salvaged(disk);
        const found = records.map(
          ({ lsn: at, payload }) => `${at} ${Buffer.from(payload).toString('latin1')}`,
        );
        expect(
          found.filter((line) => !isNoOld(line, lsn)),
          `cut after ${lsn}`,
        ).toEqual([]);
        const lost = report.lost.flatMap(({ firstLsn, lastLsn = 14 }) => lines('new', firstLsn, lastLsn));
        expect([...found, ...lost].sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))).toEqual([
          ...lines('old', 1, lsn),
          ...lines('new', lsn + 1, 14),
        ]);
      }
    }
  });

  it('when the log was opened again before anything was appended, and another segment took the place of that one', async () => {
    for (const lsn of [2, 3, 7]) {
      const storage = new SimStorage();
      const log = await open(storage, { recycle: false });
      await append(log, 'old', 1, 12);
      await cut(log, lsn);
      await log.close();
      const second = boot(diskOf(storage));
      const again = await open(second, { recycle: false });
      await append(again, 'new', lsn + 1, lsn + 9);
      await again.close();
      const disk = diskOf(second);
      damage(bytesOf(disk, must(used(disk).at(-1))));
      expect(await texts(await open(boot(copyOf(disk)), MODE))).toEqual(lines('old', 1, lsn));
      const { records } = await salvaged(disk);
      const found = records.map(({ lsn: at, payload }) => `${at} ${Buffer.from(payload).toString('latin1')}`);
      expect(found.filter((line) => !isNoOld(line, lsn))).toEqual([]);
      expect(found).toEqual(expect.arrayContaining(lines('old', 1, lsn)));
    }
  });

  it('when the log was cut again and again, each time at a place of its own', async () => {
    for (const [first, second] of [
      [9, 4],
      [4, 9],
      [6, 6],
    ] as const) {
      const storage = new SimStorage();
      const log = await open(storage, { recycle: false });
      await append(log, 'old', 1, 12);
      await cut(log, first);
      await append(log, 'new', first + 1, 15);
      await cut(log, second);
      await append(log, 'newest', second + 1, 18);
      await log.close();
      const disk = diskOf(storage);
      const staying = [...lines('old', 1, Math.min(first, second)), ...lines('new', first + 1, second)];
      damage(bytesOf(disk, must(used(disk).at(-1))));
      expect(await texts(await open(boot(disk), MODE))).toEqual(staying);
    }
  });
});

describe('what was cut off stays so when the first block of the segment of the cut is damaged', () => {
  it.each([5, 17, 40, 57, 64, 100, BLOCK - 1])('at %i', async (at) => {
    for (const lsn of [2, 3, 7]) {
      const disk = await cutAfter(lsn);
      flip(bytesOf(disk, cutter(disk)), at);
      await refused(copyOf(disk));
      expect(await texts(await open(boot(copyOf(disk)), MODE))).toEqual(lines('old', 1, lsn));
      const { records } = await salvaged(disk);
      const found = records.map(
        ({ lsn: one, payload }) => `${one} ${Buffer.from(payload).toString('latin1')}`,
      );
      expect(found.filter((line) => !isNoOld(line, lsn))).toEqual([]);
      expect(found).toEqual(expect.arrayContaining(lines('old', 1, lsn)));
    }
  });
});

describe('a cut in the middle of a group', () => {
  it('ends a log without its LINK before that group: its copy is what is damaged', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    await append(log, 'old', 1, 3);
    await log.append(Array.from({ length: 5 }, (_, i) => text(`old${4 + i}`)));
    await cut(log, 6);
    await append(log, 'new', 7, 9);
    await log.close();
    const disk = diskOf(storage);
    flip(bytesOf(disk, must(used(disk).at(-1))), BLOCK + 70);
    const { summary } = (await open(boot(copyOf(disk)), MODE)).engine;
    expect(summary).toMatchObject({ lastLsn: 3 });
    for (const lost of summary.damage) expect(lost).toMatchObject({ firstLostLsn: 4, lastLostLsn: 9 });
    const { records } = await salvaged(disk);
    const found = records.map(({ lsn, payload }) => `${lsn} ${Buffer.from(payload).toString('latin1')}`);
    expect(found).toEqual([...lines('old', 1, 6), ...lines('new', 7, 9)]);
  });
});
