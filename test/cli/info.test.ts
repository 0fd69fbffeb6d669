/** info: `ringwal info` tells segments, LSNs, sizes, the writer and what could be freed, and changes nothing. */
import { copyFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { cli, cliJson } from '../support/cli.js';
import { edit, fingerprint, segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL = { segmentBytes: 65_536, ringBytes: 65_536 };

/** Three segments or more, a checkpoint in the last but one. */
async function written(directory: string) {
  const log = await openLog(directory, SMALL);
  for (let segment = 0; segment < 3; segment++) {
    await log.append(`record of segment ${segment}`);
    if (segment === 1) await log.checkpoint('state');
    if (segment < 2) await log.rotate();
  }
  return log;
}

it('tells segments, LSN ranges, sizes, the checkpoint, disk use and what GC could free', async () => {
  const directory = tempDir();
  await (await written(directory)).close();
  const before = fingerprint(directory);
  const { code, out, err } = await cli(['info', directory]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('LSN 1 to 4, 4 LSNs');
  expect(out).toContain('checkpoint  LSN 3');
  expect(out).toContain('open        no');
  expect(out).toMatch(/^ +1 {2}1 to 1 .*sealed .*00000000000000000001\.wal$/m);
  expect(out).toMatch(/^ +3 {2}4 to 4 .*newest /m);
  expect(out).toMatch(/^GC could free 1 segment, /m);
  expect(out).not.toContain('\u001b[');
  expect(await cliJson(['info', directory])).toMatchObject({
    firstLsn: 1,
    lastLsn: 4,
    checkpointLsn: 3,
    isOpen: false,
    segments: [
      { number: 1, firstLsn: 1, lastLsn: 1, isClosed: true, isSealed: true },
      { number: 2, firstLsn: 2, lastLsn: 3, isClosed: true },
      { number: 3, firstLsn: 4, lastLsn: 4, isClosed: false },
    ],
    disk: expect.arrayContaining([expect.objectContaining({ kind: 'segments', files: 3 })]),
    freeable: { beforeCheckpoint: { segments: 1 }, closed: { segments: 2 } },
  });
  expect(fingerprint(directory)).toEqual(before);
});

it('tells which process has the log open', async () => {
  const directory = tempDir();
  const log = await written(directory);
  expect(await cliJson(['info', directory])).toMatchObject({ isOpen: true, pid: process.pid });
  expect((await cli(['info', directory])).out).toContain(`open        by process ${process.pid}`);
  await log.close();
});

it('tells where cursors stand and what they hold back, also those that are damaged', async () => {
  const directory = tempDir();
  const log = await written(directory);
  await (await log.cursor('mailer')).ack(2);
  await log.cursor('search');
  expect(await cliJson(['info', directory])).toMatchObject({
    cursors: [
      { name: 'mailer', position: 2 },
      { name: 'search', position: 0 },
    ],
    freeable: { beforeCheckpoint: { segments: 0 }, heldByCursors: { segments: 1 } },
  });
  expect(((await cliJson(['info', directory])) as { cursors: unknown }).cursors).toEqual(await log.cursors());
  await log.deleteCursor('search');
  await log.close();
  expect(await cliJson(['info', directory])).toMatchObject({
    freeable: { beforeCheckpoint: { segments: 1 }, heldByCursors: { segments: 0 } },
  });
  expect((await cli(['info', directory])).out).toContain('cursors     mailer at LSN 2, 2 behind\n');
  edit(directory, 'mailer.cursor', (bytes) => bytes.fill(1));
  expect((await cli(['info', directory])).out).toContain('mailer damaged: it holds back all GC');
  const reopened = await openLog(directory, SMALL);
  expect(((await cliJson(['info', directory])) as { cursors: unknown }).cursors).toEqual([
    { name: 'mailer' },
  ]);
  await reopened.close();
});

it('takes a cursor of another log or of another name for damaged, as opening does', async () => {
  const [directory, other] = [tempDir(), tempDir()];
  for (const path of [directory, other]) {
    const log = await written(path);
    await (await log.cursor('far')).ack(4);
    await log.close();
  }
  const copy = (from: string, name: string): void =>
    copyFileSync(join(from, 'far.cursor'), join(directory, `${name}.cursor`));
  copy(directory, 'renamed');
  copy(other, 'foreign');
  const seen = ((await cliJson(['info', directory])) as { cursors: unknown }).cursors;
  expect(seen).toEqual([{ name: 'far', position: 4 }, { name: 'foreign' }, { name: 'renamed' }]);
  const log = await openLog(directory, SMALL);
  expect(
    (await log.cursors()).map(({ name, position }) => ({
      name,
      ...(position !== undefined && { position }),
    })),
  ).toEqual(seen);
  await log.close();
});

it('colours a terminal, unless NO_COLOR says not to, and a pipe when FORCE_COLOR says so', async () => {
  const directory = tempDir();
  await (await written(directory)).close();
  const isColoured = async (env: Record<string, string>, isTty: boolean): Promise<boolean> =>
    (await cli(['info', directory], { env, isTty })).out.includes('\u001b[');
  expect(await isColoured({ TERM: 'xterm' }, true)).toBe(true);
  expect(await isColoured({ TERM: 'dumb' }, true)).toBe(false);
  expect(await isColoured({ NO_COLOR: '1', FORCE_COLOR: '1' }, true)).toBe(false);
  expect(await isColoured({}, false)).toBe(false);
  expect(await isColoured({ FORCE_COLOR: '1' }, false)).toBe(true);
  expect(await isColoured({ FORCE_COLOR: '0' }, true)).toBe(false);
});

it('shows what it can of a damaged log, and says so with exit code 1', async () => {
  const directory = tempDir();
  await (await written(directory)).close();
  const [, , newest = ''] = segmentsIn(directory);
  edit(directory, newest, (bytes) => bytes.fill(0xff, 8300, 8320));
  const second = segmentsIn(directory)[1] ?? '';
  edit(directory, second, (bytes) => bytes.fill(0xff, 0, 100));
  const { code, out } = await cli(['info', directory]);
  expect(code).toBe(1);
  expect(out).toContain('damage');
  expect(out).toContain('ringwal repair');
});

it('shows what it can also of a log of which no segment has a beginning that verifies', async () => {
  const directory = tempDir();
  await (await written(directory)).close();
  for (const name of segmentsIn(directory)) edit(directory, name, (bytes) => bytes.fill(0xff, 0, 100));
  const { code, out } = await cli(['info', directory]);
  expect(code).toBe(1);
  expect(out).toMatch(/damage +The first block of .*\.wal is damaged/);
  expect(out).toMatch(/spare or freed +\d/);
  // By its full path, as a sound one is.
  expect(await cliJson(['info', relative('.', directory)])).toMatchObject({
    ...{ directory, segments: [], isOpen: false, damage: { code: 'RINGWAL_CORRUPT' } },
  });
});
