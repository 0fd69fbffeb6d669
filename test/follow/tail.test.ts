/** tail: followers get every durable record once and in order, across segments, truncation, writers and threads. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ClosedError } from '../../dist/src/errors.js';
import {
  type LogOptions,
  type LogReader,
  type LogRecord,
  openLog,
  openReader,
  type RingwalError,
} from '../../dist/src/index.js';
import { resolveOptions } from '../../dist/src/options.js';
import { Follower } from '../../dist/src/read/follower.js';
import { DirectoryReader } from '../../dist/src/reader/log-reader.js';
import { CLOSED, LogState } from '../../dist/src/ring/log-state.js';
import { openDirectory } from '../../dist/src/storage/open-directory.js';
import { LogThread } from '../../dist/src/thread.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { Prng, testSeed } from '../support/prng.js';
import { SimStorage } from '../support/sim-storage.js';
import { edit, segmentsIn, tempDir } from '../support/temp-dir.js';
import { WatchedStorage } from '../support/watched-storage.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 65_536 };

function payload(lsn: number, bytes: number): Buffer {
  const made = Buffer.alloc(bytes, lsn);
  made.writeUInt32LE(lsn);
  return made;
}

/** Takes records up to LSN `last` and checks that they are the ones that are due. */
async function take(tail: AsyncIterable<LogRecord>, from: number, last: number): Promise<void> {
  let next = from;
  for await (const { lsn, payload: got } of tail) {
    expect(lsn).toBe(next++);
    expect(Buffer.from(got).readUInt32LE()).toBe(lsn);
    if (lsn === last) return;
  }
  throw new Error(`the tail ended before ${next}`);
}

const codeOf = (error: RingwalError): string => error.code;

describe('the tail of a log', () => {
  it('gives what is there and what comes, over twenty rotations, to several followers', async () => {
    const log = await openLog(tempDir(), SMALL);
    const prng = new Prng(testSeed(3));
    const last = 700;
    let lsn = 0;
    while (lsn < 50) await log.append(payload(++lsn, 2000));
    const followers = [take(log.tail(), 1, last), take(log.tail({ from: 51 }), 51, last)];
    followers.push(take(log.tail({ from: 300 }), 300, last));
    while (lsn < last) {
      const many = prng.between(1, Math.min(12, last - lsn));
      await Promise.all(
        Array.from({ length: many }, () => log.append(payload(++lsn, prng.between(4, 4000)))),
      );
    }
    await Promise.all(followers);
    expect((await log.segments()).length).toBeGreaterThan(20);
    await log.close();
  });

  it('ends with the log, when it has given all that was durable', async () => {
    const log = await openLog(tempDir(), SMALL);
    const tail = log.tail();
    const idle = log.tail({ from: 500 });
    await log.append(payload(1, 10));
    expect((await tail.next()).value).toMatchObject({ lsn: 1 });
    const ended = idle.next();
    for (let lsn = 2; lsn <= 100; lsn++) await log.append(payload(lsn, 3000));
    await log.close();
    let next = 2;
    for await (const { lsn } of tail) expect(lsn).toBe(next++);
    expect(next).toBe(101);
    expect((await ended).done).toBe(true);
  });

  it('gives chosen types, transactions as they are committed, and starts at a checkpoint', async () => {
    const log = await openLog(tempDir(), SMALL);
    await log.append('a');
    await log.checkpoint('b');
    await log.append('c');
    const from = log.tail({ from: 'checkpoint' });
    expect((await from.next()).value).toMatchObject({ lsn: 2, type: 'checkpoint' });
    expect((await from.next()).value).toMatchObject({ lsn: 3 });
    const only = log.tail({ types: ['checkpoint'] });
    expect((await only.next()).value).toMatchObject({ lsn: 2 });
    const second = only.next();
    await log.append('d');
    await log.checkpoint('e');
    expect((await second).value).toMatchObject({ lsn: 5 });
    await from.return();
    await only.return();
    await log.close();
  });

  it('holds large records together that are written while it follows', async () => {
    const log = await openLog(tempDir(), { ...SMALL, maxGroupBytes: 8192 });
    const tail = log.tail();
    for (let i = 1; i <= 5; i++) {
      const [record] = await Promise.all([tail.next(), log.append(Buffer.alloc(100_000, i))]);
      expect([...new Set((record.value as LogRecord).payload)]).toEqual([i]);
      expect((record.value as LogRecord).payload.length).toBe(100_000);
    }
    await tail.return();
    await log.close();
  });

  it('is told that records are gone when truncation overtakes it', async () => {
    const log = await openLog(tempDir(), SMALL);
    for (let lsn = 1; lsn <= 100; lsn++) await log.append(payload(lsn, 3000));
    const tail = log.tail();
    await tail.next();
    await log.truncateBefore(90);
    const rest = async () => {
      for await (const _ of tail);
    };
    expect(await rest().catch(codeOf)).toBe('RINGWAL_TRUNCATED');
    expect(await log.tail({ from: 5 }).next().catch(codeOf)).toBe('RINGWAL_TRUNCATED');
    await log.close();
  });

  it('goes on over a cut behind what it gave, and is told of one before that', async () => {
    const log = await openLog(tempDir(), SMALL);
    for (let lsn = 1; lsn <= 20; lsn++) await log.append(payload(lsn, 1000));
    const tail = log.tail();
    for (let lsn = 1; lsn <= 10; lsn++) expect((await tail.next()).value).toMatchObject({ lsn });
    const behind = log.tail({ from: 15 });
    await behind.next();
    await log.truncateAfter(12);
    expect(await behind.next().catch(codeOf)).toBe('RINGWAL_OUT_OF_RANGE');
    // What it has in hand of the log as it was ends with the cut, too.
    const given: number[] = [];
    const rest = async () => {
      for await (const { lsn } of tail) given.push(lsn);
    };
    expect(await rest().catch(codeOf)).toBe('RINGWAL_OUT_OF_RANGE');
    expect(given.every((lsn) => lsn <= 12)).toBe(true);
    // One that had come to the end of what is left sees what comes instead, over this cut and the next.
    const again = log.tail({ from: 11 });
    for (const lsn of [11, 12]) expect((await again.next()).value).toMatchObject({ lsn });
    await log.append(payload(13, 10));
    expect((await again.next()).value).toMatchObject({ lsn: 13 });
    await log.append(payload(14, 10));
    await log.truncateAfter(13);
    await log.append(payload(1400, 10));
    const { value } = await again.next();
    expect(value).toMatchObject({ lsn: 14 });
    expect(Buffer.from((value as LogRecord).payload).readUInt32LE()).toBe(1400);
    await again.return();
    await log.close();
  });

  it('is told of a cut before what it gave also when the log is closed before it hears of what comes', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    for (let lsn = 1; lsn <= 25; lsn++) await log.append(payload(lsn, 100));
    await log.close();
    // The thread's view of it: 20 are durable, 13 to 20 are cut off, 13 to 25 are new, and the worker is gone.
    const state = new LogState();
    state.setFirstLsn(1);
    state.setDurableLsn(20);
    const { id } = await openDirectory(directory).then((storage) => storage.close().then(() => storage));
    const call = async (method: string): Promise<unknown> => {
      if (method === 'attach') return { place: { directory, reach: directory, id } };
      throw new ClosedError();
    };
    const control = { call } as unknown as Parameters<typeof LogThread.join>[0];
    const options = resolveOptions(SMALL);
    const terms = { options, state: state.buffer, logId: new Uint8Array(16) };
    const thread = await LogThread.join(control, terms, undefined);
    const next = thread.tail({ from: 21 }).next().catch(codeOf);
    await new Promise((resolve) => setImmediate(resolve));
    state.cut(12, 0);
    state.setDurableLsn(25);
    state.advance(CLOSED);
    expect(await next, 'not LSN 21: 13 to 20 are other records now').toBe('RINGWAL_OUT_OF_RANGE');
  });

  it('ends with the reason when aborted, and refuses options that are none', async () => {
    const log = await openLog(tempDir(), SMALL);
    const controller = new AbortController();
    const waiting = log.tail({ signal: controller.signal }).next();
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    const wrong = [{ from: 0 }, { to: 5 }, { signal: 1 }, { types: ['x'] }, { intervalMs: 5 }] as object[];
    for (const options of wrong)
      expect(await log.tail(options).next().catch(codeOf)).toBe('RINGWAL_INVALID_ARGUMENT');
    await log.close();
  });

  it('throws when a write fails', async () => {
    process.env.RINGWAL_TEST_FAULT = 'sync=5&code=EIO';
    const workerUrl = new URL('../fixtures/failing-worker.mjs', import.meta.url);
    const log = await openLog(tempDir(), { ...SMALL, workerUrl, syncMode: 'fdatasync' });
    const tail = log.tail({ from: 100 }).next().catch(codeOf);
    for (let i = 0; i < 10; i++) await log.append('x').catch(() => {});
    expect(await tail).toBe('RINGWAL_POISONED');
    await log.close();
  });
});

describe('a follower', () => {
  it('reads in all what was written, not the segment again for each step', async () => {
    const disk = new SimStorage();
    const harness = await EngineHarness.open(disk, undefined, { segmentBytes: 1024 * 1024 });
    const storage = new WatchedStorage(disk);
    const range = { from: 1, transactions: 'committed' as const, decoder: undefined };
    const follower = new Follower(storage, range);
    let next = 1;
    let bytes = 0;
    for (let i = 1; i <= 200; i++) {
      await harness.append(payloadOf(i, 1000));
      for await (const records of follower.advance(harness.engine.view(), () => 1))
        for (const { lsn } of records) expect(lsn).toBe(next++);
      bytes = harness.engine.view().segments.at(-1)?.end ?? 0;
    }
    expect(next).toBe(201);
    expect(storage.bytesRead).toBeLessThan(2 * bytes);
    await follower.close();
  });
});

describe('the tail of a reader', () => {
  it('reads about what was written, also in a segment that is much larger', async () => {
    const disk = new SimStorage();
    const harness = await EngineHarness.open(disk, undefined, { segmentBytes: 4 * 1024 * 1024 });
    const storage = new WatchedStorage(disk);
    const reader = await DirectoryReader.open({ directory: '', storage, isWriterAlive: async () => true });
    const tail = reader.tail({ intervalMs: 1 });
    await harness.append(payloadOf(1, 1000));
    await harness.append(payloadOf(2, 1000));
    await tail.next();
    storage.bytesRead = 0;
    const steps = 100;
    for (let i = 3; i <= steps; i++) {
      await harness.append(payloadOf(i, 1000));
      expect((await tail.next()).value).toMatchObject({ lsn: i - 1 });
    }
    // A step reads its group twice, what lies around a header, and now and then the first bytes of the spare.
    expect(storage.bytesRead).toBeLessThan(steps * 16_384);
    await tail.return();
    await reader.close();
  });

  it('follows a log through rotations, truncation, and writers that die and come back', async () => {
    const disk = new SimStorage();
    let harness = await EngineHarness.open(disk);
    let current = disk;
    const storage = new Proxy({} as SimStorage, { get: (_, key) => bound(current, key) });
    const reader: LogReader = await DirectoryReader.open({
      directory: '',
      storage,
      isWriterAlive: async () => true,
    });
    const prng = new Prng(testSeed(11));
    const tail = reader.tail({ intervalMs: 1 });
    let written = 0;
    let next = 1;
    for (let round = 0; round < 60; round++) {
      for (let i = prng.between(1, 8); i > 0; i--)
        await harness.append(payloadOf(++written, prng.between(4, 3500)));
      const deed = prng.below(6);
      if (deed === 0) await harness.rotate();
      else if (deed === 1) await harness.truncateBefore(next);
      else if (deed === 2) {
        current = current.fork({ checksOldFiles: false });
        harness = await EngineHarness.open(current, undefined, {}, round + 2);
      }
      await harness.engine.maintenanceIdle(); // a spare is there, should the mark need one
      await harness.mark();
      while (next <= written) {
        const { value } = await tail.next();
        expect(value).toMatchObject({ lsn: next });
        expect(Buffer.from((value as LogRecord).payload).readUInt32LE()).toBe(next++);
      }
    }
    await tail.return();
    await reader.close();
  });

  it('shows the last write of a writer that was killed, once nobody holds the lock', async () => {
    const disk = new SimStorage();
    const harness = await EngineHarness.open(disk);
    await harness.append(payloadOf(1, 10));
    await harness.append(payloadOf(2, 10));
    let isAlive = true;
    const reader = await DirectoryReader.open({
      directory: '',
      storage: disk,
      isWriterAlive: async () => isAlive,
    });
    const tail = reader.tail({ intervalMs: 1 });
    expect((await tail.next()).value).toMatchObject({ lsn: 1 });
    const last = tail.next();
    isAlive = false;
    expect((await last).value).toMatchObject({ lsn: 2 });
    await tail.return();
  });

  it('is told that records are gone when truncation overtakes it', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    for (let lsn = 1; lsn <= 100; lsn++) await log.append(payload(lsn, 3000));
    await using reader = await openReader(directory);
    const tail = reader.tail({ intervalMs: 1 });
    await tail.next();
    await log.truncateBefore(90);
    for (let lsn = 101; lsn <= 200; lsn++) await log.append(payload(lsn, 3000)); // into the files that were freed
    const rest = async () => {
      for await (const _ of tail);
    };
    expect(await rest().catch(codeOf)).toBe('RINGWAL_TRUNCATED');
    await log.close();
  });

  it('reports damage that it comes to', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    for (let lsn = 1; lsn <= 40; lsn++) await log.append(payload(lsn, 3000));
    await using reader = await openReader(directory);
    const tail = reader.tail({ intervalMs: 1 });
    await tail.next();
    edit(directory, segmentsIn(directory)[1] as string, (bytes) => bytes.fill(1, 20_000, 21_000));
    const lsns: number[] = [];
    const rest = async () => {
      for await (const { lsn } of tail) lsns.push(lsn);
    };
    expect(await rest().catch(codeOf)).toBe('RINGWAL_CORRUPT');
    expect(lsns.length).toBeGreaterThan(10);
    expect(lsns).toEqual(lsns.map((_, i) => i + 2)); // up to the damage, each once
    await log.close();
  });

  it('goes on from an empty directory, and ends when aborted or when the reader is closed', async () => {
    const directory = tempDir();
    const reader = await openReader(directory);
    const controller = new AbortController();
    const aborted = reader.tail({ signal: controller.signal, from: 50, intervalMs: 1 }).next();
    const tail = reader.tail({ intervalMs: 1 });
    const first = tail.next();
    const log = await openLog(directory, SMALL);
    await log.append(payload(1, 10));
    await log.close();
    expect((await first).value).toMatchObject({ lsn: 1 });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    const waiting = tail.next().catch(codeOf);
    await reader.close();
    expect(await waiting).toBe('RINGWAL_CLOSED');
    await expect(reader.tail({ intervalMs: 0 }).next()).rejects.toMatchObject({
      code: 'RINGWAL_INVALID_ARGUMENT',
    });
  });

  it('ends at once when the reader is closed, however long it would have waited for its next look', async () => {
    const source = { directory: '', storage: new SimStorage(), isWriterAlive: async () => false };
    const reader = await DirectoryReader.open(source);
    const waiting = reader.tail({ intervalMs: 60_000 }).next().catch(codeOf);
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve)); // its first look
    await reader.close();
    expect(await waiting).toBe('RINGWAL_CLOSED');
  });

  it('follows in another process, over twenty rotations', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    const last = 600;
    const fixture = fileURLToPath(new URL('../fixtures/tail-reader.mjs', import.meta.url));
    const child = spawn(process.execPath, [fixture, directory, `${last}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const told = once(child.stdout, 'data');
    for (let lsn = 1; lsn <= last; lsn++) await log.append(payload(lsn, 2500));
    expect(`${(await told)[0]}`).toBe(`saw ${last}\n`);
    expect((await log.segments()).length).toBeGreaterThan(20);
    await log.close();
  });
});

function bound(target: SimStorage, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target);
  return typeof value === 'function' ? value.bind(target) : value;
}
