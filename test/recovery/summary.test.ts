/** summary: what `log.recovery` tells, and the mode that refuses a torn write too. */
import { describe, expect, it } from 'vitest';
import { must } from '../support/must.js';
import { SimStorage } from '../support/sim-storage.js';
import {
  boot,
  bytesOf,
  copyOf,
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

/** Two segments with two records each, as kill -9 leaves them. */
async function twoSegments(): Promise<{ disk: Disk; name: string }> {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (const value of ['1a', '1b']) await log.append(text(value));
  await log.rotate();
  for (const value of ['2a', '2b']) await log.append(text(value));
  const disk = diskOf(storage);
  return { disk, name: must(used(disk).at(-1)) };
}

describe('the summary', () => {
  it('of a new log says that it was created, and counts nothing', async () => {
    const { summary } = (await open(new SimStorage())).engine;
    expect(summary).toMatchObject({
      mode: 'tolerate-torn-tail',
      created: true,
      records: 0,
      firstLsn: 1,
      lastLsn: 0,
      segments: 1,
      lastSegment: 1,
      tornTail: undefined,
      tornBytes: 0,
      reloggedRecords: 0,
      damage: [],
      keptAside: [],
      checkpointLsn: 0,
      epoch: 1,
    });
    expect(summary.durationMs).toBeGreaterThan(0);
  });

  it('counts the LSNs of the log and its segments, the one begun included', async () => {
    const { disk } = await twoSegments();
    const storage = boot(disk);
    const { summary } = (await open(storage)).engine;
    expect(summary).toMatchObject({
      created: false,
      records: 4,
      firstLsn: 1,
      lastLsn: 4,
      segments: 3,
      epoch: 2,
    });
    expect(summary).toMatchObject({ reloggedRecords: 1, tornTail: undefined, tornBytes: 0 });
    expect(summary.lastSegment).toBe(Number.parseInt(must(used(diskOf(storage)).at(-1)), 10));
  });

  it('counts only what a truncation has left', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    for (const value of ['one', 'two', 'three']) await log.append(text(value));
    await log.truncateBefore(3);
    const { summary } = (await open(boot(diskOf(storage)))).engine;
    expect(summary).toMatchObject({ records: 1, firstLsn: 3, lastLsn: 3 });
  });

  it('says how many bytes were cut off: from the torn write on to the last that is not zero', async () => {
    const { disk, name } = await twoSegments();
    const bytes = bytesOf(disk, name);
    const offset = must(groups(bytes).at(-1));
    const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
    flip(bytes, offset + 64 + 9);
    const { summary } = (await open(boot(disk))).engine;
    expect(summary).toMatchObject({ lastLsn: 3, tornTail: { file: name, offset }, tornBytes: end - offset });
  });
});

describe('the mode "absolute"', () => {
  const ABSOLUTE = { recovery: 'absolute' } as const;

  it('refuses a torn tail, names it, and changes no file; the default mode opens it', async () => {
    const { disk, name } = await twoSegments();
    const offset = must(groups(bytesOf(disk, name)).at(-1));
    for (const at of [0, 9, 60, 64, 73]) {
      const torn = copyOf(disk);
      flip(bytesOf(torn, name), offset + at);
      const { details, message } = await refused(torn, ABSOLUTE);
      expect(details).toMatchObject({ file: name, offset, lastGoodLsn: 3, expectedLsn: 4 });
      expect(message).toMatch(/not completed.*"absolute"/);
      expect(await texts(await open(boot(torn)))).toEqual(['1 1a', '2 1b', '3 2a']);
    }
  });

  it('opens a log that ends cleanly, closed or after kill -9, also in a file that was used before', async () => {
    const { disk } = await twoSegments();
    const storage = boot(disk);
    const log = await open(storage, ABSOLUTE);
    expect(log.engine.summary).toMatchObject({ mode: 'absolute', lastLsn: 4, damage: [] });
    for (let i = 0; i < 4; i++) {
      for (let j = 0; j < 4; j++) await log.append(text('o'.repeat(2500)));
      await log.truncateBefore(must(log.state.durableLsn) + 1);
      await log.rotate();
    }
    await log.append(text('in a file that was used before'));
    expect(log.engine.stats().segmentsRecycled).toBeGreaterThan(0);
    const { lastLsn } = (await open(boot(diskOf(storage)), ABSOLUTE)).engine.summary;
    expect(lastLsn).toBe(log.state.durableLsn);
    await log.close();
    expect((await open(boot(diskOf(storage)), ABSOLUTE)).engine.summary.lastLsn).toBe(lastLsn);
  });

  it('refuses a write whose first sectors are missing and whose last are there', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    await log.append(text('one'));
    await log.append(text('two'));
    const torn = diskOf(storage);
    const name = must(used(torn)[0]);
    const write = bytesOf(torn, name);
    const start = must(groups(write).at(-1));
    write.copyWithin(start + 1024, start, start + 512); // as of a SEAL in the same write, behind zeros
    write.fill(0, start, start + 1024);
    expect((await refused(torn, ABSOLUTE)).details).toMatchObject({ file: name, offset: start });
    expect((await open(boot(torn))).engine.summary).toMatchObject({
      lastLsn: 1,
      tornTail: { offset: start },
    });
  });

  it('refuses a segment whose first write was cut off, which the default mode leaves behind', async () => {
    const { disk, name } = await twoSegments();
    const bytes = bytesOf(disk, name);
    flip(bytes, 4096 + 64 + 3); // the LINK's body; nothing behind it
    bytes.fill(0, 4096 + 128);
    expect((await refused(disk, ABSOLUTE)).details).toMatchObject({
      file: name,
      offset: 4096,
      lastGoodLsn: 2,
    });
    const { summary } = (await open(boot(disk))).engine;
    expect(summary).toMatchObject({ lastLsn: 2, tornTail: { file: name, offset: 4096 } });
    expect(summary.tornBytes).toBeGreaterThan(64);
  });
});
