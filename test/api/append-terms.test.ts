/** append terms: receipts, expected LSNs, durability, checkpoints, checksums, and records larger than a group. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { attachLog, type Log, type LogOptions, openLog } from '../../dist/src/index.js';
import { maskedCrc } from '../support/masked-crc.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 32_768 };

async function all(log: Log, options: Parameters<Log['read']>[0] = {}) {
  const records = [];
  for await (const record of log.read(options)) records.push(record);
  return records;
}

describe('a receipt', () => {
  it('tells LSN, bytes, group, waits and segment; without it the answer is a bare number', async () => {
    const log = await openLog(tempDir(), SMALL);
    const plain = log.append('alone');
    expect(await plain).toBe(1);
    const receipts = await Promise.all(['a', 'bb', 'ccc'].map((text) => log.append(text, { receipt: true })));
    expect(receipts.map(({ lsn, bytes }) => [lsn, bytes])).toEqual([
      [2, 1],
      [3, 2],
      [4, 3],
    ]);
    for (const receipt of receipts) {
      expect(receipt).toMatchObject({ groupSize: 3, grouped: true, segment: 1 });
      expect(receipt.syncUs).toBeGreaterThan(0);
      expect(receipt.waitUs).toBeGreaterThanOrEqual(0);
    }
    await log.rotate();
    expect(await log.append('d', { receipt: true })).toMatchObject({ lsn: 5, grouped: false, segment: 2 });
    await log.close();
  });
});

describe('an expected LSN', () => {
  it('is what the record gets, or nothing is written and RINGWAL_CONFLICT says what it would have been', async () => {
    const log = await openLog(tempDir(), SMALL);
    expect(await log.append('one', { expectedLsn: 1 })).toBe(1);
    await expect(log.append('late', { expectedLsn: 1 })).rejects.toMatchObject({
      code: 'RINGWAL_CONFLICT',
      actualLsn: 2,
    });
    await expect(log.append('early', { expectedLsn: 9 })).rejects.toMatchObject({ actualLsn: 2 });
    const batch = await log.appendBatch(['two', 'three'], { expectedLsn: 2 });
    expect(batch).toEqual({ first: 2, last: 3 });
    await expect(log.appendBatch(['x', 'y'], { expectedLsn: 3 })).rejects.toMatchObject({ actualLsn: 4 });
    // In one group with others, which are not disturbed.
    const mixed = await Promise.allSettled([
      log.append('four'),
      log.append('no', { expectedLsn: 4 }),
      log.append('five', { expectedLsn: 5 }),
      log.append('six'),
    ]);
    expect(mixed.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.code))).toEqual([
      4,
      'RINGWAL_CONFLICT',
      5,
      6,
    ]);
    expect((await all(log)).map(({ payload }) => Buffer.from(payload).toString())).toEqual(
      'one two three four five six'.split(' '),
    );
    await log.close();
  });

  it('lets exactly one of several threads win each LSN', async () => {
    const log = await openLog(tempDir(), SMALL);
    const rings = [log, await attachLog(log.handle()), await attachLog(log.handle())];
    let won = 0;
    for (let lsn = 1; lsn <= 60; lsn++) {
      const tries = await Promise.allSettled(
        rings.map((ring, i) => ring.append(`${i}`, { expectedLsn: lsn })),
      );
      const winners = tries.filter(({ status }) => status === 'fulfilled');
      expect(winners).toEqual([{ status: 'fulfilled', value: lsn }]);
      won++;
    }
    expect(won).toBe((await all(log)).length);
    for (const ring of rings.slice(1)) await ring.close();
    await log.close();
  });
});

describe('durability "os"', () => {
  it.each([
    'fdatasync',
    'auto',
  ] as const)('costs no sync until somebody asks for one (%s)', async (syncMode) => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, syncMode });
    await log.append('first');
    const { syncs } = await log.stats();
    const lsns: number[] = [];
    for (let i = 0; i < 20; i++) lsns.push(await log.append(`${i}`, { durability: 'os' }));
    const after = await log.stats();
    expect(lsns.at(-1)).toBe(21);
    // The idle mark may have come in between, once.
    expect(after.syncs - syncs).toBeLessThanOrEqual(1);
    expect(await log.sync()).toBe(21);
    expect(log.durableLsn).toBe(21);
    await log.append('x', { durability: 'os' });
    expect(await log.append('disk')).toBe(23);
    expect(log.durableLsn).toBe(23);
    expect((await all(log)).length).toBe(23);
    await log.close();
    const again = await openLog(directory, SMALL);
    expect((await all(again)).length).toBe(23);
    await again.close();
  });
});

describe('a checkpoint', () => {
  it('is known at once when the log is opened again, also over rotations', async () => {
    const directory = tempDir();
    let log = await openLog(directory, SMALL);
    expect(log.checkpointLsn).toBe(0);
    await log.append('a');
    expect(await log.checkpoint('state at 1')).toBe(2);
    expect(log.checkpointLsn).toBe(2);
    await log.append('b');
    for (let times = 0; times < 3; times++) {
      await log.close();
      log = await openLog(directory, SMALL);
      expect(log.checkpointLsn).toBe(2);
      await log.append('more');
      await log.rotate();
    }
    const [checkpoint] = await all(log, { types: ['checkpoint'] });
    expect(checkpoint).toMatchObject({ lsn: 2, type: 'checkpoint' });
    expect(Buffer.from(checkpoint?.payload ?? []).toString()).toBe('state at 1');
    const second = await log.checkpoint('later');
    await log.close();
    log = await openLog(directory, SMALL);
    expect(log.checkpointLsn).toBe(second);
    await log.close();
  });
});

describe('record checksums', () => {
  it('are stored with each record, of the bytes as the caller gave them, and verified when it is read', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, recordChecksums: true });
    const payloads = ['', 'a', 'some text', 'x'.repeat(1001), 'L'.repeat(100_000)];
    for (const payload of payloads) await log.append(payload);
    await log.appendBatch(payloads.slice(0, 3));
    const read = await all(log);
    expect(read.map(({ payload }) => Buffer.from(payload).toString())).toEqual([
      ...payloads,
      ...payloads.slice(0, 3),
    ]);
    await log.close();
    const [name = ''] = readdirSync(directory).filter((file) => file.endsWith('.wal'));
    const bytes = readFileSync(join(directory, name));
    const at = bytes.indexOf('some text');
    expect(bytes[at - 3]).toBe(4); // flags
    const end = at - 8 + Math.ceil((8 + 9 + 4) / 8) * 8;
    expect(bytes.readUInt32LE(end - 4)).toBe(maskedCrc('some text'));
    // A record that was changed in memory before its group's checksum was made: forge that.
    const header = bytes.lastIndexOf(Buffer.from('RWGR'), at);
    bytes.write('same text', at);
    const salt = bytes.subarray(32, 48);
    const body = bytes.subarray(header + 64, header + 64 + bytes.readUInt32LE(header + 36));
    bytes.writeUInt32LE(crc32(body, crc32(salt)), header + 44);
    const before = bytes.readUInt32LE(header + 60);
    const after = crc32(bytes.subarray(header, header + 60), crc32(salt));
    bytes.writeUInt32LE(after, header + 60);
    // The groups behind it are chained to the old checksum: relink them.
    relink(bytes, header, before, after, crc32(salt));
    writeFileSync(join(directory, name), bytes);
    const again = await openLog(directory, SMALL).catch((error: unknown) => error as Error);
    if (again instanceof Error) throw again;
    await expect(all(again)).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT', details: { expectedLsn: 3 } });
    await again.close();
  });
});

/** Gives every group behind `from` the new checksum of the one before it. */
function relink(bytes: Buffer, from: number, before: number, after: number, seed: number): void {
  let old = before;
  let now = after;
  for (let at = from + 8; at + 64 <= bytes.length; at += 8) {
    if (bytes.readUInt32LE(at) !== 0x52475752 || bytes.readUInt32LE(at + 40) !== old) continue;
    old = bytes.readUInt32LE(at + 60);
    bytes.writeUInt32LE(now, at + 40);
    now = crc32(bytes.subarray(at, at + 60), seed);
    bytes.writeUInt32LE(now, at + 60);
  }
}

describe('a record larger than a group', () => {
  it('is put together again, between small ones and from several rings, in the order of the calls', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    const other = await attachLog(log.handle());
    const prng = new Prng(testSeed(3));
    const told = new Map<number, string>();
    await Promise.all(
      [log, other].map(async (own, which) => {
        const pending: Promise<void>[] = [];
        let last = 0;
        for (let i = 0; i < 60; i++) {
          const bytes = prng.below(5) === 0 ? prng.between(8_000, 200_000) : prng.between(0, 500);
          const text = `${which}/${i} `.padEnd(bytes, 'y');
          pending.push(
            own.append(text).then((lsn) => {
              expect(lsn).toBeGreaterThan(last);
              last = lsn;
              told.set(lsn, text);
            }),
          );
          if (prng.below(4) === 0) await Promise.all(pending);
        }
        await Promise.all(pending);
      }),
    );
    await other.close();
    const check = async (reader: Log): Promise<void> => {
      const found = await all(reader);
      expect(found.length).toBe(120);
      for (const { lsn, payload } of found) expect(Buffer.from(payload).toString()).toBe(told.get(lsn));
      const lsns = [...told.keys()].sort((a, b) => a - b);
      for (const from of [lsns[10], lsns[57], lsns[119]] as number[]) {
        expect((await all(reader, { from })).map(({ lsn }) => lsn)).toEqual(
          lsns.filter((lsn) => lsn >= from),
        );
      }
    };
    await check(log);
    await log.close();
    const again = await openLog(directory, SMALL);
    await check(again);
    await again.close();
  });

  it('needs no more memory than its own, and its bytes may not change before it is done', async () => {
    const log = await openLog(tempDir(), { segmentBytes: 4 << 20, ringBytes: 1 << 20 });
    const large = Buffer.alloc(64 << 20, 'abcdefg');
    const before = process.memoryUsage().arrayBuffers;
    const done = log.append(large);
    expect((await log.stats()).waitingBytes).toBe(0);
    const lsn = await done;
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 << 20);
    const [record] = await all(log);
    expect(record?.lsn).toBe(lsn);
    expect(Buffer.compare(record?.payload ?? Buffer.alloc(0), large)).toBe(0);
    await log.close();
  });

  it('is not there when its last fragment is not, and does not hold back garbage collection after reopening', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, maxWaitingBytes: 1 << 20 });
    const controller = new AbortController();
    const aborted = log.append(Buffer.alloc(3000), { signal: controller.signal });
    controller.abort();
    expect(await aborted).toBe(1); // it was in the ring already
    await expect(
      log.append(Buffer.alloc(10), { expectedLsn: 2, signal: AbortSignal.abort() }),
    ).rejects.toThrow();
    await expect(log.append(Buffer.alloc(60_000), { expectedLsn: 2 })).rejects.toMatchObject({
      code: 'RINGWAL_TOO_LARGE',
    });
    await log.close();
    const again = await openLog(directory, SMALL);
    expect((await all(again)).length).toBe(1);
    await again.close();
  });
});
