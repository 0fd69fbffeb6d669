/** closing: what a reader that is closed leaves behind. */
import { expect, it } from 'vitest';
import { openLog, openReader, type RingwalError } from '../../dist/src/index.js';
import { DirectoryReader } from '../../dist/src/reader/log-reader.js';
import { NodeStorage } from '../../dist/src/storage/node-storage.js';
import { tempDir } from '../support/temp-dir.js';
import { WatchedStorage } from '../support/watched-storage.js';

it.each([
  'read',
  'tail',
] as const)('a %s under way gives nothing more once the reader is closed', async (way) => {
  const directory = tempDir();
  const log = await openLog(directory);
  await log.appendBatch(['1', '2', '3']);
  for (let lsn = 4; lsn <= 9; lsn++) await log.append(`${lsn}`);
  await log.close();
  const reader = await openReader(directory);
  const records = reader[way]();
  expect((await records.next()).value?.lsn).toBe(1);
  await reader.close();
  const error = await records.next().then(
    ({ value }) => value,
    (thrown: RingwalError) => thrown.code,
  );
  expect(error).toBe('RINGWAL_CLOSED');
  expect((await records.next()).done).toBe(true);
});

it.each([
  ['read', 2],
  ['tail', 30],
] as const)('a %s ends with RINGWAL_CLOSED, whenever the reader is closed', async (way, moments) => {
  const directory = tempDir();
  const log = await openLog(directory);
  for (let lsn = 1; lsn <= 3; lsn++) await log.append(`${lsn}`);
  await log.close();
  for (let moment = 0; moment < moments; moment++) {
    let closing = Number.POSITIVE_INFINITY;
    const inner = await NodeStorage.open(directory, { create: false });
    const storage = new WatchedStorage(inner, async (operation) => {
      if (operation === closing) await reader.close();
    });
    const reader = await DirectoryReader.open({ directory, storage, isWriterAlive: async () => false });
    closing = storage.operations + moment;
    const records = way === 'read' ? reader.read() : reader.tail({ intervalMs: 1 });
    const all = async (): Promise<void> => {
      for await (const _ of records);
    };
    await expect(all(), `moment ${moment}`).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
  }
});
