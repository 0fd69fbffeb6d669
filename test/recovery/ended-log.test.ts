/** ended-log: what an opening left behind the end of the log is none of its records; what it failed to end is not lost. */
import { expect, it } from 'vitest';
import { UNSYNCED } from '../../dist/src/ring/layout.js';
import { must } from '../support/must.js';
import { salvaged } from '../support/salvaged.js';
import { SimStorage } from '../support/sim-storage.js';
import { BLOCK, boot, bytesOf, type Disk, diskOf, flip, groups, open, text, texts, used } from './disk.js';

const MODE = { recovery: 'point-in-time' } as const;

const lines = (letter: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i} ${letter}${from + i}`);

function shown(records: readonly { lsn: number; payload: Uint8Array }[]): string[] {
  return records.map(({ lsn, payload }) => `${lsn} ${Buffer.from(payload).toString('latin1')}`);
}

/** A closed log of nine records in groups of one, of which the fourth is damaged. */
async function damagedLog(): Promise<Disk> {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (let lsn = 1; lsn <= 9; lsn++) await log.append(text(`old${lsn}`));
  await log.close();
  const disk = diskOf(storage);
  const bytes = bytesOf(disk, must(used(disk)[0]));
  flip(bytes, must(groups(bytes)[4]) + 66);
  return disk;
}

/** Zeros in the place of the newest segment's LINK and of the groups in the same sector. */
function loseLinkSector(disk: Disk): void {
  bytesOf(disk, must(used(disk).at(-1))).fill(0, BLOCK, BLOCK + 512);
}

it('a salvage has what lies behind damage after an opening that put the file aside and then failed', async () => {
  const disk = await damagedLog();
  const full = boot(disk, { plan: ({ kind }) => (kind === 'create' ? { code: 'ENOSPC' } : undefined) });
  await expect(open(full, MODE)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  const after = diskOf(full);
  expect([...after.keys()].filter((name) => name.includes('.lost-'))).toHaveLength(1);
  const { report, records } = await salvaged(after);
  expect(shown(records)).toEqual([...lines('old', 1, 3), ...lines('old', 5, 9)]);
  expect(report.lost).toMatchObject([{ firstLsn: 4, lastLsn: 4 }]);
});

it('a sound part of a write that was torn is not saved in the place of later records', async () => {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (let lsn = 1; lsn <= 3; lsn++) await log.append(text(`old${lsn}`));
  for (let lsn = 4; lsn <= 7; lsn++) {
    log.submit(text(`torn${lsn}`), 0, { chunkFlags: UNSYNCED });
    await log.commit();
  }
  const torn = diskOf(storage);
  const bytes = bytesOf(torn, must(used(torn)[0]));
  flip(bytes, must(groups(bytes)[4]) + 66);
  const second = boot(torn);
  const again = await open(second, { recycle: false });
  expect(again.engine.summary).toMatchObject({ lastLsn: 3, tornTail: {} });
  for (let lsn = 4; lsn <= 12; lsn++) await again.append(text(`new${lsn}`));
  await again.close();
  const disk = diskOf(second);
  loseLinkSector(disk);
  const found = shown((await salvaged(disk)).records);
  expect(found.filter((line) => line.includes('torn'))).toEqual([]);
  expect(found).toEqual(expect.arrayContaining([...lines('old', 1, 3), ...lines('new', 9, 12)]));
});

it('what lies behind the damage at which the log was ended is not saved in the place of later records', async () => {
  const storage = boot(await damagedLog());
  const log = await open(storage, MODE);
  expect(await texts(log)).toEqual(lines('old', 1, 3));
  for (let lsn = 4; lsn <= 12; lsn++) await log.append(text(`new${lsn}`));
  await log.close();
  const disk = diskOf(storage);
  for (const name of disk.keys()) if (name.includes('.lost-')) disk.delete(name); // by whoever needs them no more
  loseLinkSector(disk);
  const found = shown((await salvaged(disk)).records);
  expect(found.filter((line) => line.includes('old'))).toEqual(lines('old', 1, 3));
  expect(found).toEqual(expect.arrayContaining(lines('new', 9, 12)));
});

it('the segment of a cut that holds nothing that verifies is put aside too: a salvage of before knows of the cut', async () => {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (let lsn = 1; lsn <= 9; lsn++) await log.append(text(`old${lsn}`));
  await log.drive(log.engine.truncateAfter(4));
  await log.engine.maintenanceIdle();
  const disk = diskOf(storage);
  const cutter = must(used(disk).at(-1));
  flip(bytesOf(disk, cutter), BLOCK + 10);
  const second = boot(disk);
  const opened = await open(second, MODE);
  const { epoch, keptAside } = opened.engine.summary;
  expect(keptAside).toContain(`${cutter}.lost-${epoch}`);
  await opened.close();
  const { records } = await salvaged(diskOf(second), { beforeEpoch: epoch });
  expect(shown(records)).toEqual(lines('old', 1, 4));
});
