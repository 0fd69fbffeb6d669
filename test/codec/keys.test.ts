/** keys: how often the caller's callback for encryption keys is asked. */
import { expect, it } from 'vitest';
import { type LogRecord, openLog, openReader } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

async function first(records: AsyncGenerator<LogRecord>): Promise<string> {
  const { value } = await records.next();
  await records.return(undefined);
  return Buffer.from((value as LogRecord).payload).toString();
}

it('are asked for once for each id, however many reads and tails want them, and again after a failure', async () => {
  const directory = tempDir();
  const asked: number[] = [];
  let isOut = true;
  const key = async (keyId: number): Promise<Buffer> => {
    asked.push(keyId);
    if (isOut && keyId === 3) throw new Error('the key service is out');
    return Buffer.alloc(32, keyId);
  };
  const log = await openLog(directory, { encryption: { keyId: 1, key } });
  await log.append('one');
  await expect(log.rotateKey(3)).rejects.toMatchObject({ code: 'RINGWAL_ENCRYPTION' });
  isOut = false;
  await log.rotateKey(3);
  await log.append('two');
  expect(await Promise.all([first(log.read()), first(log.tail()), first(log.read({ from: 2 }))])).toEqual([
    'one',
    'one',
    'two',
  ]);
  await log.close();
  expect(asked.splice(0)).toEqual([1, 3, 3]);

  await using reader = await openReader(directory, { key });
  expect(await Promise.all([first(reader.read()), first(reader.read()), first(reader.tail())])).toEqual([
    'one',
    'one',
    'one',
  ]);
  expect(asked.filter((keyId) => keyId === 1)).toEqual([1]);
});
