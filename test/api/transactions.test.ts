/** transactions: what a transaction promises its caller, on one thread and on several. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import {
  attachLog,
  type Log,
  type LogOptions,
  type LogRecord,
  openLog,
  type ReadOptions,
} from '../../dist/src/index.js';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };

async function withLog<T>(options: LogOptions, use: (log: Log) => Promise<T>): Promise<T> {
  await using log = await openLog(tempDir(), options);
  return await use(log);
}

async function read(log: Log, options: ReadOptions = {}): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of log.read(options)) records.push(record);
  return records;
}

const text = ({ payload }: LogRecord): string => Buffer.from(payload).toString();

async function texts(log: Log, options: ReadOptions = {}): Promise<string[]> {
  return (await read(log, options)).map(text);
}

interface Outcome {
  readonly id: number;
  /** LSN of its commit; 0: it was not committed. */
  readonly end: number;
  readonly records: readonly (readonly [number, string])[];
}

async function onThread(log: Log, thread: number, count: number): Promise<Outcome[]> {
  const handle = log.handle();
  const worker = new Worker(new URL('../fixtures/transactions.mjs', import.meta.url), {
    workerData: { handle, thread, count },
    transferList: [handle],
  });
  const exited = once(worker, 'exit');
  const [outcomes] = (await once(worker, 'message')) as [Outcome[]];
  await exited;
  return outcomes;
}

describe('a transaction', () => {
  it('takes effect with its commit: its records have LSNs of their own and the LSN of the commit', async () => {
    await withLog(SMALL, async (log) => {
      const tx = log.begin();
      const lsns = [await tx.append('one'), await tx.append('two')];
      await log.append('beside');
      expect(await texts(log)).toEqual(['beside']);
      const commitLsn = await tx.commit();
      expect(lsns).toEqual([2, 3]); // behind BEGIN
      expect(commitLsn).toBe(5);
      const records = await read(log);
      expect(
        records.map((record) => [text(record), record.lsn, record.commitLsn, record.transaction]),
      ).toEqual([
        ['beside', 4, 4, undefined],
        ['one', 2, 5, tx.id],
        ['two', 3, 5, tx.id],
      ]);
      const all = await read(log, { transactions: 'all' });
      expect(all.map(({ type, lsn, transaction }) => [type, lsn, transaction])).toEqual([
        ['begin', 1, tx.id],
        ['record', 2, tx.id],
        ['record', 3, tx.id],
        ['record', 4, undefined],
        ['commit', 5, tx.id],
      ]);
    });
  });

  it('never takes effect when it is aborted, by abort or by leaving its block', async () => {
    await withLog(SMALL, async (log) => {
      const tx = log.begin();
      await tx.append('aborted');
      await tx.abort();
      await tx.abort();
      {
        await using left = log.begin();
        await left.append('left');
      }
      {
        await using kept = log.begin();
        await kept.append('kept');
        await kept.commit();
      }
      expect(await texts(log)).toEqual(['kept']);
      const all = await read(log, { transactions: 'all' });
      expect(all.map(({ type }) => type).join(' ')).toBe(
        'begin record abort begin record abort begin record commit',
      );
    });
  });

  it('commits without awaiting its appends, in one group and one sync', async () => {
    await withLog(SMALL, async (log) => {
      await log.append('before');
      const before = await log.stats();
      const tx = log.begin();
      const appends = [tx.append('one'), tx.append('two'), tx.append('three')];
      expect(await tx.commit()).toBe(6);
      expect(await Promise.all(appends)).toEqual([3, 4, 5]);
      const after = await log.stats();
      expect({ groups: after.groups - before.groups, records: after.records - before.records }).toEqual({
        groups: 1,
        records: 5,
      });
    });
  });

  it('writes nothing when it is empty, whichever way it ends', async () => {
    await withLog(SMALL, async (log) => {
      await log.append('one');
      expect(await log.begin().commit()).toBe(1);
      await log.begin().abort();
      await log.begin()[Symbol.asyncDispose]();
      expect(await log.append('two')).toBe(2);
    });
  });

  it('refuses what comes after its end with RINGWAL_TRANSACTION_ENDED', async () => {
    const ended = { code: 'RINGWAL_TRANSACTION_ENDED', name: 'TransactionEndedError' };
    await withLog(SMALL, async (log) => {
      const committed = log.begin();
      await committed.append('one');
      const committing = committed.commit();
      // While the commit is under way, and after it.
      for (let round = 0; round < 2; round++) {
        await expect(committed.append('late')).rejects.toMatchObject(ended);
        await expect(committed.commit()).rejects.toMatchObject(ended);
        await expect(committed.abort()).rejects.toMatchObject(ended);
        await committing;
      }
      const aborted = log.begin();
      await aborted.append('two');
      const aborting = aborted.abort();
      for (let round = 0; round < 2; round++) {
        await expect(aborted.append('late')).rejects.toMatchObject(ended);
        await expect(aborted.commit()).rejects.toMatchObject(ended);
        await aborting;
      }
      expect(await texts(log)).toEqual(['one']);
    });
  });

  it('is aborted by a rejected append, which its commit tells with RINGWAL_TRANSACTION_ABORTED', async () => {
    await withLog({ ...SMALL, maxWaitingBytes: 8192 }, async (log) => {
      const tx = log.begin();
      await tx.append('one');
      const wrong = tx.append(42 as never);
      const late = tx.append('late');
      await expect(tx.commit()).rejects.toMatchObject({
        code: 'RINGWAL_TRANSACTION_ABORTED',
        cause: { code: 'RINGWAL_INVALID_ARGUMENT' },
      });
      await expect(wrong).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
      await expect(late).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ABORTED' });
      await tx.abort();
      await tx[Symbol.asyncDispose]();
      expect(await texts(log)).toEqual([]);
    });
  });

  it.each([
    true,
    false,
  ])('is aborted when the ring overflows, though nobody waited to see it (begun before: %s)', async (isBegun) => {
    await withLog({ ...SMALL, maxWaitingBytes: 2048 }, async (log) => {
      const tx = log.begin();
      if (isBegun) await tx.append('one');
      const filling = Array.from({ length: 40 }, () => log.append(Buffer.alloc(1000)).catch(() => 0));
      // Neither the append nor the commit is awaited before the next call: a commit must not overtake the news.
      const appended = tx.append(Buffer.alloc(1000));
      const next = tx.append('small enough to wait');
      await expect(tx.commit()).rejects.toMatchObject({
        code: 'RINGWAL_TRANSACTION_ABORTED',
        cause: { code: 'RINGWAL_OVERLOADED' },
      });
      await expect(appended).rejects.toMatchObject({ code: 'RINGWAL_OVERLOADED' });
      await expect(next).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ABORTED' });
      await Promise.all(filling);
      const all = await read(log, { transactions: 'all', types: ['begin', 'commit', 'abort'] });
      expect(all.map(({ type }) => type)).toEqual(isBegun ? ['begin', 'abort'] : []);
    });
  });

  it('begins, commits and aborts also while the ring and what waits for it are full', async () => {
    await withLog({ ...SMALL, maxWaitingBytes: 0, maxGroupBytes: 4096 }, async (log) => {
      const open = log.begin();
      await open.append('one');
      const given = log.begin();
      await given.append('two');
      // A large record takes the ring for itself, and has no copy that would count as waiting.
      const large = log.append(Buffer.alloc(100_000));
      const another = log.begin();
      const inAnother = another.append(Buffer.alloc(5000, 7));
      const ends = [open.commit(), given.abort(), another.commit()] as const;
      const [commitLsn, , last] = await Promise.all(ends);
      expect(await large).toBeLessThan(commitLsn);
      expect(await inAnother).toBeLessThan(commitLsn);
      expect(commitLsn).toBeLessThan(last);
      expect((await read(log)).map(({ payload }) => payload.length)).toEqual([100_000, 3, 5000]);
    });
  });

  it.each([
    4064, 4072, 4080, 4081, 4088, 9000,
  ])('takes a first record of %i bytes with a group of 4096', async (bytes) => {
    for (const recordChecksums of [false, true]) {
      await withLog({ ...SMALL, maxGroupBytes: 4096, recordChecksums }, async (log) => {
        const tx = log.begin();
        const first = tx.append(Buffer.alloc(bytes, 1));
        const second = tx.append(Buffer.alloc(bytes, 2));
        const third = tx.append('three');
        const commitLsn = await tx.commit();
        expect(
          (await read(log)).map((record) => ({ ...record, payload: Buffer.from(record.payload) })),
        ).toMatchObject([
          { lsn: await first, payload: Buffer.alloc(bytes, 1), commitLsn },
          { lsn: await second, payload: Buffer.alloc(bytes, 2), commitLsn },
          { lsn: await third, payload: Buffer.from('three'), commitLsn },
        ]);
      });
    }
  });

  it('works with groups of one record', async () => {
    await withLog({ ...SMALL, maxGroupRecords: 1 }, async (log) => {
      const tx = log.begin();
      tx.append('one');
      tx.append('two');
      expect(await tx.commit()).toBe(4);
      expect(await texts(log)).toEqual(['one', 'two']);
    });
  });

  it('has an id that no other has, also after reopening', async () => {
    const directory = tempDir();
    const ids = new Set<number>();
    for (let round = 0; round < 3; round++) {
      const log = await openLog(directory, SMALL);
      for (let i = 0; i < 5; i++) {
        const tx = log.begin();
        await tx.append(`${round}`);
        if (i < 3) await tx.commit();
        ids.add(tx.id);
        expect(Number.isSafeInteger(tx.id)).toBe(true);
      }
      await log.close();
    }
    expect(ids.size).toBe(15);
  });

  it('was aborted when the log is closed before its end; calls on it settle, and nothing hangs', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    const tx = log.begin();
    await tx.append('open');
    const other = log.begin();
    await other.append('open too');
    const pending = log.begin();
    const inFlight = pending.append('in flight');
    const empty = log.begin();
    await log.close();
    expect(await inFlight).toBeGreaterThan(0);
    await expect(tx.append('late')).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    await expect(tx.commit()).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ABORTED' });
    await expect(other.commit()).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    await other.abort();
    await pending.abort();
    await expect(empty.commit()).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    for (const one of [tx, other, pending, empty]) await one[Symbol.asyncDispose]();
    expect(() => log.begin()).toThrow(expect.objectContaining({ code: 'RINGWAL_CLOSED' }));
    await using again = await openLog(directory, SMALL);
    expect(await texts(again)).toEqual([]);
    const next = again.begin();
    await next.append('next');
    await next.commit();
    expect(await texts(again)).toEqual(['next']);
  });

  // Nothing told of their end before the log was opened anew: a tail kept their records, and no cut was possible.
  it('that is open when its thread leaves the log is aborted on disk, and refuses calls as closed', async () => {
    await withLog(SMALL, async (log) => {
      const attached = await attachLog(log.handle());
      const [open, large, aborted, empty] = [1, 2, 3, 4].map(() => attached.begin());
      for (const [tx, payload] of [
        [open, 'open'],
        [large, Buffer.alloc(40_000)],
        [aborted, 'aborted'],
      ] as const)
        void must(tx).append(payload);
      await must(aborted).abort();
      const committed = attached.begin();
      void committed.append('committed');
      const commit = committed.commit();
      await attached.close();
      const types = new Map<number | undefined, string[]>();
      for (const { type, transaction } of await read(log, { transactions: 'all' })) {
        types.set(transaction, [...(types.get(transaction) ?? []), type]);
      }
      const given = ['begin', 'record', 'abort'];
      for (const tx of [open, large, aborted]) expect(types.get(must(tx).id)).toEqual(given);
      expect(types.get(committed.id)).toEqual(['begin', 'record', 'commit']);
      expect(types.size).toBe(4);
      expect(await commit).toBeGreaterThan(0);
      expect(await texts(log)).toEqual(['committed']);
      for (const tx of [open, empty]) {
        await expect(must(tx).append('late')).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
        await must(tx).abort();
      }
      await expect(must(large).commit()).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
      await log.truncateAfter(0);
    });
  });

  it('is committed when close is called right behind commit', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    const tx = log.begin();
    tx.append('one');
    const committed = tx.commit();
    await log.close();
    expect(await committed).toBe(3);
    await using again = await openLog(directory, SMALL);
    expect(await texts(again)).toEqual(['one']);
  });
});

describe('transactions of three threads', () => {
  it('are read whole, in the order of their commits, or not at all; as they lie with "all"', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, maxGroupBytes: 4096 });
    const outcomes = (await Promise.all([1, 2, 3].map((thread) => onThread(log, thread, 40)))).flat();
    const last = log.durableLsn;
    const committed = outcomes.filter(({ end }) => end > 0).sort((a, b) => a.end - b.end);
    expect(committed.length).toBeGreaterThan(60);
    const expected = committed.flatMap(({ id, end, records }) =>
      records.map(([lsn, payload]) => ({ lsn, payload, transaction: id, commitLsn: end })),
    );
    const inTransactions = async (opened: Log, from?: number) =>
      (await read(opened, from === undefined ? {} : { from }))
        .filter(({ transaction }) => transaction !== undefined)
        .map(({ lsn, payload, transaction, commitLsn }) => ({
          lsn,
          payload: Buffer.from(payload).toString(),
          transaction,
          commitLsn,
        }));
    expect(await inTransactions(log)).toEqual(expected);
    const all = await read(log, { transactions: 'all' });
    for (const { id, end, records } of outcomes) {
      const own = all.filter(({ transaction }) => transaction === id);
      expect(own[0]?.type).toBe('begin');
      expect(own.filter(({ type }) => type === 'record').map((record) => [record.lsn, text(record)])).toEqual(
        records,
      );
      expect(own.every(({ lsn, commitLsn }) => lsn === commitLsn)).toBe(true);
      if (end > 0) expect(own.at(-1)).toMatchObject({ type: 'commit', lsn: end });
    }
    // From anywhere: what takes effect there or later, with all of its records.
    for (let from = 1; from <= last; from += 37) {
      expect(await inTransactions(log, from)).toEqual(expected.filter(({ commitLsn }) => commitLsn >= from));
    }
    const somewhere = must(expected[100], 'a record').commitLsn;
    expect(await inTransactions(log, somewhere)).toEqual(
      expected.filter(({ commitLsn }) => commitLsn >= somewhere),
    );
    await log.close();
    await using again = await openLog(directory, SMALL);
    expect(await inTransactions(again)).toEqual(expected);
    expect((await read(again, { to: somewhere })).at(-1)?.commitLsn).toBe(somewhere);
  });
});
