/** spans: what reaches over groups is read whole from anywhere, and kept as long as its end may come. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  type Log,
  type LogOptions,
  type LogRecord,
  openLog,
  type ReadOptions,
} from '../../dist/src/index.js';
import { CHECKPOINT } from '../../dist/src/ring/layout.js';
import { EngineHarness, payloadOf, recoverAll } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, maxGroupBytes: 4096 };

async function read(log: Log, options: ReadOptions = {}): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of log.read(options)) records.push(record);
  return records;
}

interface Listed {
  readonly lsn: number;
  readonly commitLsn: number;
  readonly what: string;
}

/** The same without the bytes, which take long to compare. */
async function list(log: Log, options: ReadOptions = {}): Promise<Listed[]> {
  return (await read(log, options)).map(({ lsn, commitLsn, type, transaction, payload }) => ({
    lsn,
    commitLsn,
    what: `${type} ${transaction} ${payload.length} ${crc32(payload)}`,
  }));
}

/** First bytes of each record, and where it took effect. */
const brief = (records: readonly LogRecord[]): string[] =>
  records.map(({ commitLsn, payload }) => `${Buffer.from(payload.subarray(0, 12))} @${commitLsn}`);

/** Fills about so many segments. */
async function fill(log: Log, segments: number): Promise<void> {
  await Promise.all(Array.from({ length: segments * 18 }, () => log.append(Buffer.alloc(3500))));
}

/** A segment with a transaction and a large record across most of it, and small ones between. */
async function mixed(log: Log): Promise<void> {
  const tx = log.begin();
  await tx.append('tx one');
  for (let i = 0; i < 6; i++) await log.append(`small ${i} ${'x'.repeat(2000)}`);
  const large = log.append(Buffer.alloc(14_000, 'L'));
  await log.append('behind');
  await large;
  await tx.append('tx two');
  const other = log.begin();
  await other.append('other');
  await tx.commit();
  for (let i = 6; i < 9; i++) await log.append(`small ${i} ${'x'.repeat(2000)}`);
  await other.commit();
}

describe('reading', () => {
  it('gives from every LSN on what takes effect there or later, whole, in sealed segments as in the active one', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    await mixed(log);
    await log.rotate();
    await mixed(log);
    await log.rotate();
    const open = log.begin();
    await open.append('open');
    await mixed(log);
    const check = async (from: Log): Promise<void> => {
      const all = await list(from);
      const everything = await list(from, { transactions: 'all' });
      expect(all).toHaveLength(3 * 14);
      for (let lsn = 1; lsn <= from.durableLsn; lsn++) {
        const seen = await list(from, { from: lsn });
        expect(seen).toEqual(all.filter(({ commitLsn }) => commitLsn >= lsn));
        const raw = await list(from, { from: lsn, transactions: 'all' });
        expect(raw).toEqual(everything.filter((record) => record.lsn >= lsn));
      }
      for (const to of [9, 30, 55]) {
        const seen = await list(from, { to });
        expect(seen).toEqual(all.filter(({ commitLsn }) => commitLsn <= to));
      }
    };
    await check(log);
    await log.close();
    await using again = await openLog(directory, SMALL);
    await check(again);
  });

  it('goes on behind a record with from: commitLsn + 1, however transactions lie in each other', async () => {
    await using log = await openLog(tempDir(), SMALL);
    const a = log.begin();
    const b = log.begin();
    await a.append('a1');
    await b.append('b1');
    await a.append('a2');
    await b.commit();
    await log.append('between');
    await a.commit();
    const all = brief(await read(log));
    expect(all).toEqual(['b1 @6', 'between @7', 'a1 @8', 'a2 @8']);
    expect(brief(await read(log, { from: 7 }))).toEqual(all.slice(1));
    expect(brief(await read(log, { from: 8 }))).toEqual(all.slice(2));
  });
});

describe('truncation in the middle of an open transaction', () => {
  it('keeps its beginning over rotations, until it has ended and is truncated itself', async () => {
    const directory = tempDir();
    await using log = await openLog(directory, { ...SMALL, recycle: false });
    const tx = log.begin();
    await tx.append('first');
    const [oldest = { file: '' }] = await log.segments();
    await fill(log, 3);
    await tx.append('second');
    await log.truncateBefore(log.durableLsn);
    expect(brief(await read(log))).toEqual([]);
    await fill(log, 2);
    await log.truncateBefore(log.durableLsn);
    const end = await tx.commit();
    expect(brief(await read(log, { from: log.durableLsn }))).toEqual([`first @${end}`, `second @${end}`]);
    // Still: whoever reads from the mark on must see it whole.
    await log.truncateBefore(end);
    expect(existsSync(join(directory, oldest.file))).toBe(true);
    expect(brief(await read(log))).toEqual([`first @${end}`, `second @${end}`]);
    await log.append('behind');
    await log.rotate();
    await log.append('next');
    await log.rotate(); // the segment with the commit is not needed to open the next one
    await log.truncateBefore(log.durableLsn + 1);
    await expect.poll(() => existsSync(join(directory, oldest.file))).toBe(false);
  });

  it('keeps the beginning of a committed one also when the log is opened again', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    const tx = log.begin();
    await tx.append('first');
    await fill(log, 3);
    await tx.append('second');
    const mark = log.durableLsn;
    await log.truncateBefore(mark);
    const end = await tx.commit();
    await log.close();
    for (let round = 0; round < 3; round++) {
      await using again = await openLog(directory, SMALL);
      expect(again.firstLsn).toBe(mark);
      expect(brief(await read(again))).toEqual([`first @${end}`, `second @${end}`]);
      await again.rotate();
    }
  });

  it('lets the beginning of one go that was open when the log was closed', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, recycle: false });
    const tx = log.begin();
    await tx.append('first');
    const [oldest = { file: '' }] = await log.segments();
    await fill(log, 3);
    await tx.append('second');
    await log.close();
    await using again = await openLog(directory, { ...SMALL, recycle: false });
    await again.append('one');
    await again.rotate();
    await again.append('two');
    await again.rotate();
    await again.truncateBefore(again.durableLsn + 1);
    await expect.poll(() => existsSync(join(directory, oldest.file))).toBe(false);
    expect(await again.append('three')).toBeGreaterThan(0);
    expect(brief(await read(again))).toHaveLength(1);
  });
});

describe('after a crash', () => {
  it('a transaction is aborted that was open, and one is there that was committed in the last group', async () => {
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage);
    const open = log.begin(0);
    const committed = log.begin(1);
    void open.append(payloadOf(1, 50));
    void committed.append(payloadOf(2, 50));
    await log.commit();
    await log.rotate();
    void open.append(payloadOf(3, 50));
    void committed.append(payloadOf(4, 50));
    await log.commit();
    void committed.commit();
    await log.commit();
    const { log: again } = await recoverAll(SimStorage.boot(storage.durableImage()));
    expect(again.engine.summary.reloggedRecords).toBe(1); // the COMMIT alone; its BEGIN is in an older segment
    const seen = await again.readAll();
    expect(seen.map(({ payload }) => Buffer.from(payload))).toEqual(
      [2, 4].map((id) => Buffer.from(payloadOf(id, 50))),
    );
    expect(await again.checkReading(Array.from({ length: 7 }, (_, i) => i + 1))).toEqual([]);
    // The mark below its COMMIT keeps what its beginning lies in; also when the log is opened again.
    await again.truncateBefore(7);
    expect(await again.checkReading([7])).toEqual([]);
    expect(await again.readAll()).toHaveLength(2);
    await again.close();
  });

  it('a large record reads back whole whose last fragment alone is logged again', async () => {
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage, undefined, { ringBytes: 8192 });
    const payload = payloadOf(1, 40_000);
    log.submitLarge(payload);
    await log.commit();
    const { log: again } = await recoverAll(SimStorage.boot(storage.durableImage()));
    expect(again.engine.summary.reloggedRecords).toBe(1);
    const [record] = await again.readAll();
    expect(record?.lsn).toBe(again.engine.summary.lastLsn);
    expect(Buffer.compare(record?.payload ?? new Uint8Array(), payload)).toBe(0);
    await again.append(payloadOf(2, 40));
    await again.rotate();
    await again.append(payloadOf(3, 40));
    const lsns = Array.from({ length: again.state.durableLsn }, (_, i) => i + 1);
    expect(await again.checkReading(lsns)).toEqual([]);
    await again.truncateBefore(record?.lsn ?? 0);
    expect(await again.readAll()).toHaveLength(3);
  });

  it('a large record is absent of which a fragment is missing, and its remains do no harm', async () => {
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage, undefined, { ringBytes: 8192 });
    log.submitLarge(payloadOf(1, 40_000));
    for (let i = 0; i < 4; i++) expect(log.engine.step()).toBe(i === 0 ? 'committed' : 'idle');
    const lost = await recoverAll(SimStorage.boot(storage.durableImage()));
    expect(lost.records.length).toBeGreaterThan(0);
    expect(await lost.log.readAll()).toEqual([]);
    lost.log.submitLarge(payloadOf(2, 9000));
    await lost.log.append(payloadOf(3, 40));
    expect((await lost.log.readAll()).map(({ payload }) => payload.length)).toEqual([9000, 40]);
    expect(await lost.log.checkReading([1, 2, 3, 4])).toEqual([]);
  });

  it('the last checkpoint is known at once, also when its group is logged again or lies segments back', async () => {
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage);
    await log.append(payloadOf(1, 40));
    const frame = { type: 5, flags: 0, payload: payloadOf(2, 40) };
    void log.producer(0).submit([frame], { chunkFlags: CHECKPOINT });
    await log.commit();
    expect(log.state.checkpointLsn).toBe(2);
    const { log: again } = await recoverAll(SimStorage.boot(storage.durableImage()));
    expect(again.engine.summary.reloggedRecords).toBe(1);
    expect(again.state.checkpointLsn).toBe(2);
    for (let i = 3; i < 6; i++) {
      await again.append(payloadOf(i, 40));
      await again.rotate();
    }
    await again.append(payloadOf(9, 40));
    await again.close();
  });

  it('of a process that was killed, what was committed is there, and what was open is not', async () => {
    const directory = tempDir();
    const fixture = fileURLToPath(new URL('../fixtures/open-transaction.mjs', import.meta.url));
    const child = spawn(process.execPath, [fixture, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const closed = once(child, 'close');
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    child.kill('SIGKILL');
    await closed;
    const [openId, end] = line.trim().split(' ').map(Number);
    await using log = await openLog(directory, SMALL);
    expect(brief(await read(log))).toEqual([`committed @${end}`, `plain @${(end ?? 0) + 1}`]);
    const raw = await list(log, { transactions: 'all' });
    expect(raw.filter(({ what }) => what.includes(`${openId}`))).toHaveLength(4);
    const tx = log.begin();
    expect(tx.id).not.toBe(openId);
    await tx.append('next');
    await tx.commit();
    expect(await read(log)).toHaveLength(3);
  });
});
