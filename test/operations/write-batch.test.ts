/** write-batch: batches of puts and deletes in a log: one LSN each, all or nothing, refused as a whole. */
import { describe, expect, it } from 'vitest';
import { type Log, type LogOptions, openLog } from '../../dist/src/index.js';
import { decodeOperation, WriteBatch, writeBatch } from '../../dist/src/operations/index.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };

/** Node's types of version 20 do not have it. */
interface Shrinkable {
  resize(bytes: number): void;
}

async function withLog(options: LogOptions, use: (log: Log) => Promise<void>): Promise<void> {
  const log = await openLog(tempDir(), options);
  try {
    await use(log);
  } finally {
    await log.close();
  }
}

/** What the log holds, one line per record. */
async function lines(log: Log): Promise<string[]> {
  const found: string[] = [];
  for await (const { lsn, payload } of log.read()) {
    const operation = decodeOperation(payload);
    const value = operation.kind === 'put' ? `=${Buffer.from(operation.value)}` : '';
    found.push(`${lsn} ${operation.kind} ${Buffer.from(operation.key)}${value}`);
  }
  return found;
}

describe('WriteBatch', () => {
  it('counts operations and encoded bytes, and forgets both when cleared', () => {
    const batch = new WriteBatch();
    expect([batch.length, batch.bytes, batch.encode()]).toEqual([0, 0, []]);
    batch.put('k', 'value').delete('grün').put(new Uint8Array(3), '');
    expect(batch.length).toBe(3);
    expect(batch.bytes).toBe(8 + 6 + (8 + 5) + (8 + 3));
    expect(batch.encode().map((payload) => payload.length)).toEqual([14, 13, 11]);
    batch.clear();
    expect([batch.length, batch.bytes, batch.encode()]).toEqual([0, 0, []]);
  });

  it('has taken the bytes when put and delete return', () => {
    const key = Buffer.from('key');
    const value = Buffer.from('value');
    const batch = new WriteBatch().put(key, value).delete(key);
    key.fill(0);
    value.fill(0);
    const decoded = batch.encode().map((payload) => decodeOperation(payload));
    expect(decoded.map((operation) => String(operation.key))).toEqual(['key', 'key']);
    expect(decoded[0]).toMatchObject({ value: Buffer.from('value') });
  });

  it('refuses what is neither string nor Uint8Array, and stays as it was', () => {
    const detached = new Uint8Array(8);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const Resizable = ArrayBuffer as unknown as new (bytes: number, to: object) => ArrayBuffer & Shrinkable;
    const memory = new Resizable(16, { maxByteLength: 16 });
    const shrunk = new Uint8Array(memory, 8, 8);
    memory.resize(4);
    const gone = [detached, shrunk];
    const batch = new WriteBatch().put('a', 'b');
    for (const wrong of [undefined, null, 7, {}, ['a'], new ArrayBuffer(4), new Float64Array(1), ...gone]) {
      const invalid = expect.objectContaining({ code: 'RINGWAL_INVALID_ARGUMENT' });
      expect(() => batch.put(wrong as never, 'v')).toThrow(invalid);
      expect(() => batch.put('k', wrong as never)).toThrow(invalid);
      expect(() => batch.delete(wrong as never)).toThrow(invalid);
    }
    expect([batch.length, batch.bytes]).toEqual([1, 10]);
  });

  it('refuses at once what no log could take', () => {
    const half = new Uint8Array(256 * 1024 * 1024); // zero pages that are never touched
    const tooLarge = expect.objectContaining({ code: 'RINGWAL_TOO_LARGE' });
    expect(() => new WriteBatch().put(half, half)).toThrow(tooLarge);
  });
});

describe('writeBatch', () => {
  it('gives each operation one LSN, in order, and resolves with the first and the last', async () => {
    await withLog(SMALL, async (log) => {
      await log.append(new WriteBatch().put('before', '').encode()[0] ?? '');
      const batch = new WriteBatch().put('a', '1').delete('b').put('a', '2');
      expect(await writeBatch(log, batch)).toEqual({ first: 2, last: 4 });
      expect(log.durableLsn).toBe(4);
      expect(await writeBatch(log, new WriteBatch().delete('a'))).toEqual({ first: 5, last: 5 });
      expect(await lines(log)).toEqual([
        '1 put before=',
        '2 put a=1',
        '3 delete b',
        '4 put a=2',
        '5 delete a',
      ]);
    });
  });

  it('has taken the batch when it returns, also when it must wait for room', async () => {
    await withLog(SMALL, async (log) => {
      const batch = new WriteBatch();
      const value = Buffer.alloc(1500);
      const done = Array.from({ length: 40 }, (_, i) => {
        batch.put(`${i}`, value.fill(97 + (i % 26))).put(`${i}`, 'last');
        const written = writeBatch(log, batch);
        batch.clear();
        return written;
      });
      expect(log.tryAppend('others wait for room'), 'some must wait').toBeUndefined();
      expect(await Promise.all(done)).toEqual(done.map((_, i) => ({ first: 2 * i + 1, last: 2 * i + 2 })));
      const letters = (i: number) => String.fromCharCode(97 + (i % 26)).repeat(1500);
      expect(await lines(log)).toEqual(
        done.flatMap((_, i) => [`${2 * i + 1} put ${i}=${letters(i)}`, `${2 * i + 2} put ${i}=last`]),
      );
    });
  });

  it('refuses an empty batch, and what is none, with RINGWAL_INVALID_ARGUMENT', async () => {
    await withLog(SMALL, async (log) => {
      const invalid = { code: 'RINGWAL_INVALID_ARGUMENT' };
      await expect(writeBatch(log, new WriteBatch())).rejects.toMatchObject({
        ...invalid,
        message: 'The batch is empty: put or delete something first.',
      });
      for (const none of [undefined, null, [], 'a'])
        await expect(writeBatch(log, none as never)).rejects.toMatchObject(invalid);
      expect(log.durableLsn).toBe(0);
    });
  });

  it('refuses a batch that does not fit into one group with RINGWAL_TOO_LARGE, and writes none of it', async () => {
    await withLog({ ...SMALL, maxGroupBytes: 4096, maxGroupRecords: 100 }, async (log) => {
      const bytes = new WriteBatch().put('one', new Uint8Array(4096));
      await expect(writeBatch(log, bytes)).rejects.toMatchObject({ code: 'RINGWAL_TOO_LARGE' });
      const together = new WriteBatch().put('a', new Uint8Array(2000)).put('b', new Uint8Array(2100));
      await expect(writeBatch(log, together)).rejects.toMatchObject({ code: 'RINGWAL_TOO_LARGE' });
      const records = new WriteBatch();
      for (let i = 0; i <= 100; i++) records.delete('');
      await expect(writeBatch(log, records)).rejects.toMatchObject({ code: 'RINGWAL_TOO_LARGE' });
      expect(await writeBatch(log, new WriteBatch().put('next', ''))).toEqual({ first: 1, last: 1 });
      expect(await lines(log)).toEqual(['1 put next=']);
    });
  });

  it('gives up waiting for room when the signal says so, and then has written none of it', async () => {
    await withLog(SMALL, async (log) => {
      const full = Array.from({ length: 30 }, () =>
        log.append(new WriteBatch().delete('x').encode()[0] ?? ''),
      );
      const large = Array.from({ length: 8 }, () =>
        writeBatch(log, new WriteBatch().put('', Buffer.alloc(4000))),
      );
      const abort = new AbortController();
      const given = writeBatch(log, new WriteBatch().put('given', 'up'), { signal: abort.signal });
      abort.abort();
      await expect(given).rejects.toMatchObject({ name: 'AbortError' });
      await Promise.all([...full, ...large]);
      expect((await lines(log)).filter((line) => line.includes('given'))).toEqual([]);
    });
  });
});
