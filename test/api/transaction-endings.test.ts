/** transaction-endings: abort and disposal resolve when the end is on disk, not before; and what has ended is let go of. */
import { expect, it } from 'vitest';
import { OFF_THREAD_BYTES, resolveCompression } from '../../dist/src/codec/compression.js';
import { ClosedError } from '../../dist/src/errors.js';
import {
  RECORD_FULL,
  RECORD_TXN_ABORT,
  RECORD_TXN_BEGIN,
  RECORD_TXN_COMMIT,
} from '../../dist/src/format/record-frame.js';
import type { RingTransaction } from '../../dist/src/transaction/transaction.js';
import { manualRing } from '../support/manual-ring.js';
import { isSettled, turn } from '../support/turns.js';

it.each([
  ['abort', RECORD_TXN_ABORT, (tx: RingTransaction) => tx.abort()],
  ['disposal', RECORD_TXN_ABORT, (tx: RingTransaction) => tx[Symbol.asyncDispose]()],
  [
    'abort that is called again',
    RECORD_TXN_ABORT,
    (tx: RingTransaction) => {
      void tx.abort();
      return tx.abort();
    },
  ],
  [
    'disposal of one whose commit is under way',
    RECORD_TXN_COMMIT,
    (tx: RingTransaction) => {
      void tx.commit();
      return tx[Symbol.asyncDispose]();
    },
  ],
] as const)('%s resolves when the end is on disk, and not before', async (_, type, endOf) => {
  const { tx, submitted, types } = manualRing();
  void tx.append('one');
  submitted[0]?.resolve();
  await turn();
  const ended = endOf(tx);
  expect(await isSettled(ended)).toBe(false);
  expect(types()).toEqual([RECORD_TXN_BEGIN, RECORD_FULL, type]);
  submitted[1]?.resolve();
  await ended;
});

it('disposal of one whose commit fails does not reject', async () => {
  const { tx, submitted } = manualRing();
  void tx.append('one');
  const committed = tx.commit();
  const disposed = tx[Symbol.asyncDispose]();
  submitted[0]?.resolve();
  submitted[1]?.reject(new Error('simulated'));
  await expect(committed).rejects.toThrow('simulated');
  await disposed;
});

it.each([
  ['commit', false, (tx: RingTransaction) => tx.commit()],
  ['a commit behind its records', true, (tx: RingTransaction) => tx.commit()],
  ['abort', false, (tx: RingTransaction) => tx.abort()],
] as const)('one that has begun is kept until %s is on its way, and no longer', async (_, refusesLate, endOf) => {
  const { tx, open, submitted } = manualRing(refusesLate);
  expect([...open]).toEqual([]);
  void tx.append('one');
  expect([...open]).toEqual([tx]);
  const ended = endOf(tx);
  if (refusesLate) expect([...open]).toEqual([tx]);
  submitted[0]?.resolve();
  await turn();
  expect([...open]).toEqual([]);
  submitted[1]?.resolve();
  await ended;
});

it('without records nothing is written by commit, abort or disposal', async () => {
  for (const endOf of [
    (tx: RingTransaction) => tx.commit(),
    (tx: RingTransaction) => tx.abort(),
    (tx: RingTransaction) => tx[Symbol.asyncDispose](),
  ]) {
    const { tx, types } = manualRing();
    await endOf(tx);
    expect(types()).toEqual([]);
  }
});

it('no COMMIT comes before a record that is larger than a group is in, as its memory may be taken away', async () => {
  const { tx, submitted, types } = manualRing();
  void tx.append('one');
  void tx.append(new Uint8Array(5000));
  const committed = tx.commit();
  submitted[0]?.resolve();
  submitted[1]?.reject(new Error('its memory is gone'));
  await expect(committed).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ABORTED' });
  expect(types()).toEqual([RECORD_TXN_BEGIN, RECORD_FULL, RECORD_FULL, RECORD_TXN_ABORT]);
});

it('an abort, a commit and a record after the log has ended write nothing', async () => {
  const aborted = manualRing();
  void aborted.tx.append('one');
  aborted.end(new ClosedError());
  await aborted.tx.abort();
  expect(aborted.submitted).toHaveLength(1);
  const committed = manualRing();
  void committed.tx.append('one');
  committed.end(new ClosedError());
  await expect(committed.tx.commit()).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
  expect(committed.submitted).toHaveLength(1);
  const appended = manualRing();
  void appended.tx.append('one');
  appended.end(new ClosedError());
  await expect(appended.tx.append('two')).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
  expect(appended.submitted).toHaveLength(1);
});

it('its thread leaving gives up what is open, once, and leaves what has its end as it is', async () => {
  const one = manualRing();
  void one.tx.append('one');
  one.tx.abandon();
  expect(one.types().at(-1)).toBe(RECORD_TXN_ABORT);
  expect([...one.open]).toEqual([]);
  for (const endOf of [(tx: RingTransaction) => tx.commit(), (tx: RingTransaction) => tx.abort()]) {
    const { tx, submitted } = manualRing();
    void tx.append('one');
    void endOf(tx);
    tx.abandon();
    expect(submitted).toHaveLength(2);
  }
});

it('a record that may not wait for its compression aborts at once: the next one is refused', async () => {
  const { tx, types, fill } = manualRing(false, resolveCompression('deflate'));
  fill();
  const refused = tx.append(new Uint8Array(OFF_THREAD_BYTES));
  const next = tx.append('next');
  const committed = tx.commit();
  expect(types()).toEqual([RECORD_TXN_BEGIN, RECORD_TXN_ABORT]);
  await expect(refused).rejects.toThrow('may not wait');
  for (const late of [next, committed])
    await expect(late).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ABORTED' });
});

// Node ends the process for a rejection that nobody handles; commit tells of it too.
it('the rejections of its appends may be left unhandled: of the one that is refused, and of those behind it', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): number => unhandled.push(error);
  process.on('unhandledRejection', note);
  try {
    const { tx } = manualRing();
    void tx.append(42 as never);
    void tx.append('behind it');
    void tx.append('and another');
    await expect(tx.commit()).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ABORTED' });
    for (let i = 0; i < 3; i++) await turn();
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});
