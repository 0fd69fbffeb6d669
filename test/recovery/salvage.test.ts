/** salvage: what is good in a damaged log is saved under its LSN, the rest is called lost, and nothing hides anything. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeGroupHeader, encodeGroupHeader, saltKey } from '../../dist/src/format/group-header.js';
import {
  IN_TRANSACTION,
  RECORD_FIRST,
  RECORD_FULL,
  RECORD_LAST,
  RECORD_MIDDLE,
  RECORD_TXN_ABORT,
  RECORD_TXN_BEGIN,
  RECORD_TXN_COMMIT,
} from '../../dist/src/format/record-frame.js';
import { openLog, salvage, verifyLog } from '../../dist/src/index.js';
import { SpanGuard } from '../../dist/src/salvage/span-guard.js';
import { must } from '../support/must.js';
import { Prng } from '../support/prng.js';
import { salvaged } from '../support/salvaged.js';
import type { FaultPlan } from '../support/sim-fault.js';
import { SimStorage } from '../support/sim-storage.js';
import { edit, filesIn, fingerprint, segmentsIn, tempDir } from '../support/temp-dir.js';
import {
  BLOCK,
  boot,
  bytesOf,
  copyOf,
  type Disk,
  diskOf,
  flip,
  groups,
  open,
  segments,
  text,
  texts,
  used,
} from './disk.js';

const ALL = ['1 1a', '2 1b', '3 2a', '4 2b', '5 3a', '6 3b', '7 4a', '8 4b'];

/** Four segments with two records each, closed. */
async function fourSegments(): Promise<Disk> {
  const storage = new SimStorage();
  const log = await open(storage, { recycle: false });
  for (let i = 1; i <= 4; i++) {
    if (i > 1) await log.rotate();
    for (const letter of 'ab') await log.append(text(`${i}${letter}`));
  }
  await log.close();
  return diskOf(storage);
}

const nth = (disk: Disk, index: number): string => must(used(disk).at(index));

function shown(records: readonly { lsn: number; payload: Uint8Array }[]): string[] {
  return records.map(({ lsn, payload }) => `${lsn} ${Buffer.from(payload).toString('latin1')}`);
}

const without = (...lsns: number[]): string[] =>
  ALL.filter((line) => !lsns.includes(Number.parseInt(line, 10)));

describe('a salvaged log', () => {
  it('holds everything when nothing is damaged, and says so of every file', async () => {
    const disk = await fourSegments();
    const { report, records } = await salvaged(disk);
    expect(shown(records)).toEqual(ALL);
    expect(report).toMatchObject({
      savedRecords: 8,
      firstLsn: 1,
      lastLsn: 8,
      lost: [],
      abortedTransactions: 0,
      plainBefore: 0,
    });
    expect(report.saved).toEqual([{ firstLsn: 1, lastLsn: 8, newFirstLsn: 1 }]);
    for (const { file, state } of report.files)
      expect(state).toBe(used(disk).includes(file) ? 'sound' : 'unused');
  });

  // The end of a transaction that begins in a file that is gone became an abort, and was told of as a loss.
  it('reports no loss where what was truncated is half removed, amid a transaction too', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 65_536, recycle: false });
    const transaction = log.begin();
    await transaction.append('its first record, in the first segment');
    for (let i = 0; i < 5; i++) await log.append(Buffer.alloc(15_000, i));
    await transaction.commit(); // in the second one
    for (let i = 0; i < 5; i++) await log.append(Buffer.alloc(15_000, i));
    const mark = await log.append('the first that stays, in the third');
    const [first, second] = segmentsIn(directory).map((name) => join(directory, name));
    const kept = readFileSync(must(second));
    await log.truncateBefore(mark);
    await log.close();
    for (const name of [first, second]) expect(existsSync(must(name))).toBe(false);
    writeFileSync(must(second), kept); // as when the process dies before it removes it
    expect(await salvage(directory, join(tempDir(), 'saved'))).toMatchObject({
      firstLsn: mark,
      lost: [],
      abortedTransactions: 0,
    });
  });

  it('keeps the LSN of every record behind damage, and its time', async () => {
    const disk = await fourSegments();
    const before = await salvaged(disk);
    const name = nth(disk, 1);
    const offset = must(groups(bytesOf(disk, name))[1]);
    for (const at of [3, 70]) {
      const damaged = copyOf(disk);
      flip(bytesOf(damaged, name), offset + at);
      const { report, records } = await salvaged(damaged);
      expect(shown(records)).toEqual(without(3));
      expect(report.lost).toMatchObject([{ firstLsn: 3, lastLsn: 3, file: name, offset }]);
      expect(report.saved).toMatchObject([
        { firstLsn: 1, lastLsn: 2, newFirstLsn: 1 },
        { firstLsn: 4, lastLsn: 8, newFirstLsn: 4 },
      ]);
      const times = new Map(before.records.map((record) => [record.lsn, record]));
      for (const record of records) expect(record).toEqual(times.get(record.lsn));
    }
  });

  it('loses nothing to a damaged first block: the salt is in the neighbours, or still in its place', async () => {
    const disk = await fourSegments();
    for (const name of used(disk)) {
      for (const [from, to] of [
        [100, 200],
        [8, 9],
        [0, 32],
        [0, BLOCK],
      ] as const) {
        const damaged = copyOf(disk);
        bytesOf(damaged, name).fill(0xee, from, to);
        const { report, records } = await salvaged(damaged);
        // The newest has no LINK behind it, and a SEAL before it.
        expect(shown(records), `${name} ${from} ${to}`).toEqual(ALL);
        expect(report.files.find(({ file }) => file === name)).toMatchObject({
          state: 'damaged',
          savedRecords: 2,
        });
      }
    }
  });

  it('has all other files when some are missing, wherever: none hides another', async () => {
    const disk = await fourSegments();
    for (const gone of [[0], [1], [2], [3], [0, 2], [1, 3], [0, 1, 2]]) {
      const damaged = copyOf(disk);
      for (const index of gone) damaged.delete(nth(disk, index));
      const { report, records } = await salvaged(damaged);
      const lost = gone.flatMap((index) => [2 * index + 1, 2 * index + 2]);
      expect(shown(records)).toEqual(without(...lost));
      for (const lsn of lost) {
        expect(report.lost.some(({ firstLsn, lastLsn = 8 }) => firstLsn <= lsn && lsn <= lastLsn)).toBe(true);
      }
    }
  });

  it('says that the end is doubtful when nothing tells how much was lost there', async () => {
    const disk = await fourSegments();
    const name = nth(disk, -1);
    const end = must(groups(bytesOf(disk, name))[2]);
    disk.set(name, bytesOf(disk, name).slice(0, end));
    const { report } = await salvaged(disk);
    expect(report.lost).toMatchObject([{ firstLsn: 8, lastLsn: undefined, file: name, offset: end }]);
  });

  it('begins where the damaged one did: at its truncation mark, and with an LSN that is not 1', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false });
    for (let i = 1; i <= 4; i++) {
      if (i > 1) await log.rotate();
      for (const letter of 'ab') await log.append(text(`${i}${letter}`));
    }
    await log.truncateBefore(4);
    await log.close();
    const { report, records, disk } = await salvaged(diskOf(storage));
    expect(shown(records)).toEqual(ALL.slice(3));
    expect(report).toMatchObject({ firstLsn: 4, lastLsn: 8, lost: [] });
    expect(report.files.filter(({ state }) => state === 'missing')).toEqual([]);
    // Again, of the salvaged one: a log that begins with LSN 3.
    expect(shown((await salvaged(disk)).records)).toEqual(ALL.slice(3));
  });

  it('moves records down, and says where to, when a gap is larger than may be kept', async () => {
    const disk = await fourSegments();
    disk.delete(nth(disk, 1));
    const { report, records } = await salvaged(disk, { maxFillers: 1 });
    expect(shown(records)).toEqual(['1 1a', '2 1b', '3 3a', '4 3b', '5 4a', '6 4b']);
    expect(report.saved).toEqual([
      { firstLsn: 1, lastLsn: 2, newFirstLsn: 1 },
      { firstLsn: 5, lastLsn: 8, newFirstLsn: 3 },
    ]);
    expect(report.lost).toMatchObject([{ firstLsn: 3, lastLsn: 4 }]);
  });

  it('is the one from before an opening to a point in time, when that is asked for', async () => {
    const disk = await fourSegments();
    const name = nth(disk, 1);
    flip(bytesOf(disk, name), must(groups(bytesOf(disk, name))[1]) + 70);
    const storage = boot(disk);
    const log = await open(storage, { recovery: 'point-in-time', recycle: false });
    expect(log.engine.summary).toMatchObject({ lastLsn: 2, epoch: 2 });
    for (const value of ['new', 'newer']) await log.append(text(value));
    await log.close();
    const after = diskOf(storage);
    expect(shown((await salvaged(after)).records)).toEqual(['1 1a', '2 1b', '3 new', '4 newer']);
    const { report, records } = await salvaged(after, { beforeEpoch: 2 });
    expect(shown(records)).toEqual(without(3));
    expect(report.lost).toMatchObject([{ firstLsn: 3, lastLsn: 3 }]);
  });

  it('is sound when it takes many segments, and rests on LINKs and indexes of its own', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false, segmentBytes: 64 * 1024 });
    for (let id = 1; id <= 60; id++) await log.append(text(`${id}${'x'.repeat(3000)}`));
    await log.close();
    const disk = diskOf(storage);
    const name = nth(disk, 1);
    bytesOf(disk, name).fill(0, 2 * BLOCK, 6 * BLOCK);
    const { report, records, disk: made } = await salvaged(disk);
    expect(used(made).length).toBeGreaterThan(2);
    expect(records.length).toBe(report.savedRecords);
    const lost = report.lost.reduce((sum, { firstLsn, lastLsn }) => sum + must(lastLsn) - firstLsn + 1, 0);
    expect(lost).toBeGreaterThan(3);
    expect(records.length + lost).toBe(60);
  });

  it('is not led astray by a later group that was written to a wrong place before it', async () => {
    const storage = new SimStorage();
    const log = await open(storage);
    for (const value of ['one', 'two'.repeat(200), 'three', 'four']) await log.append(text(value));
    await log.close();
    const disk = diskOf(storage);
    const name = nth(disk, 0);
    const bytes = bytesOf(disk, name);
    const [, , second = 0, third = 0, fourth = 0, end = 0] = groups(bytes);
    expect(third - second).toBeGreaterThan(200);
    const copy = bytes.slice(fourth, end);
    bytes.fill(0xee, second, second + 64);
    bytes.set(copy.subarray(0, third - second - 128), second + 128);
    expect(shown((await salvaged(disk)).records)).toEqual(['1 one', '3 three', '4 four']);
  });

  it('has what came later, where files from before an opening to a point in time are still there', async () => {
    const disk = await fourSegments();
    const [second, third] = [nth(disk, 1), nth(disk, 2)];
    flip(bytesOf(disk, second), must(groups(bytesOf(disk, second))[2]) + 70);
    const storage = boot(disk);
    const log = await open(storage, { recovery: 'point-in-time', recycle: false });
    for (const value of ['new', 'newer', 'newest']) await log.append(text(value));
    await log.close();
    const after = diskOf(storage);
    after.set(third, bytesOf(disk, third)); // as after a crash before its first name was removed
    const expected = [...ALL.slice(0, 3), '4 new', '5 newer', '6 newest'];
    const { report, records } = await salvaged(after);
    expect(shown(records)).toEqual(expected);
    expect(report.files.find(({ file }) => file === third)).toMatchObject({ state: 'superseded' });
    flip(bytesOf(after, third), 40); // nor does damage in it matter to opening
    expect(await texts(await open(boot(after)))).toEqual(expected);
  });

  it('has what can be read of a file with blocks that can not', async () => {
    const storage = new SimStorage();
    const log = await open(storage, { recycle: false, padGroups: true });
    for (const value of ['one', 'two', 'three']) await log.append(text(value));
    await log.close();
    const disk = diskOf(storage);
    const name = nth(disk, 0);
    const [, , second = 0] = groups(bytesOf(disk, name));
    expect(second % BLOCK).toBe(0);
    const plan: FaultPlan = ({ kind, name: file, position = 0, bytes = 0 }) => {
      const isHit = kind === 'read' && file === name && position <= second && position + bytes > second;
      return isHit ? { code: 'EIO' } : undefined;
    };
    const { report, records } = await salvaged(disk, {}, plan);
    expect(shown(records)).toEqual(['1 one', '3 three']);
    expect(report.lost).toMatchObject([{ firstLsn: 2, lastLsn: 2, file: name }]);
    const { damage } = must(report.files.find(({ file }) => file === name));
    expect(damage).toContainEqual({ offset: second, reason: 'a block can not be read' });
  });
});

describe('through the file system', () => {
  const OPTIONS = { segmentBytes: 65_536, maxGroupBytes: 4096, ringBytes: 16_384, recordChecksums: true };

  it('single records with checksums are saved from a group that does not verify', async () => {
    const [from, into] = [tempDir(), join(tempDir(), 'new')];
    const log = await openLog(from, OPTIONS);
    await log.appendBatch(['one', 'two', 'three']);
    await log.append('four');
    await log.close();
    const [name = ''] = segmentsIn(from);
    edit(from, name, (bytes) => {
      const at = Buffer.from(bytes).indexOf('two');
      bytes[at] = 0x54;
      return bytes;
    });
    const report = await salvage(from, into);
    expect(report).toMatchObject({ savedRecords: 3, lost: [{ firstLsn: 2, lastLsn: 2, file: name }] });
    expect(await contents(into)).toEqual(['1 one', '3 three', '4 four']);
    expect((await verifyLog(into)).damage).toEqual([]);
  });

  it('a damaged length in such a group lets only those before it be saved', async () => {
    const [from, into] = [tempDir(), join(tempDir(), 'new')];
    const log = await openLog(from, OPTIONS);
    await log.appendBatch(['one', 'two', 'three']);
    await log.append('four');
    await log.close();
    edit(from, must(segmentsIn(from)[0]), (bytes) => {
      const at = Buffer.from(bytes).indexOf('two') - 8;
      bytes[at] = 11;
      return bytes;
    });
    expect(await salvage(from, into)).toMatchObject({ lost: [{ firstLsn: 2, lastLsn: 3 }] });
    expect(await contents(into)).toEqual(['1 one', '4 four']);
  });

  it('a large record of which a part is lost is not saved, and the others around it are', async () => {
    const [from, into] = [tempDir(), join(tempDir(), 'new')];
    const log = await openLog(from, { ...OPTIONS, recordChecksums: false });
    await log.append('before');
    const large = Buffer.concat([Buffer.alloc(9000, 'l'), Buffer.from('here'), Buffer.alloc(9000, 'L')]);
    const lsn = await log.append(large);
    await log.append('after');
    const whole = await log.append(Buffer.alloc(9000, 'w'));
    await log.close();
    for (const name of segmentsIn(from)) {
      edit(from, name, (bytes) => {
        const at = Buffer.from(bytes).indexOf('here');
        if (at > 0) bytes[at] = 0x48;
        return bytes;
      });
    }
    const report = await salvage(from, into);
    const found = await contents(into);
    expect(found.map((line) => line.slice(0, 10))).toEqual([
      '1 before',
      `${lsn + 1} after`,
      `${whole} wwwwwwwwww`.slice(0, 10),
    ]);
    const isLost = report.lost.some(({ firstLsn, lastLsn = lsn }) => firstLsn <= lsn && lsn <= lastLsn);
    expect(isLost).toBe(true);
  });

  it('never writes where the damage is, and into nothing but an empty directory', async () => {
    const from = tempDir();
    const log = await openLog(from, OPTIONS);
    await log.append('one');
    await log.close();
    const before = fingerprint(from);
    const full = tempDir();
    writeFileSync(join(full, 'x'), 'x');
    const argument = { code: 'RINGWAL_INVALID_ARGUMENT' };
    for (const into of [full, from, join(from, 'inside'), join(from, '..inside'), '']) {
      await expect(salvage(from, into), into).rejects.toMatchObject(argument);
    }
    for (const options of [{ segmentBytes: 1 }, { maxFillers: -1 }, { beforeEpoch: 0 }, { other: 1 }]) {
      await expect(salvage(from, tempDir(), options as object)).rejects.toMatchObject(argument);
    }
    await expect(salvage(tempDir(), tempDir())).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    await expect(salvage(join(full, 'none'), tempDir())).rejects.toMatchObject({ code: 'RINGWAL_IO' });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(salvage(from, tempDir(), { signal })).rejects.toThrow('enough');
    expect(await salvage(from, tempDir())).toMatchObject({ savedRecords: 1, lost: [] });
    expect(fingerprint(from)).toEqual(before);
  });

  it('entries that are no files do not keep the others from being saved', async () => {
    const [from, into] = [tempDir(), tempDir()];
    const log = await openLog(from, OPTIONS);
    for (let i = 0; i < 3; i++) {
      await log.append(`r${i}`);
      await log.rotate();
    }
    await log.append('r3');
    await log.close();
    const [, second = '', third = ''] = segmentsIn(from);
    rmSync(join(from, second));
    mkdirSync(join(from, second));
    rmSync(join(from, third));
    symlinkSync('/dev/zero', join(from, third));
    const report = await salvage(from, into);
    expect(await contents(into)).toEqual(['1 r0', '4 r3']);
    expect(report.lost).toMatchObject([{ firstLsn: 2, lastLsn: 3 }]);
    expect(report.files.filter(({ state }) => state === 'unreadable').map(({ file }) => file)).toEqual([
      second,
      third,
    ]);
  });

  async function contents(directory: string): Promise<string[]> {
    const log = await openLog(directory, { recovery: 'absolute' });
    const lines: string[] = [];
    for await (const { lsn, payload } of log.read()) lines.push(`${lsn} ${Buffer.from(payload)}`);
    await log.close();
    expect(filesIn(directory).size).toBeGreaterThan(0);
    return lines;
  }
});

describe('hostile files', () => {
  it('of garbage, of anything in the wrong place, and of nothing, end in a report', async () => {
    const prng = new Prng(5);
    const whole = await fourSegments();
    for (let i = 0; i < 30; i++) {
      const disk: Disk = new Map();
      for (const name of segments(whole)) {
        const bytes = prng.chance(0.5)
          ? bytesOf(whole, prng.pick(segments(whole))).slice()
          : prng.bytes(prng.below(9000));
        for (let j = prng.below(40); j > 0 && bytes.length > 0; j--) {
          const [to, from] = [prng.below(bytes.length), prng.below(bytes.length)];
          bytes.copyWithin(to, from, from + prng.below(300));
        }
        disk.set(name, bytes);
      }
      const { report, records } = await salvaged(disk);
      for (const line of shown(records)) expect(ALL).toContain(line);
      expect(report.files.length).toBeGreaterThanOrEqual(segments(whole).length);
    }
  });

  it('of headers that verify and lie are believed no further than the file goes', async () => {
    const whole = await fourSegments();
    const lies = [
      { firstLsn: 2 ** 52 },
      { firstLsn: 0 },
      { durableLsn: 2 ** 53 - 1 },
      { bodyBytes: 0xffff_fff8 },
      { bodyBytes: 20_000 },
      { records: 0xffff_ffff },
      { durableEnd: 0xffff_ffff },
      { type: 9 },
      { firstLsn: 9_000_000 },
    ];
    for (const lie of lies) {
      for (const index of [0, 1, 2, 3]) {
        const disk = copyOf(whole);
        const name = nth(disk, 2);
        const bytes = bytesOf(disk, name);
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        const key = saltKey(bytes.slice(32, 48));
        const at = must(groups(bytes)[index]);
        const header = must(decodeGroupHeader(bytes, view, at, key));
        encodeGroupHeader({ ...header, ...lie }, key, bytes, view, at);
        const { report, records } = await salvaged(disk);
        // Who has the salt can give a record any LSN; but nothing else is made up, and other files are not touched.
        const values = records.map(({ payload }) => Buffer.from(payload).toString());
        for (const value of values) expect(ALL.map((line) => line.slice(2))).toContain(value);
        expect(values.slice(0, 4)).toEqual(['1a', '1b', '2a', '2b']);
        expect(report.savedRecords).toBe(values.length);
      }
    }
  });
});

describe('spans of which a part is lost', () => {
  const body = (id: number): Uint8Array => {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint32(0, id, true);
    new DataView(bytes.buffer).setUint32(8, id + 100, true);
    return bytes;
  };

  it('are kept while nothing is lost, and never completed once something is', () => {
    const spans = new SpanGuard();
    expect(spans.take(1, RECORD_TXN_BEGIN, 0, body(1), 0)).toBe('keep');
    expect(spans.take(2, RECORD_FULL, IN_TRANSACTION, body(1), 0)).toBe('keep');
    expect(spans.take(3, RECORD_FIRST, IN_TRANSACTION, body(1), 0)).toBe('keep');
    expect(spans.openLsn).toBe(1);
    expect(spans.take(4, RECORD_LAST, IN_TRANSACTION, body(1), 0)).toBe('keep');
    expect(spans.take(5, RECORD_TXN_COMMIT, 0, body(1), 0)).toBe('keep');
    expect(spans.openLsn).toBe(0);
    spans.take(6, RECORD_TXN_BEGIN, 0, body(2), 0);
    spans.take(7, RECORD_FIRST, 0, body(3), 0);
    expect(spans.openLsn).toBe(6);
    spans.gap();
    expect(spans.openLsn).toBe(0);
    expect(spans.take(9, RECORD_MIDDLE, 0, body(3), 0)).toBe('drop');
    expect(spans.take(10, RECORD_LAST, 0, body(3), 0)).toBe('drop');
    expect(spans.take(11, RECORD_FULL, IN_TRANSACTION, body(2), 0)).toBe('keep');
    expect(spans.take(12, RECORD_TXN_COMMIT, 0, body(2), 0)).toBe('abort');
    expect(spans.take(13, RECORD_TXN_ABORT, 0, body(9), 0)).toBe('keep');
  });
});
