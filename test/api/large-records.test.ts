/** large-records: records larger than a group, a ring and a segment are stored in fragments and read back whole. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { type Log, type LogOptions, type LogRecord, openLog } from '../../dist/src/index.js';
import { payloadOf } from '../support/engine-harness.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, maxGroupBytes: 4096 };
const MiB = 1024 * 1024;

const digest = (payload: Uint8Array): string => createHash('sha256').update(payload).digest('hex');

async function read(log: Log): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of log.read()) records.push(record);
  return records;
}

/** Bytes that follow from `seed`, quickly made. */
function bytesOf(seed: number, bytes: number): Uint8Array {
  const payload = new Uint8Array(bytes);
  for (let at = 0, word = seed | 1; at < bytes; at += 997) {
    word = Math.imul(word, 48_271) >>> 0;
    payload[at] = word;
  }
  return payload;
}

describe('a record larger than a group', () => {
  it('gets the LSN of its last fragment, and later appends of the thread lie behind it', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    const payload = payloadOf(1, 50_000); // larger than the ring
    const large = log.append(payload);
    const small = log.append('small');
    const batch = log.appendBatch(['b1', 'b2']);
    const lsn = await large;
    expect(lsn).toBeGreaterThan(50_000 / 4096);
    expect(await small).toBe(lsn + 1);
    expect(await batch).toEqual({ first: lsn + 2, last: lsn + 3 });
    const check = async (from: Log): Promise<void> => {
      const records = await read(from);
      expect(records.map((record) => record.lsn)).toEqual([lsn, lsn + 1, lsn + 2, lsn + 3]);
      expect(digest(records[0]?.payload ?? new Uint8Array())).toBe(digest(payload));
    };
    await check(log);
    await log.close();
    await using again = await openLog(directory, SMALL);
    await check(again);
  });

  it('may be larger than a segment, with recordChecksums too, and with every length around a limit', async () => {
    for (const recordChecksums of [false, true]) {
      await using log = await openLog(tempDir(), { ...SMALL, recordChecksums });
      const lengths = [4084, 4085, 4088, 4089, 8128, 8129, 8136, 12_200, 200_000];
      const payloads = lengths.map((bytes, i) => payloadOf(i, bytes));
      const lsns = await Promise.all(payloads.map((payload) => log.append(payload)));
      const records = await read(log);
      expect(records.map(({ lsn }) => lsn)).toEqual(lsns);
      expect(records.map(({ payload }) => digest(payload))).toEqual(payloads.map(digest));
    }
  });

  it('takes 64 MiB with bounded memory', { timeout: 60_000 }, async () => {
    await using log = await openLog(tempDir(), {
      ringBytes: MiB,
      segmentBytes: 16 * MiB,
      maxGroupBytes: 256 * 1024,
    });
    const payload = bytesOf(7, 64 * MiB);
    const before = process.memoryUsage();
    const appended = log.append(payload);
    let most = 0;
    let isDone = false;
    void appended.then(() => {
      isDone = true;
    });
    while (!isDone) {
      const { ringBytes, waitingBytes } = await log.stats();
      expect(ringBytes).toBeLessThanOrEqual(MiB);
      expect(waitingBytes).toBe(0); // its bytes are borrowed, not copied
      most = Math.max(most, process.memoryUsage().arrayBuffers + process.memoryUsage().external);
    }
    expect(most - before.arrayBuffers - before.external).toBeLessThan(32 * MiB);
    const lsn = await appended;
    const [record] = await read(log);
    expect(record?.lsn).toBe(lsn);
    expect(digest(record?.payload ?? new Uint8Array())).toBe(digest(payload));
  });

  it('lies among the small and large records of another thread, each whole and in the order of its thread', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, segmentBytes: 1_048_576 });
    const handle = log.handle();
    const worker = new Worker(new URL('../fixtures/large-records.mjs', import.meta.url), {
      workerData: { handle, thread: 1, count: 60 },
      transferList: [handle],
    });
    const exited = once(worker, 'exit');
    const told = once(worker, 'message') as Promise<[[number, string][]]>;
    const own: [number, string][] = await Promise.all(
      Array.from({ length: 60 }, async (_, i) => {
        const payload = payloadOf(5000 + i, i % 6 === 0 ? 30_000 + i : 20 + i);
        return [await log.append(payload), digest(payload)] as [number, string];
      }),
    );
    const [[others]] = await Promise.all([told, exited]);
    for (const list of [own, others]) {
      const lsns = list.map(([lsn]) => lsn);
      expect(lsns).toEqual([...lsns].sort((a, b) => a - b));
    }
    const expected = [...own, ...others].sort(([a], [b]) => a - b);
    const seen = async (from: Log) => (await read(from)).map(({ lsn, payload }) => [lsn, digest(payload)]);
    expect(await seen(log)).toEqual(expected);
    await log.close();
    await using again = await openLog(directory, SMALL);
    expect(await seen(again)).toEqual(expected);
  });

  it('is refused in a batch, as a checkpoint, by tryAppend and with expectedLsn, with RINGWAL_TOO_LARGE', async () => {
    await using log = await openLog(tempDir(), SMALL);
    const payload = new Uint8Array(5000);
    const tooLarge = { code: 'RINGWAL_TOO_LARGE' };
    await expect(log.appendBatch([payload])).rejects.toMatchObject(tooLarge);
    await expect(log.checkpoint(payload)).rejects.toMatchObject(tooLarge);
    await expect(log.tryAppend(payload)).rejects.toMatchObject(tooLarge);
    await expect(log.append(payload, { expectedLsn: 1 })).rejects.toMatchObject(tooLarge);
    expect(await log.append('first')).toBe(1);
  });

  it('is rejected, and never read in part, when its buffer is detached or resized meanwhile (class 34)', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    const resizable = new ArrayBuffer(200_000, { maxByteLength: 400_000 });
    for (const [buffer, spoil] of [
      [new ArrayBuffer(200_000), (one: ArrayBuffer) => structuredClone(one, { transfer: [one] })],
      [resizable, (one: ArrayBuffer) => one.resize(150_000)],
    ] as const) {
      const appended = log.append(new Uint8Array(buffer));
      const behind = log.append('behind');
      spoil(buffer);
      await expect(appended).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
      await behind;
    }
    expect((await read(log)).map(({ payload }) => payload.length)).toEqual([6, 6]);
    await log.close();
    const again = await openLog(directory, SMALL);
    expect(await read(again)).toHaveLength(2);
    await again.close();
  });

  it('is all there or not at all when the log is closed or its wait is aborted', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    const filling = log.append(new Uint8Array(40_000));
    const controller = new AbortController();
    const waiting = log.append(new Uint8Array(40_001), { signal: controller.signal });
    const behind = log.append('behind');
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    const last = log.append(new Uint8Array(40_002));
    await log.close();
    expect(await Promise.all([filling, behind, last])).toHaveLength(3);
    await using again = await openLog(directory, SMALL);
    expect((await read(again)).map(({ payload }) => payload.length)).toEqual([40_000, 6, 40_002]);
  });
});
