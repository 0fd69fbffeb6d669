/** forged records: what somebody without the key puts into an encrypted log, or changes in it, no reader takes. */
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  attachLog,
  type Log,
  type LogOptions,
  type LogRecord,
  openLog,
  openReader,
  salvage,
} from '../../dist/src/index.js';
import { type ForgedFrame, forgeFrames } from '../support/forge.js';
import { digestIndependently, openIndependently } from '../support/independent-opener.js';
import { must } from '../support/must.js';
import { edit, segmentsIn, tempDir } from '../support/temp-dir.js';

const key = (keyId: number): Uint8Array => Buffer.alloc(32, keyId);
const PLAIN: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, maxGroupBytes: 4096, recycle: false };
const OPTIONS: LogOptions = { ...PLAIN, encryption: { keyId: 1, key } };
const refused = (lsn: number) => ({ code: 'RINGWAL_DECRYPTION', details: { lsn } });

const [FULL, FIRST, MIDDLE, LAST, CHECKPOINT, BEGIN, COMMIT, ABORT] = [1, 2, 3, 4, 5, 6, 7, 8];
const ENCRYPTED = 2;
const IN_TRANSACTION = 8;

/** The LSNs of the log of `filled`, each a group of its own but for BEGIN and the record behind it, and the fragments. */
const AT = { single: 1, begin: 2, committed: 3, other: 5, commit: 6, aborted: 7, abort: 8, middle: 10 };
const READ = ['single', 'of a', 'large', 'checkpoint'];

async function filled(): Promise<{ directory: string; name: string }> {
  const directory = tempDir();
  const log = await openLog(directory, OPTIONS);
  await log.append('single');
  const a = log.begin();
  await a.append('of a');
  const b = log.begin();
  await b.append('of b, 1');
  expect(await a.commit()).toBe(AT.commit);
  expect(await b.append('of b, 2')).toBe(AT.aborted);
  await b.abort();
  expect(await log.append('large'.padEnd(10_000, '.'))).toBe(AT.middle + 1);
  await log.checkpoint('checkpoint');
  await log.close();
  return { directory, name: must(segmentsIn(directory)[0]) };
}

const textOf = ({ payload }: LogRecord): string => Buffer.from(payload).toString().replace(/\.+$/, '');

/** What each way to read gives: of the log, of a reader, of its tail. */
async function readings(directory: string, options = OPTIONS): Promise<Promise<string[]>[]> {
  const texts = async (records: AsyncIterable<LogRecord>): Promise<string[]> => {
    const all: string[] = [];
    for await (const record of records) {
      all.push(textOf(record));
      if (all.at(-1) === 'checkpoint') break;
    }
    return all;
  };
  const log = await openLog(directory, options);
  const reader = await openReader(directory, { key });
  const given = [
    texts(log.read()),
    texts(log.tail({ from: 1 })),
    texts(reader.read()),
    texts(reader.tail({ from: 1 })),
  ];
  await Promise.allSettled(given);
  await reader.close();
  await log.close();
  return given;
}

it('every record opens by the page on the format, ends of spans with the digest of what came before', async () => {
  const { directory, name } = await filled();
  const logId = readFileSync(join(directory, name)).subarray(16, 32);
  const digests = new Map<bigint, Buffer>();
  const opened: string[] = [];
  forgeFrames(directory, name, ({ lsn, header, content }) => {
    const [type, flags] = [header.getUint8(4), header.getUint8(5)];
    expect(flags & ENCRYPTED).toBe(ENCRYPTED);
    const idBytes =
      8 * (Number((flags & IN_TRANSACTION) !== 0 || type >= BEGIN) + Number(type >= FIRST && type <= LAST));
    const ids = content.subarray(0, idBytes);
    const stored = content.subarray(idBytes);
    const own = Array.from({ length: idBytes / 8 }, (_, i) => ids.readBigUInt64LE(8 * i));
    const isEnd = type === LAST || type === COMMIT;
    const span = (isEnd && digests.get(must(own.at(-1)))) || new Uint8Array(0);
    const place = { lsn: BigInt(lsn), type, flags, ids, span };
    opened.push(openIndependently(logId, key(1), stored, place).toString().replace(/\.+$/, ''));
    for (const id of own) digests.set(id, digestIndependently(digests.get(id), stored));
  });
  const transactions = ['', 'of a', '', 'of b, 1', '', 'of b, 2', ''];
  expect(opened).toEqual(['single', ...transactions, 'large', '', '', 'checkpoint']);
});

it('a log whose checksums were made anew, and nothing else, is read as it was', async () => {
  const { directory, name } = await filled();
  forgeFrames(directory, name, () => {});
  for (const reading of await readings(directory)) expect(await reading).toEqual(READ);
});

const become =
  (lsn: number, type: number, flags = ENCRYPTED) =>
  (frame: ForgedFrame): void => {
    if (frame.lsn !== lsn) return;
    frame.header.setUint8(4, type);
    frame.header.setUint8(5, flags);
  };

/** The id of the transaction or large record at `lsn` becomes another one. */
const move = (lsn: number) => (frame: ForgedFrame) => {
  if (frame.lsn === lsn) frame.content[0] = must(frame.content[0]) ^ 1;
};

it.each<[string, number, (frame: ForgedFrame) => void]>([
  ['a record in plain in its place', AT.single, become(AT.single, FULL, 0)],
  ['a checkpoint in plain in its place', AT.single, become(AT.single, CHECKPOINT, 0)],
  ['what readers skip in its place', AT.single, become(AT.single, ABORT, 0)],
  ['a fragment of nothing in its place', AT.single, become(AT.single, MIDDLE)],
  ['a record moved to another transaction', AT.other, move(AT.other)],
  ['a record taken out of its transaction', AT.committed, become(AT.committed, FULL)],
  ['a transaction whose beginning is another one', AT.begin, move(AT.begin)],
  ['a transaction that begins in plain', AT.begin, become(AT.begin, BEGIN, 0)],
  ['a commit that became an abort', AT.commit, become(AT.commit, ABORT)],
  ['an abort that became a commit', AT.abort, become(AT.abort, COMMIT)],
  ['an abort that became a commit, in plain', AT.abort, become(AT.abort, COMMIT, 0)],
  ['a commit of another transaction', AT.commit, move(AT.commit)],
  ['a part of another large record', AT.middle, move(AT.middle)],
])('%s is refused', async (_, lsn, change) => {
  const { directory, name } = await filled();
  let changed = 0;
  forgeFrames(directory, name, (frame) => {
    const before = Buffer.concat([
      Buffer.from(frame.header.buffer, frame.header.byteOffset, 8),
      frame.content,
    ]);
    change(frame);
    const after = Buffer.concat([
      Buffer.from(frame.header.buffer, frame.header.byteOffset, 8),
      frame.content,
    ]);
    if (!before.equals(after)) changed++;
  });
  expect(changed).toBe(1);
  for (const reading of await readings(directory)) await expect(reading).rejects.toMatchObject(refused(lsn));
});

// Only the end of a span is looked at by who begins behind the rest, and vouches for it.
it.each<[string, number, number]>([
  ['of a transaction', AT.committed, AT.commit],
  ['of a large record', AT.middle, AT.middle + 1],
])('a part %s that was replaced by what a read behind it need not look at is refused at its end', async (_, part, end) => {
  const { directory, name } = await filled();
  forgeFrames(directory, name, become(part, FULL));
  const log = await openLog(directory, OPTIONS);
  const reader = await openReader(directory, { key });
  for (const source of [log, reader]) {
    await expect(source.read({ from: end }).next()).rejects.toMatchObject(refused(end));
    await expect(source.tail({ from: end }).next()).rejects.toMatchObject(refused(end));
  }
  await reader.close();
  await log.close();
});

// Its tag was not missing, as it has none; and it took effect behind `plainBefore`.
it('a record in plain that is put into a transaction before plainBefore is refused where that ends behind it', async () => {
  const { directory, name } = await filled();
  let id = Buffer.alloc(0);
  forgeFrames(directory, name, (frame) => {
    if (frame.lsn === AT.begin) id = Buffer.from(frame.content.subarray(0, 8));
    if (frame.lsn !== AT.other) return;
    become(AT.other, FULL, IN_TRANSACTION)(frame);
    id.copy(frame.content);
  });
  const plainBefore = AT.commit;
  await using reader = await openReader(directory, { key, plainBefore });
  for (const from of [1, plainBefore])
    await expect(reader.readAll({ from })).rejects.toMatchObject(refused(AT.commit));
  await expect(reader.tail({ from: plainBefore }).next()).rejects.toMatchObject(refused(AT.commit));
});

// Ids and LSNs are the same in both: a directory that was put back while the log was closed goes another way.
it.each<[string, (log: Log, text: string, end: 'commit' | 'abort') => Promise<unknown>]>([
  [
    'a transaction',
    async (log, text, end) => {
      const tx = log.begin();
      await tx.append(text);
      await tx[end]();
    },
  ],
  ['a large record', (log, text) => log.append(text.padEnd(10_000, text))],
])('%s that is put together of two histories of a log is refused', async (_, write) => {
  const directory = tempDir();
  await (await openLog(directory, OPTIONS)).close();
  const other = join(tempDir(), 'other');
  cpSync(directory, other, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  const lastLsns = [];
  for (const [path, text, end] of [
    [directory, 'pay 1', 'commit'],
    [other, 'pay 9', 'abort'],
  ] as const) {
    const log = await openLog(path, OPTIONS);
    await write(log, text, end);
    lastLsns.push(log.lastLsn);
    await log.close();
  }
  expect(lastLsns).toEqual([3, 3]);
  const contents = new Map<number, Buffer>();
  for (const name of segmentsIn(other))
    forgeFrames(other, name, ({ lsn, content }) => contents.set(lsn, Buffer.from(content)));
  let copied = 0;
  for (const name of segmentsIn(directory)) {
    forgeFrames(directory, name, ({ lsn, content }) => {
      if (lsn === 2) copied += must(contents.get(lsn)).copy(content);
    });
  }
  expect(copied).toBe(contents.get(2)?.length);
  await using reader = await openReader(directory, { key });
  await expect(reader.readAll()).rejects.toMatchObject(refused(3));
});

describe('a log that was encrypted from some record on', () => {
  const PLAIN_BEFORE = 3;

  async function mixed(): Promise<string> {
    const directory = tempDir();
    const plain = await openLog(directory, PLAIN);
    await plain.append('plain 1');
    await plain.append('plain 2');
    await plain.close();
    const log = await openLog(directory, OPTIONS);
    expect(await log.append('checkpoint')).toBe(PLAIN_BEFORE);
    await log.close();
    return directory;
  }

  const textsOf = async (log: Pick<Log, 'read'>): Promise<string[]> => {
    const all: string[] = [];
    for await (const record of log.read()) all.push(textOf(record));
    return all;
  };

  it('is not read as a whole unless it is said from where on it is, by handles as by the log', async () => {
    const directory = await mixed();
    for (const plainBefore of [undefined, 0, 1, 2, 3, 4]) {
      const given = plainBefore === undefined ? {} : { plainBefore };
      const log = await openLog(directory, { ...PLAIN, encryption: { keyId: 1, key, ...given } });
      const handle = await attachLog(log.handle(), { key });
      const reader = await openReader(directory, { key, ...given });
      for (const source of [log, handle, reader]) {
        const reading = textsOf(source);
        if ((plainBefore ?? 0) >= PLAIN_BEFORE)
          expect(await reading).toEqual(['plain 1', 'plain 2', 'checkpoint']);
        else await expect(reading).rejects.toMatchObject(refused(Math.max(1, plainBefore ?? 0)));
      }
      await reader.close();
      await handle.close();
      await log.close();
    }
  });

  it('is read from there on, and without a key up to there', async () => {
    const directory = await mixed();
    await using encrypted = await openReader(directory, { key });
    expect((await encrypted.readAll({ from: PLAIN_BEFORE })).map(textOf)).toEqual(['checkpoint']);
    await using blind = await openReader(directory);
    expect((await blind.readAll({ to: PLAIN_BEFORE - 1 })).map(textOf)).toEqual(['plain 1', 'plain 2']);
  });

  it('is refused with a number that is no LSN, or without a key', async () => {
    const directory = await mixed();
    const invalid = { code: 'RINGWAL_INVALID_ARGUMENT' };
    for (const plainBefore of [-1, 1.5, Number.NaN, '3' as unknown as number]) {
      const encryption = { keyId: 1, key, plainBefore };
      await expect(openLog(directory, { ...PLAIN, encryption })).rejects.toMatchObject(invalid);
      await expect(openReader(directory, { key, plainBefore })).rejects.toMatchObject(invalid);
    }
    await expect(openReader(directory, { plainBefore: 3 })).rejects.toMatchObject(invalid);
  });
});

it('what salvage puts in the place of lost records is refused, unless they are said to be in plain', async () => {
  const { directory, name } = await filled();
  // The group of the committed transaction's beginning and record does not verify.
  let content = Buffer.alloc(0);
  forgeFrames(directory, name, (frame) => {
    if (frame.lsn === AT.committed) content = Buffer.from(frame.content);
  });
  edit(directory, name, (bytes) => {
    const at = Buffer.from(bytes).indexOf(content);
    bytes[at] = must(bytes[at]) ^ 1;
    return bytes;
  });
  const into = join(tempDir(), 'saved');
  const report = await salvage(directory, into);
  expect(report).toMatchObject({
    abortedTransactions: 1,
    plainBefore: AT.commit + 1,
    lost: [{ firstLsn: AT.begin, lastLsn: AT.committed }],
  });
  await using strict = await openReader(into, { key });
  await expect(strict.readAll()).rejects.toMatchObject(refused(AT.begin));
  await using reader = await openReader(into, { key, plainBefore: report.plainBefore });
  expect((await reader.readAll()).map(textOf)).toEqual(['single', 'large', 'checkpoint']);
});
