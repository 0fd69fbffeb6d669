/** disposable: what the types say of a read and a tail on every version of Node: `await using` ends them. */
import { expect, it } from 'vitest';
import { type Log, type LogReader, openLog, openReader } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

it.each(['read', 'tail'] as const)('a %s ends when it is disposed of', async (way) => {
  await using log: Log = await openLog(tempDir());
  await log.appendBatch(['a', 'b']);
  await log.append('c');
  await using reader: LogReader = await openReader(log.directory);
  for (const source of [log, reader]) {
    const records = source[way]();
    expect((await records.next()).value?.lsn).toBe(1);
    await records[Symbol.asyncDispose]();
    expect(await records.next()).toEqual({ done: true, value: undefined });
  }
});
