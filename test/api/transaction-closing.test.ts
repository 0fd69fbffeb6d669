/** transaction-closing: a commit that was called before close, and waits for its records, is written before the log closes. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attachLog, type Log, type LogAppender, type LogOptions, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 65_536 };
const key = (): Uint8Array => Buffer.alloc(32, 7);

const kinds: [string, LogOptions, number][] = [
  ['encrypted', { encryption: { keyId: 1, key } }, 100],
  ['compressed off this thread', { compression: 'auto' }, 20_000],
  ['larger than a group', {}, 100_000],
  ['given together with others', { windowUs: 1_000_000 }, 100_000],
];

describe.each(kinds)('a transaction whose records are %s', (_, options, bytes) => {
  const payload = 'abcdefgh'.repeat(bytes / 4).slice(0, bytes);

  /** Begins and commits without waiting for anything, closes `part`, and tells what has become of the commit. */
  async function committedBefore(part: LogAppender, close: () => Promise<void>): Promise<number> {
    const tx = part.begin();
    tx.append(payload);
    tx.append('and a second one');
    const committed = tx.commit();
    const closed = close();
    await expect(part.append('late')).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    const lsn = await committed;
    await closed;
    return lsn;
  }

  it('is committed when the log is closed right behind commit', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, ...options });
    const lsn = await committedBefore(log, () => log.close());
    expect(lsn).toBe(log.durableLsn);
    await using again = await openLog(directory, { ...SMALL, ...options });
    const read: string[] = [];
    for await (const record of again.read()) read.push(Buffer.from(record.payload).toString());
    expect(read).toEqual([payload, 'and a second one']);
  });

  it('is committed when its thread leaves the log right behind commit', async () => {
    const log = await openLog(tempDir(), { ...SMALL, ...options });
    const attached = await attachLog(log.handle());
    const lsn = await committedBefore(attached, () => attached.close());
    expect(lsn).toBe(log.durableLsn);
    const read: number[] = [];
    for await (const record of log.read()) read.push(record.payload.length);
    expect(read).toEqual([bytes, 16]);
    await log.close();
  });
});

describe.each([
  ['log is closed', async (log: Log): Promise<LogAppender> => log],
  ['thread leaves it', (log: Log) => attachLog(log.handle())],
])('on a disk that is full', (closing, partOf) => {
  it(`keeps nobody who closes: the ${closing}, and the transaction is aborted`, async () => {
    const flag = join(tempDir(), 'full');
    writeFileSync(flag, '');
    process.env.RINGWAL_TEST_FAULT = `full=${encodeURIComponent(flag)}`;
    onTestFinished(() => {
      delete process.env.RINGWAL_TEST_FAULT;
    });
    const workerUrl = new URL('../fixtures/failing-worker.mjs', import.meta.url);
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, workerUrl, syncMode: 'fdatasync' });
    const part = await partOf(log);
    const tx = part.begin();
    const appended = Promise.allSettled([tx.append('first'), tx.append(Buffer.alloc(1_000_000))]);
    const committed = Promise.allSettled([tx.commit()]);
    await expect
      .poll(async () => (await log.stats()).maintenanceError, { timeout: 10_000 })
      .toMatch(/ENOSPC/);
    await part.close();
    expect((await appended)[1]).toMatchObject({ reason: { code: 'RINGWAL_CLOSED' } });
    expect(await committed).toMatchObject([{ reason: { code: 'RINGWAL_TRANSACTION_ABORTED' } }]);
    rmSync(flag);
    await log.close();
    await using again = await openLog(directory, SMALL);
    for await (const record of again.read()) expect.unreachable(`record ${record.lsn}`);
  });
});
