/** salvage-originals: what opening logged again lies in two segments; a salvage has it as long as one of them is sound. */
import { expect, it } from 'vitest';
import { UNSYNCED } from '../../dist/src/ring/layout.js';
import { must } from '../support/must.js';
import { salvaged } from '../support/salvaged.js';
import { SimStorage } from '../support/sim-storage.js';
import { BLOCK, boot, bytesOf, copyOf, type Disk, diskOf, flip, groups, open, text, used } from './disk.js';

const OS = { chunkFlags: UNSYNCED };
const lines = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i} r${from + i}`);

function shown(records: readonly { lsn: number; payload: Uint8Array }[]): string[] {
  return records.map(({ lsn, payload }) => `${lsn} ${Buffer.from(payload).toString('latin1')}`);
}

/** Records 1 to 3 in groups of one, 4 to 6 that wait for no sync; after a kill, the last three are logged again; then up to 9. */
async function reopened(): Promise<{ disk: Disk; older: string; newer: string }> {
  const first = new SimStorage();
  const log = await open(first, { recycle: false });
  for (let lsn = 1; lsn <= 6; lsn++) {
    log.submit(text(`r${lsn}`), 0, lsn > 3 ? OS : {});
    await log.commit();
  }
  const second = boot(diskOf(first));
  const again = await open(second, { recycle: false });
  expect(again.engine.summary).toMatchObject({ lastLsn: 6, reloggedRecords: 3 });
  for (let lsn = 7; lsn <= 9; lsn++) await again.append(text(`r${lsn}`));
  await again.close();
  const disk = diskOf(second);
  const [older = '', newer = ''] = used(disk);
  return { disk, older, newer };
}

it('nothing is lost when copies of what was logged again are damaged, and their originals are sound', async () => {
  const { disk, older, newer } = await reopened();
  const places = groups(bytesOf(disk, newer));
  for (const [first, last] of [
    [1, 1],
    [2, 3],
    [1, 3],
  ] as const) {
    for (const at of [3, 66]) {
      const damaged = copyOf(disk);
      for (let i = first; i <= last; i++) flip(bytesOf(damaged, newer), must(places[i]) + at);
      const { report, records } = await salvaged(damaged);
      expect(shown(records), `groups ${first} to ${last}`).toEqual(lines(1, 9));
      expect(report.lost).toEqual([]);
      expect(report.files.find(({ file }) => file === newer)).toMatchObject({ state: 'damaged' });
      expect(report.files.find(({ file }) => file === older)?.savedRecords).toBeGreaterThan(3);
    }
  }
});

it('nor when zeros are in their place, up to the end of the log', async () => {
  const { disk, newer } = await reopened();
  bytesOf(disk, newer).fill(0, must(groups(bytesOf(disk, newer))[1]));
  const { records } = await salvaged(disk);
  expect(shown(records)).toEqual(lines(1, 6));
});

it('only what is damaged in both is lost', async () => {
  const { disk, older, newer } = await reopened();
  // LSN 5 in both: what follows it in the older one is no longer known to have been logged again.
  flip(bytesOf(disk, older), must(groups(bytesOf(disk, older))[5]) + 66);
  for (const i of [1, 2]) flip(bytesOf(disk, newer), must(groups(bytesOf(disk, newer))[i]) + 66);
  const { report, records } = await salvaged(disk);
  expect(shown(records)).toEqual(lines(1, 9).filter((line) => line !== '5 r5'));
  expect(report.lost).toMatchObject([{ firstLsn: 5, lastLsn: 5, file: newer }]);
});

it('what lies behind the end of the older segment because the log was cut there is not taken for originals', async () => {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (let lsn = 1; lsn <= 9; lsn++) await log.append(text(`r${lsn}`));
  await log.drive(log.engine.truncateAfter(4));
  await log.engine.maintenanceIdle();
  for (let lsn = 5; lsn <= 7; lsn++) await log.append(text(`new${lsn}`));
  await log.close();
  const disk = diskOf(storage);
  const newer = must(used(disk).at(-1));
  bytesOf(disk, newer).fill(0, BLOCK + 128, must(groups(bytesOf(disk, newer))[3]));
  const { report, records } = await salvaged(disk);
  expect(shown(records)).toEqual([...lines(1, 4), '7 new7']);
  expect(report.lost).toMatchObject([{ firstLsn: 5, lastLsn: 6 }]);
});
