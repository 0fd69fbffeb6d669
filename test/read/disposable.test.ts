/** disposable: what the types say of a read and a tail on every version of Node: how `await using` and `throw` end them. */
import { expect, it } from 'vitest';
import { type Log, type LogReader, openLog, openReader } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

async function logOfTwoGroups(): Promise<Log> {
  const log = await openLog(tempDir());
  await log.appendBatch(['a', 'b']);
  await log.append('c');
  return log;
}

it.each(['read', 'tail'] as const)('a %s ends when it is disposed of', async (way) => {
  await using log: Log = await logOfTwoGroups();
  await using reader: LogReader = await openReader(log.directory);
  for (const source of [log, reader]) {
    const records = source[way]();
    expect((await records.next()).value?.lsn).toBe(1);
    await records[Symbol.asyncDispose]();
    expect(await records.next()).toEqual({ done: true, value: undefined });
  }
});

// Node 24 throws a TypeError of its own into `yield*` over an array, as streams over a read then did when destroyed.
it.each([
  'read',
  'tail',
] as const)('a %s that is thrown into ends with just that, within a group too', async (way) => {
  await using log: Log = await logOfTwoGroups();
  await using reader: LogReader = await openReader(log.directory);
  for (const source of [log, reader]) {
    const records = source[way]();
    await records.next();
    const error = new Error('of the user');
    await expect(records.throw(error)).rejects.toBe(error);
    expect(await records.next()).toEqual({ done: true, value: undefined });
  }
});
