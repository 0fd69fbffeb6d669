/** tail-over-cuts: a tail in a process that is not told of cuts (`truncateAfter`) gives no LSN twice, and sees no damage. */
import { expect, it } from 'vitest';
import { type Log, type LogRecord, openLog, openReader } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

/** Appends ten records, has a tail give them, cuts the log behind the fifth, and takes what the tail gives of `rewrite`. */
async function given(rewrite: (log: Log) => Promise<unknown>, last: number): Promise<string[]> {
  const directory = tempDir();
  await using log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 65_536 });
  for (let lsn = 1; lsn <= 10; lsn++) await log.append(`old ${lsn}`);
  await using reader = await openReader(directory);
  const tail = reader.tail({ intervalMs: 1 });
  const records: LogRecord[] = [];
  const takeTo = async (lsn: number): Promise<void> => {
    while ((records.at(-1)?.commitLsn ?? 0) < lsn) {
      const { value, done } = await tail.next();
      if (done) throw new Error('the tail ended');
      records.push(value);
    }
  };
  await takeTo(10);
  await log.truncateAfter(5);
  await rewrite(log);
  await takeTo(last);
  await tail.return();
  return records.slice(10).map(({ lsn, payload }) => `${lsn} ${Buffer.from(payload)}`);
}

it('gives LSNs that are given out anew no second time, though they share a group with those that follow', async () => {
  const records = await given(async (log) => {
    await log.appendBatch(Array.from({ length: 10 }, (_, i) => `new ${6 + i}`));
    await log.append('new 16');
  }, 16);
  expect(records).toEqual([11, 12, 13, 14, 15, 16].map((lsn) => `${lsn} new ${lsn}`));
});

it('gives a record whose LSN was that of the end of a transaction that was aborted, of which nothing was given', async () => {
  const directory = tempDir();
  await using log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 65_536 });
  const tx = log.begin();
  await tx.append('aborted');
  const between = await log.append('between'); // 3
  await tx.abort();
  await using reader = await openReader(directory);
  const tail = reader.tail({ intervalMs: 1 });
  expect((await tail.next()).value?.lsn).toBe(between);
  const next = tail.next();
  // Once the tail has seen a look at what is behind, it has read the abort.
  while (reader.lastLsn < between + 1) await reader.refresh();
  await log.truncateAfter(between);
  await log.append('new');
  expect((await next).value?.lsn).toBe(between + 1);
  await tail.return();
});

it('gives a transaction whole that began with LSNs that are given out anew and takes effect behind those given', async () => {
  const records = await given(async (log) => {
    const tx = log.begin();
    await tx.append('first');
    await tx.append('second');
    for (let lsn = 9; lsn <= 11; lsn++) await log.append(`new ${lsn}`);
    await tx.append('third');
    await tx.commit();
    await log.append('new 14');
  }, 14);
  expect(records).toEqual(['11 new 11', '7 first', '8 second', '12 third', '14 new 14']);
});
