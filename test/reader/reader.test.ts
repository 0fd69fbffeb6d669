/** reader: what a reader shows of logs that are open, closed, crashed, empty and damaged; and that it changes nothing. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LogOptions, type LogReader, listSegments, openLog, openReader } from '../../dist/src/index.js';
import { DirectoryReader } from '../../dist/src/reader/log-reader.js';
import { NodeStorage } from '../../dist/src/storage/node-storage.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';
import { edit, fingerprint, segmentsIn, tempDir } from '../support/temp-dir.js';
import { WatchedStorage } from '../support/watched-storage.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };

const textsOf = async (reader: LogReader): Promise<string[]> =>
  (await reader.readAll()).map(({ payload }) => Buffer.from(payload).toString());

/** What is left when the machine of a log that is open goes down at this moment, its page cache written out. */
function crashed(directory: string): string {
  const copy = join(tempDir(), 'copy');
  mkdirSync(copy);
  for (const name of segmentsIn(directory)) copyFileSync(join(directory, name), join(copy, name));
  return copy;
}

describe('a reader', () => {
  it('shows the records of a log that is open here, and leaves it and its lock alone', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    for (let i = 1; i <= 100; i++) await log.append(`record ${i} ${'x'.repeat(3000)}`);
    await log.rotate();
    await log.append('the proof');
    await using reader = await openReader(directory);
    expect(reader).toMatchObject({ directory, firstLsn: 1, isLive: true, checkpointLsn: 0 });
    expect(reader.lastLsn).toBeGreaterThanOrEqual(100);
    expect((await reader.readAll({ to: 100 })).map(({ lsn }) => lsn)).toEqual(
      Array.from({ length: 100 }, (_, i) => i + 1),
    );
    expect((await reader.readAll({ from: 100, to: 100 })).length).toBe(1);
    await log.close();
    const again = await openLog(directory, SMALL); // no lock is held
    await again.close();
  });

  it('shows the log of a directory that nobody has open, as opening it would find it', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    for (let i = 1; i <= 30; i++) await log.append(`record ${i}`);
    await log.truncateBefore(11);
    const left = crashed(directory);
    await log.close();
    for (const path of [directory, left]) {
      const before = fingerprint(path);
      await using reader = await openReader(path);
      expect(reader).toMatchObject({ firstLsn: 11, lastLsn: 30, isLive: false });
      expect(await textsOf(reader)).toEqual(Array.from({ length: 20 }, (_, i) => `record ${i + 11}`));
      await reader.refresh();
      expect(fingerprint(path)).toEqual(before);
    }
  });

  it('shows an empty directory as an empty log, and its records once there are some', async () => {
    const directory = tempDir();
    await using reader = await openReader(directory);
    expect(reader).toMatchObject({ firstLsn: 1, lastLsn: 0, checkpointLsn: 0, isLive: false });
    expect(await reader.readAll()).toEqual([]);
    expect(reader.segments()).toEqual([]);
    expect(fingerprint(directory)).toEqual([]);
    const log = await openLog(directory, SMALL);
    await reader.refresh();
    expect(reader).toMatchObject({ firstLsn: 1, lastLsn: 0, isLive: true });
    await log.append('first');
    await log.close();
    expect(reader.lastLsn).toBe(0); // it changes with a refresh only
    await reader.refresh();
    expect(await textsOf(reader)).toEqual(['first']);
  });

  // It went on with the id of the former log, under which no key opens the records of the new one.
  it('shows another log that was begun in the directory since, also when both are encrypted', async () => {
    const directory = tempDir();
    const key = (): Uint8Array => Buffer.alloc(32, 'k');
    const begin = async (text: string): Promise<void> => {
      for (const name of segmentsIn(directory)) rmSync(join(directory, name));
      const log = await openLog(directory, { ...SMALL, encryption: { keyId: 1, key } });
      await log.append(text);
      await log.close();
    };
    await begin('former');
    await using reader = await openReader(directory, { key });
    expect(await textsOf(reader)).toEqual(['former']);
    await begin('new');
    await reader.refresh();
    expect(await textsOf(reader)).toEqual(['new']);
  });

  it('refuses what is no directory, what is not shown, and everything once it is closed', async () => {
    await expect(openReader('')).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    await expect(openReader(join(tempDir(), 'missing'))).rejects.toMatchObject({ code: 'RINGWAL_IO' });
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    for (let i = 1; i <= 5; i++) await log.append(`${i}`);
    await log.truncateBefore(3);
    await log.close();
    const reader = await openReader(directory);
    await expect(reader.readAll({ from: 2 })).rejects.toMatchObject({ code: 'RINGWAL_TRUNCATED' });
    await expect(reader.readAll({ to: 6 })).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    await expect(reader.readAll({ from: 0 })).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    const reading = reader.read();
    await reading.next();
    await reader.close();
    await reader.close();
    for (const call of [() => reading.next(), () => reader.refresh(), () => reader.readAll()])
      await expect(call()).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
  });

  it('reports acknowledged data that is damaged, with a writer and without', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    for (let i = 1; i <= 5; i++) await log.append(`record ${i}`);
    edit(directory, segmentsIn(directory)[0] as string, (bytes) => {
      bytes[Buffer.from(bytes).indexOf('record 2')] = 0;
      return undefined;
    });
    await expect(openReader(directory)).rejects.toMatchObject({
      code: 'RINGWAL_CORRUPT',
      details: { expectedLsn: 2 },
    });
    await log.close();
    await expect(openReader(directory)).rejects.toMatchObject({
      code: 'RINGWAL_CORRUPT',
      details: { expectedLsn: 2 },
    });
  });

  it('shows with a writer what is proven durable, and without one all that recovery would accept', async () => {
    const disk = new SimStorage();
    const harness = await EngineHarness.open(disk);
    const open = (isLive: boolean) =>
      DirectoryReader.open({ directory: '', storage: disk, isWriterAlive: async () => isLive });
    for (let last = 1; last <= 12; last++) {
      await harness.append(payloadOf(last, 2500));
      expect((await open(true)).lastLsn, `after ${last}`).toBe(last - 1);
      expect((await open(false)).lastLsn, `after ${last}`).toBe(last);
      expect((await (await open(false)).readAll()).length).toBe(last);
    }
    await harness.mark();
    expect((await open(true)).lastLsn).toBe(12);
  });

  it('shows the last record of a writer that is idle, wherever in its segment that lies', async () => {
    const disk = new SimStorage();
    const harness = await EngineHarness.open(disk);
    for (let last = 1; last <= 30; last++) {
      await harness.append(payloadOf(last, 2500));
      await harness.engine.maintenanceIdle(); // a spare is there, should the mark need one
      await harness.mark(); // as the worker does by itself after 50 ms
      const reader = await DirectoryReader.open({
        directory: '',
        storage: disk,
        isWriterAlive: async () => true,
      });
      expect(reader.lastLsn).toBe(last);
    }
  });

  it('finds an LSN by the index of a sealed segment: it reads a small part of the log', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { segmentBytes: 1024 * 1024, maxGroupBytes: 16_384 });
    const lines = Array.from({ length: 3000 }, (_, i) => `${i + 1} ${'x'.repeat(900)}`);
    await Promise.all(lines.map((line) => log.append(line)));
    await log.rotate();
    await log.close();
    const storage = new WatchedStorage(await NodeStorage.open(directory, { create: false }));
    const reader = await DirectoryReader.open({ directory, storage, isWriterAlive: async () => false });
    const { firstLsn, lastLsn } = reader.segments()[1] as { firstLsn: number; lastLsn: number };
    for (const lsn of [firstLsn + 1, (firstLsn + lastLsn) >> 1, lastLsn]) {
      storage.bytesRead = 0;
      const [record] = await reader.readAll({ from: lsn, to: lsn });
      expect(Buffer.from(record?.payload ?? []).toString()).toBe(lines[lsn - 1]);
      if (lsn === lastLsn) expect(storage.bytesRead).toBeLessThan(64 * 1024);
    }
    await reader.close();
  });

  it('reads from the last checkpoint on, or from the start when there is none any more', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    const lsns = async (from: { read: LogReader['read'] }): Promise<number[]> => {
      const found: number[] = [];
      for await (const { lsn } of from.read({ from: 'checkpoint' })) found.push(lsn);
      return found;
    };
    await log.appendBatch(['1', '2']);
    expect(await lsns(log)).toEqual([1, 2]);
    await log.checkpoint('3');
    await log.append('4');
    expect(await lsns(log)).toEqual([3, 4]);
    await log.append('5');
    await using reader = await openReader(directory);
    expect(reader.checkpointLsn).toBe(3);
    expect((await lsns(reader)).slice(0, 2)).toEqual([3, 4]);
    await log.truncateBefore(5);
    expect(await lsns(log)).toEqual([5]);
    await log.close();
    await reader.refresh();
    expect(reader).toMatchObject({ checkpointLsn: 3, firstLsn: 5 });
    expect(await lsns(reader)).toEqual([5]);
  });

  it('does not name a checkpoint that is not shown', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, syncMode: 'fdatasync' });
    await log.checkpoint('old');
    await log.append('x');
    await using reader = await openReader(directory);
    expect(reader.checkpointLsn).toBeLessThanOrEqual(reader.lastLsn);
    await log.checkpoint('new');
    await reader.refresh();
    expect(reader.checkpointLsn).toBeLessThanOrEqual(reader.lastLsn);
    expect(reader.checkpointLsn).toBeGreaterThan(0);
    await log.close();
  });
});

describe('listSegments', () => {
  it('tells the range, size and state of every segment, of an open log and of a closed one', async () => {
    const directory = tempDir();
    expect(await listSegments(directory)).toEqual([]);
    const log = await openLog(directory, SMALL);
    for (let i = 1; i <= 60; i++) await log.append(Buffer.alloc(3000, i));
    const known = await log.segments();
    const listed = await listSegments(directory);
    expect(listed.map(({ file, firstLsn, isClosed }) => ({ file, firstLsn, isClosed }))).toEqual(
      known.map(({ file, firstLsn, isClosed }) => ({ file, firstLsn, isClosed })),
    );
    for (const [i, segment] of listed.entries()) {
      expect(segment.lastLsn).toBe(segment.isClosed ? known[i]?.lastLsn : undefined);
      expect(segment.bytes).toBe(segment.isClosed ? known[i]?.bytes : undefined);
      expect(segment.isSealed).toBe(segment.isClosed);
      expect(segment).toMatchObject({ epoch: 1, fileBytes: 65_536 });
    }
    await log.truncateBefore(40);
    await log.close();
    await (await openLog(directory, SMALL)).close();
    const first = (await listSegments(directory))[0];
    expect(first?.lastLsn).toBeGreaterThanOrEqual(40);
  });

  it('says of a segment that its writer died with that it was not sealed', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    await log.append('x');
    await log.append('y');
    const left = crashed(directory);
    await log.close();
    await (await openLog(left, SMALL)).close();
    expect(await listSegments(left)).toMatchObject([
      { firstLsn: 1, isClosed: true, isSealed: false, epoch: 1 },
      { isClosed: false, epoch: 2 },
    ]);
  });
});
