/** list-cursors: where cursors stand is told without the log's lock, as its writer tells it. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { listCursors, listSegments, openLog } from '../../dist/src/index.js';
import { edit, tempDir } from '../support/temp-dir.js';

it('tells each cursor with its last acknowledged position, beside a writer and without one', async () => {
  const directory = tempDir();
  expect(await listCursors(directory)).toEqual([]);
  const log = await openLog(directory);
  for (let i = 0; i < 5; i++) await log.append(`${i}`);
  await (await log.cursor('slow')).ack(2);
  const fast = await log.cursor('fast');
  for (const lsn of [1, 3, 5]) await fast.ack(lsn);
  await log.cursor('new');
  const expected = [
    { name: 'fast', position: 5 },
    { name: 'new', position: 0 },
    { name: 'slow', position: 2 },
  ];
  expect(await listCursors(directory)).toEqual(expected);
  expect(await log.cursors()).toEqual(expected);
  await log.close();
  expect(await listCursors(directory)).toEqual(expected);
});

it('gives no position to one that is damaged, renamed, of another log, or no file', async () => {
  const [directory, other] = [tempDir(), tempDir()];
  for (const path of [directory, other]) {
    const log = await openLog(path);
    await log.append('a');
    await (await log.cursor('good')).ack(1);
    await (await log.cursor('bad')).ack(1);
    await log.close();
  }
  edit(directory, 'bad.cursor', (bytes) => bytes.fill(0xff));
  copyFileSync(join(directory, 'good.cursor'), join(directory, 'renamed.cursor'));
  copyFileSync(join(other, 'good.cursor'), join(directory, 'foreign.cursor'));
  writeFileSync(join(directory, 'short.cursor'), '');
  expect(await listCursors(directory)).toEqual([
    { name: 'bad', position: undefined },
    { name: 'foreign', position: undefined },
    { name: 'good', position: 1 },
    { name: 'renamed', position: undefined },
    { name: 'short', position: undefined },
  ]);
  await expect(listCursors(join(directory, 'none'))).rejects.toMatchObject({ code: 'RINGWAL_IO' });
});

it('tells the size that segments were laid out for, also when their files were cut', async () => {
  const directory = tempDir();
  const log = await openLog(directory, { segmentBytes: 131_072 });
  await log.append('a');
  await log.close();
  const [segment] = await listSegments(directory);
  expect(segment).toMatchObject({ segmentBytes: 131_072 });
  expect(segment?.fileBytes).toBeLessThan(131_072);
});
