/**
 * borrowed-payloads: a large record whose memory is taken away while it is under way is rejected, and never read; one whose
 * memory is written to is stored as its bytes were when they were taken, and is no damage.
 */
import { expect, it } from 'vitest';
import { type Log, type LogOptions, openLog } from '../../dist/src/index.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };
const GONE = { code: 'RINGWAL_INVALID_ARGUMENT' };

/** Larger than the ring, so that only its first fragments are in when `append` returns; and nothing compresses it. */
function large(): Uint8Array<ArrayBuffer> {
  const prng = new Prng(testSeed(1));
  return Uint8Array.from({ length: 300_000 }, () => prng.below(256));
}

function detach({ buffer }: Uint8Array<ArrayBuffer>): void {
  structuredClone(buffer, { transfer: [buffer] });
}

async function read(log: Log): Promise<string[]> {
  const all: string[] = [];
  for await (const { payload } of log.read()) all.push(Buffer.from(payload).toString());
  return all;
}

/** What `log` holds, and what it holds when it is opened again. */
async function expectRecords(
  log: Log,
  directory: string,
  options: LogOptions,
  records: string[],
): Promise<void> {
  expect(await read(log)).toEqual(records);
  await log.close();
  await using again = await openLog(directory, options);
  expect(await read(again)).toEqual(records);
}

it.each<[string, LogOptions]>([
  ['as it is', {}],
  ['with a checksum', { recordChecksums: true }],
  ['encrypted', { encryption: { keyId: 1, key: () => new Uint8Array(32) } }],
])('%s, detached on its way', async (_, more) => {
  const directory = tempDir();
  const options = { ...SMALL, ...more };
  const log = await openLog(directory, options);
  const payload = large();
  const before = log.append('before');
  const gone = log.append(payload);
  const behind = log.append('behind');
  detach(payload);
  await expect(gone).rejects.toMatchObject(GONE);
  await Promise.all([before, behind]);
  await expectRecords(log, directory, options, ['before', 'behind']);
});

it('waiting behind another one, detached before its first fragment is in', async () => {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  const [kept, payload] = [large().fill(65), large()];
  const done = log.append(kept);
  const gone = log.append(payload);
  detach(payload);
  await expect(gone).rejects.toMatchObject(GONE);
  await done;
  await expectRecords(log, directory, SMALL, ['A'.repeat(kept.length)]);
});

it('in a transaction: its commit is rejected, and nothing of it takes effect', async () => {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  const tx = log.begin();
  const payload = large();
  const small = tx.append('small');
  const gone = tx.append(payload);
  const committed = tx.commit();
  detach(payload);
  await expect(gone).rejects.toMatchObject(GONE);
  await expect(committed).rejects.toMatchObject({ code: 'RINGWAL_TRANSACTION_ABORTED', cause: GONE });
  await Promise.all([small, log.append('behind')]);
  await expectRecords(log, directory, SMALL, ['behind']);
});

it('that is compressed is a copy, and whole: detaching what zlib works on would abort the process', async () => {
  const directory = tempDir();
  const options: LogOptions = { ...SMALL, compression: 'deflate' };
  const log = await openLog(directory, options);
  const [alone, inTransaction] = [large(), large().fill(66)];
  const expected = [alone, inTransaction].map((payload) => Buffer.from(payload).toString());
  const done = log.append(alone);
  const tx = log.begin();
  const put = tx.append(inTransaction);
  detach(alone);
  detach(inTransaction);
  await Promise.all([done, put]);
  await tx.commit();
  await expectRecords(log, directory, options, expected);
});

it('does not hold back the truncation of what it left', async () => {
  const log = await openLog(tempDir(), SMALL);
  const payload = large();
  const gone = log.append(payload);
  detach(payload);
  await expect(gone).rejects.toMatchObject(GONE);
  const last = await log.append('last');
  await log.rotate();
  await log.truncateBefore(last + 1);
  await log.append('next');
  expect((await log.segments()).map(({ firstLsn }) => firstLsn)).toEqual([last + 1]);
  await log.close();
});

// The worker heard of it with the next append only, and said RINGWAL_BUSY until there was one.
it('does not hold back a cut, nor keep its segments, on a log to which nothing more is appended', async () => {
  const log = await openLog(tempDir(), SMALL);
  await log.append('first');
  for (const cut of [() => log.truncateAfter(1), () => log.truncateBefore(log.durableLsn + 1)]) {
    const payload = large();
    const gone = log.append(payload);
    detach(payload);
    await expect(gone).rejects.toMatchObject(GONE);
    await log.rotate();
    await cut();
  }
  expect(await log.segments()).toEqual([]);
  await log.close();
});

it('written to on its way, with a checksum: the record is what was taken, piece by piece, and verifies', async () => {
  const directory = tempDir();
  const options: LogOptions = { ...SMALL, recordChecksums: true };
  const log = await openLog(directory, options);
  const payload = large().fill(65);
  const done = log.append(payload);
  payload.fill(66);
  await done;
  const records = await read(log);
  expect(records).toEqual([expect.stringMatching(/^A{8000,}B{8000,}$/)]);
  expect(records[0]).toHaveLength(payload.length);
  await expectRecords(log, directory, options, records);
});
