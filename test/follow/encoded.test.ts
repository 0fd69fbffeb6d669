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
  expect(codes).toEqual(['RINGWAL_TOO_LARGE', 'RINGWAL_TOO_LARGE']);
});

// The retired key of a record that nobody asked for kept newer ones of its segment from being read.
it('a reader, the log and their tails are not asked for the keys of records before those that they read', async () => {
  const directory = tempDir();
  const old = randomBytes(32);
  const asked = new Set<number>();
  const keyWithout = (keyId: number): Uint8Array => {
    asked.add(keyId);
    if (keyId === 1) throw new Error('it is retired');
    return secret;
  };
  const log = await openLog(directory, {
    ...{ compression: 'auto', recordChecksums: true },
    encryption: { keyId: 1, key: (keyId) => (keyId === 1 ? old : secret) },
  });
  await log.append('with the old key');
  await log.append(payload);
  await log.checkpoint('with the old key');
  await log.rotateKey(2);
  const expected = [4, 5];
  for (const lsn of expected) expect(await log.append(payload)).toBe(lsn);
  await log.close();
  const again = await openLog(directory, { encryption: { keyId: 2, key: keyWithout } });
  await using reader = await openReader(directory, { key: keyWithout });
  for (const source of [again, reader]) {
    for (const transactions of ['committed', 'all'] as const) {
      const read: number[] = [];
      for await (const record of source.read({ from: 4, transactions })) {
        read.push(record.lsn);
        expect(Buffer.from(record.payload).toString()).toBe(payload);
      }
      const tail = source.tail({ from: 4, transactions });
      const followed = [(await tail.next()).value?.lsn, (await tail.next()).value?.lsn];
      await tail.return();
      expect({ read, followed }).toEqual({ read: expected, followed: expected });
    }
    expect([...asked]).toEqual([2]);
    expect(await source.read({ from: 3 }).next().catch(codeOf)).toBe('RINGWAL_DECRYPTION');
    asked.delete(1);
  }
  await again.close();
});

it('a transaction is read whole that began with an older key, and not without that', async () => {
  const directory = tempDir();
  const keys = [randomBytes(32), randomBytes(32)];
  const log = await openLog(directory, {
    encryption: { keyId: 0, key: (keyId) => keys[keyId] as Uint8Array },
  });
  const transaction = log.begin();
  await transaction.append('early');
  await log.rotateKey(1);
  await transaction.append('late');
  const end = await transaction.commit();
  await log.close();
  for (const known of [[0, 1], [1]]) {
    const key = (keyId: number): Uint8Array => {
      if (!known.includes(keyId)) throw new Error('it is retired');
      return keys[keyId] as Uint8Array;
    };
    await using reader = await openReader(directory, { key });
    const read = await reader
      .readAll({ from: end })
      .then((records) => records.map((record) => Buffer.from(record.payload).toString()), codeOf);
    expect(read).toEqual(known.length === 2 ? ['early', 'late'] : 'RINGWAL_DECRYPTION');
  }
});
