/** diagnostics: what node:diagnostics_channel tells of a log, and on which thread. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type LogOptions, openLog, type RingwalError } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 32_768 };
const NAMES = ['open', 'group', 'rotate', 'truncate', 'cut', 'failure', 'close'];

const told: (readonly [name: string, message: Record<string, unknown>])[] = [];
const listeners = NAMES.map((name) => [
  `ringwal:${name}`,
  (message: unknown) => told.push([name, message as Record<string, unknown>]),
]) as [string, (message: unknown) => void][];
const of = (name: string) => told.filter(([own]) => own === name).map(([, message]) => message);

beforeEach(() => {
  told.length = 0;
  for (const [name, listener] of listeners) subscribe(name, listener);
});
afterEach(() => {
  for (const [name, listener] of listeners) unsubscribe(name, listener);
});

it('tells of a log that is opened, of each group with records of this thread, and of its end', async () => {
  const log = await openLog(tempDir(), SMALL);
  const { directory } = log;
  await log.append('alone');
  await log.appendBatch(['two', 'together']);
  await log.close();
  await log.close(); // says it once
  expect(told.map(([name]) => name)).toEqual(['open', 'group', 'group', 'close']);
  expect(of('open')).toEqual([{ directory, recovery: log.recovery }]);
  expect(of('close')).toEqual([{ directory }]);
  expect(of('group')).toMatchObject([
    { directory, firstLsn: 1, records: 1, groupRecords: 1, groupBytes: 16, segment: 1 },
    { directory, firstLsn: 2, records: 2, groupRecords: 2, segment: 1 },
  ]);
  for (const { syncUs } of of('group')) expect(syncUs).toBeGreaterThan(0);
});

it('tells of a group once, also when an append in its middle is refused', async () => {
  // The window holds the group open until `sync` ends it: what is appended in one turn may else be two groups.
  const log = await openLog(tempDir(), { ...SMALL, windowUs: 1_000_000 });
  const together = async (...appends: Promise<number>[]): Promise<void> => {
    const synced = log.sync();
    await Promise.allSettled([...appends, synced]);
  };
  const refused = (): Promise<number> => log.append('no', { expectedLsn: 99 });
  await together(log.append('a'), refused(), log.append('b'));
  await together(refused());
  await together(refused(), log.append('c'));
  expect(of('group')).toMatchObject([
    { firstLsn: 1, records: 2, groupRecords: 2 },
    { firstLsn: 3, records: 1, groupRecords: 1 },
  ]);
  await log.close();
});

it('tells of a group after its appends resolve, whose callers come first', async () => {
  const log = await openLog(tempDir(), SMALL);
  const seen: number[] = [];
  await log.append('a').then(() => seen.push(of('group').length));
  expect(seen).toEqual([1]);
  await log.close();
});

it('tells of new segments, truncations and cuts', async () => {
  const log = await openLog(tempDir(), SMALL);
  const { directory } = log;
  await log.append('a');
  await log.rotate();
  await log.append('b');
  await log.append('c');
  await log.truncateBefore(2);
  await log.truncateAfter(2);
  await log.close();
  const segments = of('group').map(({ segment }) => segment);
  expect(of('rotate')).toEqual([{ directory, segment: segments[1] }]);
  expect(of('truncate')).toEqual([{ directory, firstLsn: 2 }]);
  expect(of('cut')).toEqual([{ directory, lastLsn: 2 }]);
});

it('tells once that the log has failed, and why', async () => {
  process.env.RINGWAL_TEST_FAULT = 'sync=3&code=EIO';
  const workerUrl = new URL('../fixtures/failing-worker.mjs', import.meta.url);
  const log = await openLog(tempDir(), { ...SMALL, syncMode: 'fdatasync', workerUrl });
  let failure: unknown;
  while (failure === undefined)
    await log.append('a').catch((error: RingwalError) => {
      failure = error;
    });
  await expect(log.append('b')).rejects.toMatchObject({ code: 'RINGWAL_POISONED' });
  await log.close();
  expect(of('failure')).toMatchObject([
    { directory: log.directory, error: { code: 'RINGWAL_POISONED', cause: { code: 'EIO' } } },
  ]);
});
