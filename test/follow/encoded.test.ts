/** encoded: readers and tails inflate and decrypt, and say what they can't open with a typed error. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { openLog, openReader, type RingwalError } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const secret = randomBytes(32);
const key = (): Uint8Array => secret;
const codeOf = (error: RingwalError): string => error.code;
const payload = 'compressible '.repeat(100);

it('a reader and its tail, and the tail of the log, give what was compressed and encrypted', async () => {
  const directory = tempDir();
  const log = await openLog(directory, { compression: 'auto', encryption: { keyId: 1, key } });
  await log.append(payload);
  await log.sync();
  const own = log.tail();
  expect(Buffer.from((await own.next()).value?.payload ?? []).toString()).toBe(payload);
  await own.return();
  await log.close();
  await using reader = await openReader(directory, { key });
  expect((await reader.readAll()).map((record) => Buffer.from(record.payload).toString())).toEqual([payload]);
  const tail = reader.tail({ intervalMs: 1 });
  expect(Buffer.from((await tail.next()).value?.payload ?? []).toString()).toBe(payload);
  await tail.return();
});

it('a reader and its tail without the key, with a wrong one, or with a lower limit refuse', async () => {
  const directory = tempDir();
  const log = await openLog(directory, { compression: 'auto', encryption: { keyId: 1, key } });
  await log.append(payload);
  await log.close();
  for (const options of [{}, { key: () => randomBytes(32) }]) {
    await using reader = await openReader(directory, options);
    expect(await reader.readAll().catch(codeOf)).toBe('RINGWAL_DECRYPTION');
    expect(await reader.tail({ intervalMs: 1 }).next().catch(codeOf)).toBe('RINGWAL_DECRYPTION');
  }
  await using reader = await openReader(directory, { key, maxInflatedBytes: 100 });
  const codes = [
    await reader.readAll().catch(codeOf),
    await reader.tail({ intervalMs: 1 }).next().catch(codeOf),
  ];
  expect(codes).toEqual(['RINGWAL_CORRUPT', 'RINGWAL_CORRUPT']);
});
