/** transaction-refusals: no COMMIT comes before all records are in where they may be refused behind their entry, and none without BEGIN. */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { OFF_THREAD_BYTES, resolveCompression } from '../../dist/src/codec/compression.js';
import { EncryptionError } from '../../dist/src/errors.js';
import { RECORD_FULL, RECORD_TXN_ABORT, RECORD_TXN_COMMIT } from '../../dist/src/format/record-frame.js';
import { manualRing } from '../support/manual-ring.js';
import { turn } from '../support/turns.js';

it('commits once the last record is in', async () => {
  const { tx, submitted } = manualRing(true);
  void tx.append('one');
  void tx.append('two');
  const committed = tx.commit();
  submitted[0]?.resolve();
  await turn();
  expect(submitted).toHaveLength(2);
  await expect(tx.append('late')).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ENDED' });
  await expect(tx.abort()).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ENDED' });
  submitted[1]?.resolve();
  await turn();
  expect(submitted[2]?.types).toEqual([RECORD_TXN_COMMIT]);
  submitted[2]?.resolve();
  expect(await committed).toBe(20);
});

it('aborts when one is refused, and its commit tells why', async () => {
  const { tx, submitted } = manualRing(true);
  void tx.append('one');
  void tx.append('two');
  const committed = tx.commit();
  const disposed = tx[Symbol.asyncDispose]();
  submitted[0]?.resolve();
  submitted[1]?.reject(new EncryptionError('no key'));
  const outcome = { code: 'RINGWAL_TRANSACTION_ABORTED', cause: { code: 'RINGWAL_ENCRYPTION' } };
  await expect(committed).rejects.toMatchObject(outcome);
  expect(submitted[2]?.types).toEqual([RECORD_TXN_ABORT]);
  submitted[2]?.resolve();
  await disposed;
  await tx.abort();
  expect(submitted).toHaveLength(3);
});

it('aborts at once when one is refused before the commit', async () => {
  const { tx, submitted } = manualRing(true);
  void tx.append('one');
  submitted[0]?.reject(new EncryptionError('no key'));
  await turn();
  expect(submitted[1]?.types).toEqual([RECORD_TXN_ABORT]);
  await expect(tx.commit()).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ABORTED' });
});

it('rejects the commit, and writes no end, when the log ends while it waits', async () => {
  const { tx, submitted, end } = manualRing(true);
  void tx.append('one');
  const committed = tx.commit();
  end(new EncryptionError('stands for any'));
  submitted[0]?.resolve();
  await expect(committed).rejects.toMatchObject({ code: 'RINGWAL_ENCRYPTION' });
  await tx.abort();
  expect(submitted).toHaveLength(1);
});

it('does not wait where nothing is refused late', async () => {
  const { tx, submitted } = manualRing(false);
  void tx.append('one');
  void tx.commit();
  expect(submitted.map(({ types }) => types.at(-1))).toEqual([1, RECORD_TXN_COMMIT]);
});

// Its COMMIT lay behind it in the queue, and was acknowledged although the record had been given up.
it('aborts when the compression of a record fails behind the call of commit', async () => {
  const { tx, submitted } = manualRing(false, resolveCompression('deflate'));
  void tx.append('small');
  void tx.append(Buffer.alloc(OFF_THREAD_BYTES));
  const committed = tx.commit();
  submitted[0]?.resolve();
  submitted[1]?.reject(new Error('simulated'));
  await expect(committed).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ABORTED' });
  expect(submitted.map(({ types }) => types.at(-1))).toEqual([RECORD_FULL, RECORD_FULL, RECORD_TXN_ABORT]);
});

it.each([
  ['is compressed', OFF_THREAD_BYTES],
  ['is large', OFF_THREAD_BYTES - 1],
])('has no record of a transaction whose BEGIN met the end of the stack: one that %s', async (_what, bytes) => {
  const { tx, submitted, overflow } = manualRing(false, resolveCompression('deflate'));
  overflow(1);
  await expect(tx.append(randomBytes(bytes))).rejects.toThrow(RangeError);
  await expect(tx.commit()).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ABORTED' });
  expect(submitted).toHaveLength(0);
});

it('is open as before when its COMMIT met the end of the stack, and can be committed', async () => {
  const { tx, open, submitted, overflow } = manualRing(false);
  void tx.append('one');
  overflow(1);
  await expect(tx.commit()).rejects.toThrow(RangeError);
  expect(open.has(tx)).toBe(true);
  void tx.commit();
  expect(submitted.map(({ types }) => types.at(-1))).toEqual([RECORD_FULL, RECORD_TXN_COMMIT]);
  expect(open.has(tx)).toBe(false);
});

it('is told to be aborted when its thread leaves, if its ABORT met the end of the stack', async () => {
  const { tx, open, submitted, overflow } = manualRing(false);
  void tx.append('one');
  overflow(1);
  await tx.abort();
  expect(open.has(tx)).toBe(true);
  tx.abandon();
  expect(submitted.map(({ types }) => types.at(-1))).toEqual([RECORD_FULL, RECORD_TXN_ABORT]);
  expect(open.has(tx)).toBe(false);
});

it('can be aborted when its COMMIT, which waited for its records, met the end of the stack', async () => {
  const { tx, open, submitted, overflow } = manualRing(true);
  void tx.append('one');
  const committed = tx.commit();
  overflow(1);
  submitted[0]?.resolve();
  await expect(committed).rejects.toThrow(RangeError);
  void tx.abort();
  expect(submitted.map(({ types }) => types.at(-1))).toEqual([RECORD_FULL, RECORD_TXN_ABORT]);
  expect(open.has(tx)).toBe(false);
});
