/** lost-records: what an opening to a point in time says is lost, where it draws the line, and what it is not to judge. */
import { describe, expect, it } from 'vitest';
import { must } from '../support/must.js';
import { SimStorage } from '../support/sim-storage.js';
import {
  BLOCK,
  boot,
  bytesOf,
  type Disk,
  diskOf,
  flip,
  groups,
  open,
  refused,
  text,
  texts,
  used,
} from './disk.js';

const MODE = { recovery: 'point-in-time' } as const;
const nth = (disk: Disk, index: number): string => must(used(disk).at(index));

/** Damages the body of a group: the `n`th of the `index`th segment; 0: its LINK. */
function damage(disk: Disk, index: number, n: number): { file: string; offset: number } {
  const file = nth(disk, index);
  const offset = must(groups(bytesOf(disk, file)).at(n));
  flip(bytesOf(disk, file), offset + 66);
  return { file, offset };
}

/** Three segments with two records each, LSNs 1 to 6. */
async function written(mark = 0): Promise<SimStorage> {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (let i = 1; i <= 3; i++) {
    if (i > 1) await log.rotate();
    for (const letter of 'ab') await log.append(text(`${i}${letter}`));
  }
  if (mark > 0) await log.truncateBefore(mark);
  return storage;
}

/** The same, marked, closed and opened again, which leaves a segment with a LINK and no record behind them. */
async function reopened(): Promise<Disk> {
  const first = boot(diskOf(await written()));
  const log = await open(first, { recycle: false });
  await log.truncateBefore(2); // proven by the mark of the closing
  await log.close();
  const again = boot(diskOf(first));
  await open(again, { recycle: false });
  return diskOf(again);
}

describe('an opening to a point in time', () => {
  it('needs one record before the damage, and none is too few', async () => {
    const disk = diskOf(await written());
    damage(disk, 0, 2);
    const log = await open(boot(disk), MODE);
    expect(await texts(log)).toEqual(['1 1a']);
    expect(log.engine.summary.damage[0]).toMatchObject({ firstLostLsn: 2, lastLostLsn: 6 });
    damage(disk, 0, 1);
    expect((await refused(disk, MODE)).message).toMatch(/No record comes before the damage/);
  });

  it('needs one that was not truncated', async () => {
    const disk = diskOf(await written(4));
    damage(disk, 0, 2); // LSN 4: the one before it is below the mark
    const { message, details } = await refused(disk, MODE);
    expect(message).toMatch(/No record comes before the damage/);
    expect(details).toMatchObject({ file: nth(disk, 0), expectedLsn: 4 });
  });

  it('tells of the first damage in the log when there is more, whatever was noticed first', async () => {
    const disk = diskOf(await written());
    damage(disk, 2, 1);
    expect((await refused(disk)).details.file).toBe(nth(disk, 2));
    const { file, offset } = damage(disk, 1, 2);
    const { summary } = (await open(boot(disk), MODE)).engine;
    expect(summary.damage).toMatchObject([
      { file, offset, firstLostLsn: 4, lastLostLsn: 6, keptAs: `${file}.lost-2` },
      { file: nth(disk, 2), offset: undefined, firstLostLsn: 5, lastLostLsn: 6 },
    ]);
    expect(summary.damage[0]?.reason).not.toContain('No file was changed');
    // The same when nothing is left.
    damage(disk, 0, 1);
    expect((await refused(disk, MODE)).details.file).toBe(nth(disk, 0));
  });

  it('names the segment that tells of a missing one', async () => {
    const disk = diskOf(await written());
    const last = nth(disk, 2);
    disk.delete(nth(disk, 1));
    const { damage: found, keptAside } = (await open(boot(disk), MODE)).engine.summary;
    expect(found).toMatchObject([
      { file: last, offset: undefined, firstLostLsn: 3, lastLostLsn: 6, keptAs: `${last}.lost-2` },
      { file: last, firstLostLsn: 5, lastLostLsn: 6, keptAs: `${last}.lost-2` },
    ]);
    expect(keptAside).toEqual([`${last}.lost-2`]);
  });

  it('knows of no lost record when only a mark is damaged', async () => {
    const disk = await reopened();
    const last = nth(disk, -1);
    const { file } = damage(disk, -2, -2);
    const log = await open(boot(disk), MODE);
    expect(await texts(log)).toHaveLength(5);
    const lost = { firstLostLsn: undefined, lastLostLsn: undefined };
    expect(log.engine.summary.damage).toMatchObject([
      { file, firstLostLsn: 7, lastLostLsn: undefined },
      { file: last, ...lost },
    ]);
  });

  it('puts aside a segment whose LINK is damaged, for the groups in it, and says from where on they are lost', async () => {
    const first = boot(diskOf(await written()));
    const log = await open(first, { recycle: false }); // logs LSN 6 again, as nothing proves it
    await log.append(text('seventh'));
    const disk = diskOf(first);
    const { file } = damage(disk, -1, 0);
    const { summary } = (await open(boot(disk), MODE)).engine;
    expect(summary).toMatchObject({ lastLsn: 6, tornTail: undefined });
    expect(summary.damage.at(-1)).toMatchObject({
      ...{ file, firstLostLsn: 7, lastLostLsn: 7, keptAs: `${file}.lost-3` },
    });
    // And with a torn write before it, which is cut off as usual.
    const torn = damage(disk, -2, -1);
    const cut = (await open(boot(disk), MODE)).engine.summary;
    expect(cut).toMatchObject({ lastLsn: 5, tornTail: { file: torn.file, offset: torn.offset } });
    expect(cut.tornBytes).toBeGreaterThan(64);
    expect(cut.damage.at(-1)).toMatchObject({ file, firstLostLsn: 6, lastLostLsn: 7 });
  });

  it('puts aside a file whose first block is damaged, though the log goes on behind it', async () => {
    const first = boot(diskOf(await written()));
    await open(first, { recycle: false });
    const disk = diskOf(first);
    const [, , , gap = ''] = ['1', '2', '3', '4'].map((digit) => `${digit.padStart(20, '0')}.wal`);
    expect(disk.has(gap)).toBe(false);
    disk.set(gap, new Uint8Array(8192).fill(0xa5));
    expect((await refused(disk)).details).toEqual({ file: gap, offset: 0 });
    const { summary } = (await open(boot(disk), MODE)).engine;
    const keptAs = `${gap}.lost-3`;
    expect(summary).toMatchObject({ lastLsn: 6, keptAside: [keptAs], damage: [{ keptAs }, { keptAs }] });
  });

  it('leaves alone what is older than the log, and spares', async () => {
    const disk = diskOf(await written());
    const before = [...disk.keys()];
    disk.set('00000000000000000000.new', text('half a segment'));
    damage(disk, 2, 1);
    const { keptAside } = (await open(boot(disk), MODE)).engine.summary;
    expect(before.length).toBeGreaterThan(3); // with a spare
    expect(keptAside).toEqual([`${nth(disk, 2)}.lost-2`]);
    const truncated = diskOf(await written(5));
    const oldest = nth(truncated, 0);
    truncated.set('00000000000000000001.wal', bytesOf(truncated, oldest).slice().fill(0xa5, 0, BLOCK));
    damage(truncated, -1, 2);
    const { summary } = (await open(boot(truncated), MODE)).engine;
    expect(summary).toMatchObject({ firstLsn: 5, lastLsn: 5 });
    expect(summary.damage.map(({ file }) => file)).toEqual([nth(truncated, -1)]);
  });

  it('takes a read that fails for no damage, wherever in its work that is', async () => {
    const disk = diskOf(await written());
    damage(disk, 1, 2);
    const reads = boot(disk);
    await open(reads, MODE);
    const places = reads.operations.filter(({ kind }) => kind === 'read').map(({ index }) => index);
    expect(places.length).toBeGreaterThan(10);
    for (const place of places) {
      const storage = boot(disk, { plan: ({ index }) => (index === place ? { code: 'EIO' } : undefined) });
      await expect(open(storage, MODE), `call ${place}`).rejects.toMatchObject({
        ...{ code: 'RINGWAL_IO', cause: { code: 'EIO' } },
      });
      expect(storage.openFiles).toEqual([]);
    }
  });
});
