/** transactions over rings: records take effect together with their commit, or never, and reading shows just that. */
import { describe, expect, it } from 'vitest';
import { attachLog, type Log, type LogAppender, type LogOptions, openLog } from '../../dist/src/index.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 32_768 };

async function texts(log: LogAppender, options: Parameters<Log['read']>[0] = {}): Promise<string[]> {
  const all: string[] = [];
  for await (const { payload, type } of log.read(options)) {
    all.push(type === 'record' ? Buffer.from(payload).toString() : `<${type}>`);
  }
  return all;
}

async function opened<T>(use: (log: Log, directory: string) => Promise<T>): Promise<T> {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  try {
    return await use(log, directory);
  } finally {
    await log.close();
  }
}

describe('a transaction', () => {
  it('takes effect with its commit, in the order of commits, and never when it is aborted or left open', () =>
    opened(async (log) => {
      const [a, b, c, open] = [log.begin(), log.begin(), log.begin(), log.begin()];
      const lsns = [
        await a.append('a1'),
        await b.append('b1'),
        await c.append('c1'),
        await open.append('o1'),
      ];
      await log.append('plain');
      await a.append('a2');
      await c.abort();
      const committed = await b.commit();
      await a.commit();
      expect(await texts(log)).toEqual(['plain', 'b1', 'a1', 'a2']);
      expect(await texts(log, { transactions: 'all' })).toEqual(
        '<begin> a1 <begin> b1 <begin> c1 <begin> o1 plain a2 <abort> <commit> <commit>'.split(' '),
      );
      const records = [];
      for await (const record of log.read()) records.push(record);
      const b1 = records.find(({ lsn }) => lsn === lsns[1]);
      expect(b1).toMatchObject({ transaction: b.id, commitLsn: committed });
      expect(new Set([a.id, b.id, c.id, open.id]).size).toBe(4);
      // Reading goes on behind a commit: nothing is seen twice, nothing left out.
      expect(await texts(log, { from: committed + 1 })).toEqual(['a1', 'a2']);
      expect(await texts(log, { to: committed })).toEqual(['plain', 'b1']);
    }));

  it('is aborted when the log is closed, dies or is opened anew before its commit', async () => {
    const directory = tempDir();
    const first = await openLog(directory, SMALL);
    const open = first.begin();
    await open.append('never');
    await first.close();
    await expect(open.commit()).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    const second = await openLog(directory, SMALL);
    const tx = second.begin();
    expect(tx.id).not.toBe(open.id);
    await tx.append('yes');
    await tx.commit();
    expect(await texts(second)).toEqual(['yes']);
    await second.close();
  });

  it('can not be committed when an append of it was rejected, also in the same turn', async () => {
    const log = await openLog(tempDir(), { ...SMALL, maxWaitingBytes: 0 });
    const tx = log.begin();
    const appends = Array.from({ length: 100 }, (_, i) => tx.append(`${i} ${'x'.repeat(1000)}`));
    await expect(tx.commit()).rejects.toMatchObject({
      code: 'RINGWAL_TRANSACTION_ABORTED',
      cause: { code: 'RINGWAL_OVERLOADED' },
    });
    const settled = await Promise.allSettled(appends);
    expect(settled.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
    expect(await texts(log)).toEqual([]);
    await log.close();
  });

  it('is whole for readers that begin in its middle, over rotations, and from several rings at once', () =>
    opened(async (log, directory) => {
      const prng = new Prng(testSeed(11));
      const others = [await attachLog(log.handle()), await attachLog(log.handle())];
      const logs: LogAppender[] = [log, ...others];
      const expected: { commit: number; texts: string[] }[] = [];
      await Promise.all(
        logs.map(async (own, which) => {
          for (let n = 0; n < 40; n++) {
            const tx = own.begin();
            const records = Array.from({ length: prng.between(1, 6) }, (_, i) =>
              `${which}/${n}/${i} `.padEnd(900, 'x'),
            );
            if (prng.below(8) === 0) records.push(`${which}/${n}/large `.padEnd(40_000, 'L'));
            for (const record of records) {
              const done = tx.append(record);
              if (prng.below(2) === 0) await done;
              if (prng.below(5) === 0) await own.append('between');
            }
            if (prng.below(4) === 0) await tx.abort();
            else expected.push({ commit: await tx.commit(), texts: records });
          }
        }),
      );
      expected.sort((a, b) => a.commit - b.commit);
      const wanted = (from: number): string[] =>
        expected.filter(({ commit }) => commit >= from).flatMap(({ texts: own }) => own);
      const check = async (reader: LogAppender): Promise<void> => {
        for (const from of [1, 2, 57, 200, 333, reader.durableLsn]) {
          const found = (await texts(reader, { from })).filter((text) => text !== 'between');
          expect(found).toEqual(wanted(from));
        }
      };
      expect((await log.stats()).rotations).toBeGreaterThan(5);
      await check(log);
      for (const other of others) await other.close();
      await log.close();
      const again = await openLog(directory, SMALL);
      await check(again);
      await again.close();
    }));

  it('keeps its beginning from garbage collection until it ends', () =>
    opened(async (log, directory) => {
      const tx = log.begin();
      await tx.append('the beginning');
      const filler = Buffer.alloc(8000);
      for (let i = 0; i < 40; i++) await log.append(filler);
      await log.truncateBefore(log.durableLsn);
      for (let i = 0; i < 40; i++) await log.append(filler);
      const mark = log.durableLsn;
      await log.truncateBefore(mark);
      const commit = await tx.commit();
      expect((await texts(log, { from: mark + 1 })).slice(-1)).toEqual(['the beginning']);
      await log.close();
      const again = await openLog(directory, SMALL);
      expect((await texts(again, { from: commit })).slice(-1)).toEqual(['the beginning']);
      // With the commit truncated too, nothing holds the files any more.
      await again.append('end');
      await again.rotate();
      await again.truncateBefore(again.durableLsn + 1);
      await expect.poll(async () => (await again.segments()).length, { timeout: 5000 }).toBe(0);
      await again.close();
    }));
});
