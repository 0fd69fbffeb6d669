/** point-in-time: a damaged log opens with what comes before the damage, tells what is lost, and destroys nothing. */
import { describe, expect, it } from 'vitest';
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

const MODE = { recovery: 'point-in-time' } as const;
const ALL = ['1 1a', '2 1b', '3 2a', '4 2b', '5 3a', '6 3b', '7 4a', '8 4b'];

/** Four segments with two records each, and a spare, as kill -9 leaves them. */
async function fourSegments(): Promise<Disk> {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (let i = 1; i <= 4; i++) {
    if (i > 1) await log.rotate();
    for (const letter of 'ab') await log.append(text(`${i}${letter}`));
  }
  return diskOf(storage);
}

/** Opens with `records` records, appends, and finds the same and no damage when it is opened again, in any mode. */
async function opensWith(disk: Disk, records: number) {
  const storage = boot(disk);
  const log = await open(storage, MODE);
  const { summary } = log.engine;
  expect(await texts(log)).toEqual(ALL.slice(0, records));
  expect(summary).toMatchObject({ mode: 'point-in-time', lastLsn: records, records });
  await log.append(text('next'));
  const after = diskOf(storage);
  for (const options of [{}, MODE, { recovery: 'absolute' } as const]) {
    const again = await open(boot(after), options);
    expect(await texts(again)).toEqual([...ALL.slice(0, records), `${records + 1} next`]);
    expect(again.engine.summary).toMatchObject({ damage: [], keptAside: summary.keptAside });
  }
  expect(storage.violations).toEqual([]);
  return { summary, after };
}

/** Every file as it was, under its own name or the one under which it is kept. */
function nothingIsGone(before: Disk, after: Disk, epoch: number): void {
  for (const name of used(before)) {
    const now = after.get(name) ?? after.get(`${name}.lost-${epoch}`);
    expect(Buffer.compare(must(now, name), bytesOf(before, name)), name).toBe(0);
  }
}

const nth = (disk: Disk, index: number): string => must(used(disk).at(index));

describe('a log opened to the point in time before its damage', () => {
  it('that has none is whole, torn tail or not', async () => {
    const disk = await fourSegments();
    expect((await opensWith(disk, 8)).summary).toMatchObject({ damage: [], keptAside: [] });
    const last = must(groups(bytesOf(disk, nth(disk, -1))).at(-1));
    flip(bytesOf(disk, nth(disk, -1)), last + 70);
    const { summary } = await opensWith(disk, 7);
    expect(summary).toMatchObject({ damage: [], tornTail: { file: nth(disk, -1), offset: last } });
  });

  it('ends in the body of a closed segment, which the default mode does not even look at', async () => {
    const whole = await fourSegments();
    const name = nth(whole, 1);
    const [, third, fourth] = groups(bytesOf(whole, name)).map(Number);
    for (const [offset, records] of [
      [must(third), 2],
      [must(fourth), 3],
    ] as const) {
      for (const at of [0, 8, 40, 64, 72]) {
        const disk = copyOf(whole);
        flip(bytesOf(disk, name), offset + at);
        const { summary, after } = await opensWith(disk, records);
        expect(summary.damage[0]).toMatchObject({
          file: name,
          offset,
          firstLostLsn: records + 1,
          lastLostLsn: 8,
        });
        expect(summary.damage[0]?.reason).toContain(name);
        expect(summary.damage.slice(1)).toMatchObject([
          { file: nth(whole, 2), firstLostLsn: 5, lastLostLsn: 6, keptAs: `${nth(whole, 2)}.lost-2` },
          { file: nth(whole, 3), firstLostLsn: 7, lastLostLsn: 8 },
        ]);
        expect(summary.keptAside).toEqual(
          used(whole)
            .slice(1)
            .map((one) => `${one}.lost-2`),
        );
        nothingIsGone(disk, after, 2);
      }
    }
  });

  it('ends before a segment that is missing, or whose beginning is damaged', async () => {
    const whole = await fourSegments();
    const name = nth(whole, 2);
    const ways: readonly ((disk: Disk) => void)[] = [
      (disk) => disk.delete(name),
      (disk) => flip(bytesOf(disk, name), 40),
      (disk) => flip(bytesOf(disk, name), BLOCK + 70),
      (disk) => disk.set(name, bytesOf(disk, name).slice(0, 100)),
      (disk) => disk.set(name, bytesOf(disk, nth(whole, 0)).slice()),
    ];
    for (const damage of ways) {
      const disk = copyOf(whole);
      damage(disk);
      await refused(disk);
      const { summary, after } = await opensWith(disk, 4);
      expect(summary.damage[0]).toMatchObject({ firstLostLsn: 5, lastLostLsn: 8 });
      expect(summary.keptAside).toContain(`${nth(whole, 3)}.lost-2`);
      for (const [file, bytes] of disk) {
        const kept = after.get(`${file}.lost-2`);
        if (kept !== undefined) expect(Buffer.compare(kept, bytes)).toBe(0);
      }
    }
  });

  it('ends before damage in the newest segment that the default mode refuses', async () => {
    const whole = await fourSegments();
    const name = nth(whole, -1);
    const offset = must(groups(bytesOf(whole, name))[1]);
    flip(bytesOf(whole, name), offset + 70);
    await refused(whole);
    const { summary, after } = await opensWith(whole, 6);
    expect(summary.damage).toMatchObject([
      { file: name, offset, firstLostLsn: 7, lastLostLsn: 8, keptAs: `${name}.lost-2` },
    ]);
    nothingIsGone(whole, after, 2);
  });

  it('ends before the newest segment when its header is damaged, or it is missing', async () => {
    const whole = await fourSegments();
    const name = nth(whole, -1);
    for (const isMissing of [true, false]) {
      const disk = copyOf(whole);
      if (isMissing) for (const one of segments(disk).filter((other) => other >= name)) disk.delete(one);
      else flip(bytesOf(disk, name), 50);
      await refused(disk);
      const { summary } = await opensWith(disk, 6);
      // Its salt is gone with its header, so nothing in it can be told from garbage.
      expect(summary.damage[0]).toMatchObject({ firstLostLsn: 7, lastLostLsn: undefined });
      expect(summary.keptAside).toEqual(isMissing ? [] : [`${name}.lost-2`]);
    }
  });

  it('leaves a file alone that an earlier opening had left over', async () => {
    const storage = new SimStorage();
    const first = await open(storage, { recycle: false });
    await first.append(text('1a'));
    await first.rotate();
    await first.append(text('1b'));
    const before = diskOf(storage);
    const leftover = nth(before, -1);
    const again = boot(before);
    const second = await open(again, { recycle: false }); // has the last group in a segment of its own
    await second.append(text('2a'));
    await second.append(text('2b'));
    const disk = diskOf(again);
    expect(disk.has(leftover)).toBe(false);
    disk.set(leftover, bytesOf(copyOf(before), leftover)); // as if it had not been removed before the crash
    const newest = nth(disk, -1);
    flip(bytesOf(disk, newest), must(groups(bytesOf(disk, newest)).map(Number)[2]) + 70);
    const { summary } = (await open(boot(disk), MODE)).engine;
    expect(summary).toMatchObject({
      lastLsn: 2,
      damage: [{ file: newest }],
      keptAside: [expect.any(String)],
    });
    expect(summary.damage).toHaveLength(1);
  });

  it('is refused when nothing would be left, or not all that the caller knows of', async () => {
    const whole = await fourSegments();
    const first = nth(whole, 0);
    for (const at of [50, BLOCK + 70, must(groups(bytesOf(whole, first))[1]) + 66]) {
      const disk = copyOf(whole);
      flip(bytesOf(disk, first), at);
      expect((await refused(disk, MODE)).message).toMatch(/No record comes before the damage/);
    }
    const name = nth(whole, 2);
    flip(bytesOf(whole, name), must(groups(bytesOf(whole, name))[1]) + 66);
    expect((await refused(whole, { ...MODE, mustInclude: 5 })).message).toMatch(/mustInclude/);
    expect((await open(boot(whole), { ...MODE, mustInclude: 4 })).engine.summary.lastLsn).toBe(4);
  });

  it('is refused when files of another log lie among its own', async () => {
    const [disk, other] = [await fourSegments(), await fourSegments()];
    disk.set(nth(disk, 2), bytesOf(other, nth(other, 2)));
    await refused(disk, MODE);
  });

  it('knows truncation marks from behind the damage: files below them may be gone', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    for (let i = 1; i <= 4; i++) {
      if (i > 1) await log.rotate();
      for (const letter of 'ab') await log.append(text(`${i}${letter}`));
    }
    await log.truncateBefore(4);
    await log.append(text('5'));
    const disk = diskOf(storage);
    const name = nth(disk, -1);
    flip(bytesOf(disk, name), must(groups(bytesOf(disk, name))[1]) + 70); // before the MARK
    const again = await open(boot(disk), MODE);
    expect(again.engine.summary).toMatchObject({ firstLsn: 4, lastLsn: 6 });
    expect(await texts(again)).toEqual(ALL.slice(3, 6));
  });
});

describe('files that were put aside', () => {
  it('are never reused or removed by what comes later', async () => {
    const whole = await fourSegments();
    const name = nth(whole, 1);
    flip(bytesOf(whole, name), must(groups(bytesOf(whole, name))[2]) + 66);
    const storage = boot(whole);
    const log = await open(storage, { ...MODE, recycle: true });
    for (let i = 0; i < 12; i++) {
      await log.append(text('x'.repeat(3000)));
      await log.truncateBefore(log.state.durableLsn + 1);
      if (i % 3 === 0) await log.rotate();
    }
    expect(log.engine.stats().segmentsRemoved + log.engine.stats().segmentsRecycled).toBeGreaterThan(3);
    const after = diskOf(storage);
    for (const one of used(whole).slice(1)) {
      expect(Buffer.compare(bytesOf(after, `${one}.lost-2`), bytesOf(whole, one)), one).toBe(0);
    }
  });

  it('survive a crash at any moment, after which the log is as before or as the opening left it', async () => {
    const whole = await fourSegments();
    const name = nth(whole, 1);
    flip(bytesOf(whole, name), must(groups(bytesOf(whole, name))[2]) + 66);
    const probe = boot(whole);
    await open(probe, MODE);
    const count = probe.operations.length;
    let before = 0;
    let after = 0;
    for (let stop = 0; stop < count; stop++) {
      const storage = boot(whole, { plan: ({ index }) => (index === stop ? 'crash' : undefined) });
      await open(storage, MODE).catch(() => undefined);
      for (const image of [storage.liveImage(), storage.durableImage()]) {
        const disk: Disk = new Map(
          [...image.files].map(([file, { bytes }]) => [file, bytes.call(image.files.get(file))]),
        );
        // The default mode does not see this damage, and reads up to it; or the log ends before it.
        const log = await open(boot(disk));
        if (log.engine.summary.lastLsn === 8) before++;
        else {
          after++;
          expect(log.engine.summary.lastLsn).toBe(3);
          expect(await texts(log)).toEqual(ALL.slice(0, 3));
          expect(log.engine.summary.keptAside.length).toBe(3);
        }
        const again = await open(boot(disk), MODE);
        expect(await texts(again)).toEqual(ALL.slice(0, 3));
        for (const one of used(whole)) {
          const kept = [one, `${one}.lost-2`]
            .map((file) => disk.get(file))
            .find((bytes) => bytes !== undefined);
          expect(Buffer.compare(must(kept), bytesOf(whole, one)), one).toBe(0);
        }
      }
    }
    expect(before).toBeGreaterThan(0);
    expect(after).toBeGreaterThan(0);
  });
});
