/** chain: directories whose files do not make one log; each is refused, says where and why, and stays as it is. */
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
  FIRST_GROUP,
  flip,
  groups,
  open,
  refused,
  segments,
  text,
  texts,
  used,
} from './disk.js';

/** A log of `count` used segments with two records each, and a spare, as kill -9 leaves it. */
async function logOf(count: number): Promise<Disk> {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (let i = 1; i <= count; i++) {
    if (i > 1) await log.rotate();
    for (const letter of 'ab') await log.append(text(`${i}${letter}`));
  }
  expect(used(diskOf(storage)).length).toBe(count);
  return diskOf(storage);
}

const nth = (disk: Disk, index: number): string => must(used(disk).at(index), `segment ${index}`);

function swap(disk: Disk, a: string, b: string): void {
  const [first, second] = [bytesOf(disk, a), bytesOf(disk, b)];
  disk.set(a, second);
  disk.set(b, first);
}

describe('of several damaged files', () => {
  it('the first one found refuses the log, and none is left open or read on', async () => {
    const disk = await logOf(12);
    swap(disk, nth(disk, 0), nth(disk, 1));
    const newest = bytesOf(disk, nth(disk, 4)).slice();
    newest[8] = 9; // another format version
    disk.set(nth(disk, 4), newest);
    const storage = boot(disk);
    await expect(open(storage)).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
    expect(storage.openFiles).toEqual([]);
    const calls = storage.operations.length;
    await new Promise(setImmediate);
    expect(storage.operations.length).toBe(calls);
    expect(storage.operations.filter(({ kind }) => kind === 'open').length).toBeLessThan(12);
  });
});

describe('a missing file', () => {
  it('in the middle is refused, with the segment behind the gap and the LSNs on both sides', async () => {
    const disk = await logOf(4);
    const lost = nth(disk, 1);
    const behind = nth(disk, 2);
    disk.delete(lost);
    const { details, message } = await refused(disk);
    expect(details).toMatchObject({ file: behind, lastGoodLsn: 4, firstGoodLsnAfter: 5 });
    expect(message).toMatch(/Segment 2\b.*missing/);
  });

  it('at the beginning is refused as long as no truncation mark says that it may be gone', async () => {
    const disk = await logOf(3);
    disk.delete(nth(disk, 0));
    expect((await refused(disk)).details).toMatchObject({ lastGoodLsn: 2, firstGoodLsnAfter: 3 });
  });

  it('that is the newest is refused when the SEAL before it names it', async () => {
    const disk = await logOf(3);
    const sealed = nth(disk, -2);
    for (const name of segments(disk).filter((other) => other > sealed)) disk.delete(name);
    const { details } = await refused(disk);
    expect(details).toMatchObject({ file: sealed, expectedLsn: 5, lastGoodLsn: 4 });
    expect(details.evidence).toMatch(/SEAL/);
  });

  it('that is the newest is refused when a spare of the same opening is there', async () => {
    const storage = boot(await logOf(1));
    const log = await open(storage, { recycle: false });
    await log.append(text('lost'));
    const disk = diskOf(storage);
    const newest = nth(disk, -1);
    const spare = must(segments(disk).at(-1));
    expect(spare > newest).toBe(true);
    disk.delete(newest);
    const { details, message } = await refused(disk);
    expect(details).toMatchObject({ file: spare, evidence: expect.stringMatching(/epoch 2/) });
    expect(message).toMatch(/missing/);
  });

  it('is noticed also when all files with records are missing and only a spare is left', async () => {
    const disk = await logOf(2);
    for (const name of used(disk)) disk.delete(name);
    expect((await refused(disk)).message).toMatch(/missing/);
  });
});

describe('a file in the wrong place', () => {
  it('is refused when two have changed places, whichever two', async () => {
    const whole = await logOf(3);
    const names = segments(whole);
    for (const a of names) {
      for (const b of names.filter((name) => name > a)) {
        const disk = copyOf(whole);
        swap(disk, a, b);
        const { details, message } = await refused(disk);
        expect(details).toMatchObject({ offset: 0 });
        expect([a, b]).toContain(details.file);
        expect(message).toMatch(/renamed or copied/);
      }
    }
  });

  it('is refused when it is a copy under a number that is not its own', async () => {
    for (const index of [0, 1, 2]) {
      const disk = await logOf(3);
      disk.set('00000000000000000042.wal', bytesOf(disk, nth(disk, index)).slice());
      expect((await refused(disk)).details).toMatchObject({ file: '00000000000000000042.wal', offset: 0 });
    }
  });

  it('is refused when it comes from another log, wherever it stands', async () => {
    const disk = await logOf(3);
    const other = await logOf(3);
    for (const name of segments(disk)) {
      const mixed = copyOf(disk);
      mixed.set(name, bytesOf(other, name));
      const { message } = await refused(mixed);
      expect(message).toMatch(/another (log|file)/);
    }
  });

  it('is refused when it is what a second writer made of the same log', async () => {
    const disk = await logOf(2);
    const branches: Disk[] = [];
    for (let i = 0; i < 2; i++) {
      const storage = boot(disk);
      const log = await open(storage, { recycle: false });
      await log.append(text(`branch ${i}`));
      await log.rotate();
      await log.append(text(`more of branch ${i}`));
      branches.push(diskOf(storage));
    }
    const [one, two] = [must(branches[0]), must(branches[1])];
    for (const name of used(one).slice(-2)) {
      const mixed = copyOf(one);
      mixed.set(name, bytesOf(two, name));
      await refused(mixed);
    }
  });

  it('is refused when an older state of a sealed segment has come back', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    await log.append(text('one'));
    const old = diskOf(storage);
    const name = nth(old, 0);
    await log.append(text('two'));
    await log.rotate();
    await log.append(text('three'));
    const disk = diskOf(storage);
    disk.set(name, bytesOf(old, name));
    const opened = await open(boot(disk)).catch((error: unknown) => error);
    // Opening looks at heads only; reading finds what is missing.
    if (opened instanceof Error) expect(opened).toMatchObject({ code: 'RINGWAL_CORRUPT' });
    else {
      await expect(texts(opened as Awaited<ReturnType<typeof open>>)).rejects.toMatchObject({
        code: 'RINGWAL_CORRUPT',
        details: { file: name, expectedLsn: 2, lastGoodLsn: 1 },
      });
    }
  });
});

describe('a damaged beginning of a file', () => {
  it('is refused in every published segment that the log needs, and in its spare', async () => {
    const whole = await logOf(3);
    for (const name of segments(whole)) {
      for (const at of [0, 20, 40, 50, 1000, 4095]) {
        const disk = copyOf(whole);
        flip(bytesOf(disk, name), at);
        const { message } = await refused(disk);
        expect(message).toMatch(/\d{20}\.wal/);
      }
    }
  });

  it('names the file when the header block of the only segment is damaged', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    await log.append(text('one'));
    const disk = diskOf(storage);
    for (const name of segments(disk).slice(1)) disk.delete(name);
    const name = nth(disk, 0);
    flip(bytesOf(disk, name), 100);
    expect((await refused(disk)).details).toEqual({ file: name, offset: 0 });
  });

  it('is refused when it is the LINK: of a closed segment, of the newest, and of the newest after a reopen', async () => {
    const closed = await logOf(3);
    for (const index of [0, 1]) {
      const disk = copyOf(closed);
      flip(bytesOf(disk, nth(disk, index)), BLOCK + 64 + 20);
      expect((await refused(disk)).message).toMatch(/damaged first group/);
    }
    const newest = nth(closed, -1);
    flip(bytesOf(closed, newest), BLOCK + 30);
    expect((await refused(closed)).details).toMatchObject({
      file: newest,
      offset: BLOCK,
      expectedLsn: 5,
      lastGoodLsn: 4,
    });

    const storage = boot(await logOf(1));
    const log = await open(storage);
    await log.append(text('three'));
    await log.append(text('four'));
    const reopened = diskOf(storage);
    flip(bytesOf(reopened, nth(reopened, -1)), BLOCK + 30);
    expect((await refused(reopened)).message).toMatch(/missing/);
  });

  it('that is only a version this code does not know is reported as such, and not as damage', async () => {
    const whole = await logOf(3);
    for (const name of segments(whole)) {
      const disk = copyOf(whole);
      bytesOf(disk, name)[8] = 2;
      const { message } = await refused(disk, {}, 'RINGWAL_UNSUPPORTED_VERSION');
      expect(message).toContain(`${name} has format version 2`);
    }
  });

  it('does not matter in a file that the log no longer needs', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    await log.append(text('old'));
    const old = diskOf(storage);
    await log.rotate();
    await log.append(text('new'));
    await log.truncateBefore(2);
    const disk = diskOf(storage);
    const name = nth(old, 0);
    expect(disk.has(name)).toBe(false);
    disk.set(name, bytesOf(old, name).fill(0xa5, 0, BLOCK));
    expect(await texts(await open(boot(disk)))).toEqual(['2 new']);
  });
});

describe('damage inside a file', () => {
  it('that is closed is refused by opening when the file is cut, and names what is left of it', async () => {
    const disk = await logOf(3);
    const name = nth(disk, 0);
    for (const bytes of [0, 100, BLOCK, BLOCK + 100, FIRST_GROUP + 10]) {
      const cut = copyOf(disk);
      cut.set(name, bytesOf(disk, name).slice(0, bytes));
      const { message } = await refused(cut);
      expect(message).toMatch(/was cut|first block|first group/);
    }
  });

  it('that is closed throws where it is read, and lets all records before it be read', async () => {
    const whole = await logOf(3);
    const name = nth(whole, 1);
    const [, third, fourth] = groups(bytesOf(whole, name));
    for (const [offset, lsn] of [
      [must(third), 3],
      [must(fourth), 4],
    ] as const) {
      for (const at of [0, 8, 40, 64, 72]) {
        const disk = copyOf(whole);
        flip(bytesOf(disk, name), offset + at);
        const log = await open(boot(disk));
        expect(log.engine.summary.lastLsn).toBe(6);
        await expect(texts(log)).rejects.toMatchObject({
          code: 'RINGWAL_CORRUPT',
          details: { file: name, offset, expectedLsn: lsn, lastGoodLsn: lsn - 1 },
        });
      }
    }
  });

  it('that is the newest is refused wherever an acknowledged group is hit that has one behind it', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    for (const value of ['one', 'two', 'three', 'four']) await log.append(text(value));
    const whole = diskOf(storage);
    const name = nth(whole, 0);
    const [, ...data] = groups(bytesOf(whole, name));
    for (const [index, offset] of data.slice(0, 3).entries()) {
      const end = must(data[index + 1]);
      const expected = { file: name, offset, expectedLsn: index + 1, lastGoodLsn: index };
      for (let at = offset; at < end; at += 5) {
        const disk = copyOf(whole);
        flip(bytesOf(disk, name), at);
        const { details } = await refused(disk);
        expect(details).toMatchObject(expected);
        expect(details.evidence).toMatch(/durable/);
        expect(details.firstGoodLsnAfter).toBe(index + 2);
      }
      const zeroed = copyOf(whole);
      bytesOf(zeroed, name).fill(0, offset, end);
      expect((await refused(zeroed)).details).toMatchObject({ ...expected, firstGoodLsnAfter: index + 2 });
    }
  });
});
