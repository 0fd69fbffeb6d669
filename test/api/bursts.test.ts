/** bursts: more than the I/O worker can take at once, of records of all lengths, whose threads then do a part of its work. */
import { expect, it } from 'vitest';
import { openLog, verifyLog } from '../../dist/src/index.js';
import { Prng } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

it('a burst of records of all lengths, also in batches and in parts, is read as it was appended, and verifies', async () => {
  const directory = tempDir();
  const log = await openLog(directory, { maxGroupBytes: 256 * 1024 });
  const prng = new Prng(7);
  const pool = Uint8Array.from({ length: 700_000 }, () => prng.below(256));
  const payload = (most: number) => pool.subarray(prng.below(16), 16 + prng.below(most));
  const expected = new Map<number, Uint8Array>();
  const appends: Promise<unknown>[] = [];
  const keep = (lsn: number, bytes: Uint8Array) => expected.set(lsn, bytes);
  for (let i = 0; i < 200; i++) {
    const bytes = payload([300, 3000, 40_000, 200_000, 600_000][i % 5] ?? 0);
    appends.push(log.append(bytes).then((lsn) => keep(lsn, bytes)));
    if (i % 20 !== 0) continue;
    const batch = Array.from({ length: 10 }, () => payload(20_000));
    const keepAll = (first: number): void => {
      for (const [n, one] of batch.entries()) keep(first + n, one);
    };
    appends.push(log.appendBatch(batch).then(({ first }) => keepAll(first)));
  }
  await Promise.all(appends);
  const seen: number[] = [];
  for await (const record of log.read()) {
    expect(
      Buffer.compare(record.payload, expected.get(record.lsn) ?? new Uint8Array(1)),
      `LSN ${record.lsn}`,
    ).toBe(0);
    seen.push(record.lsn);
  }
  expect(seen).toEqual([...expected.keys()].sort((a, b) => a - b));
  await log.close();
  expect((await verifyLog(directory)).damage).toEqual([]);
});
