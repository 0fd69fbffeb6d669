/** encoded logs: compression and encryption in a log: what is read is what was appended, what is stored is not. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SEAL_OVERHEAD_BYTES } from '../../dist/src/codec/encryption.js';
import { attachLog, type Log, type LogAppender, type LogOptions, openLog } from '../../dist/src/index.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 65_536 };
const keys = new Map([
  [1, randomBytes(32)],
  [2, randomBytes(32)],
]);
const key = (keyId: number): Uint8Array => {
  const found = keys.get(keyId);
  if (found === undefined) throw new Error(`no key ${keyId}`);
  return found;
};
const encryption = { keyId: 1, key };

async function texts(log: LogAppender): Promise<string[]> {
  const all: string[] = [];
  for await (const { payload } of log.read()) all.push(Buffer.from(payload).toString());
  return all;
}

function filesOf(directory: string): Buffer {
  const names = readdirSync(directory).filter((name) => name.endsWith('.wal'));
  return Buffer.concat(names.map((name) => readFileSync(join(directory, name))));
}

/** Records of all kinds, in all ways to append them. */
async function fill(log: Log): Promise<string[]> {
  const prng = new Prng(testSeed(5));
  const expected: string[] = [];
  const record = (bytes: number): string => {
    const text = `SECRET ${expected.length} `.padEnd(bytes, prng.below(2) === 0 ? 'compressible ' : 'x');
    expected.push(text);
    return text;
  };
  const pending: Promise<unknown>[] = [];
  for (let i = 0; i < 60; i++) {
    const size = prng.pick([10, 100, 1000, 20_000, 60_000]);
    if (i % 10 === 3) pending.push(log.appendBatch([record(100), record(5000), record(0)]));
    else if (i % 10 === 5) {
      const tx = log.begin();
      pending.push(tx.append(record(size)), tx.append(record(50)));
      await tx.commit(); // takes effect here, not where the next call is made
    } else if (i % 10 === 7) pending.push(log.checkpoint(record(500)));
    else pending.push(log.append(record(size)));
    if (prng.below(4) === 0) await Promise.all(pending);
  }
  await Promise.all(pending);
  return expected;
}

const encodings: [string, LogOptions][] = [
  ['compression', { compression: 'auto' }],
  ['compression and checksums', { compression: 'brotli', recordChecksums: true }],
  ['encryption', { encryption }],
  ['both', { compression: 'deflate', encryption, recordChecksums: true }],
];

describe.each(encodings)('a log with %s', (_name, encoding) => {
  it('gives back what was appended, in the order of the calls, also when it is opened again', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, ...encoding });
    const expected = await fill(log);
    expect(await texts(log)).toEqual(expected);
    await log.close();
    if (encoding.encryption) expect(filesOf(directory).includes('SECRET')).toBe(false);
    // Reading needs no option but the keys.
    const again = await openLog(directory, { ...SMALL, ...(encoding.encryption ? { encryption } : {}) });
    expect(await texts(again)).toEqual(expected);
    await again.close();
  });
});

describe('compression', () => {
  it('makes the files smaller, and is given up where it does not', async () => {
    const log = await openLog(tempDir(), { ...SMALL, compression: 'auto' });
    await log.append('a'.repeat(50_000));
    const { bytes } = await log.stats();
    expect(bytes).toBeLessThan(1000);
    await log.append(randomBytes(5000));
    expect((await log.stats()).bytes - bytes).toBeGreaterThan(5000);
    await log.close();
  });

  it('holds the place of what is compressed off this thread: later appends stay behind it', async () => {
    const log = await openLog(tempDir(), { ...SMALL, compression: 'deflate' });
    const reused = Buffer.alloc(40_000, 'first ');
    const [a, b, c] = [log.append(reused), log.append('second'), log.append('third')];
    reused.fill('never');
    expect(await Promise.all([a, b, c])).toEqual([1, 2, 3]);
    expect((await texts(log))[0]).toBe(Buffer.alloc(40_000, 'first ').toString());
    const late = log.append(Buffer.alloc(40_000));
    await log.close();
    expect(await late).toBe(4);
  });

  // Copies of large records counted for nothing: there was no bound to them.
  it('counts what it copied of large records as waiting, in transactions too', async () => {
    const overloaded = { code: 'RINGWAL_OVERLOADED' };
    const log = await openLog(tempDir(), { ...SMALL, compression: 'deflate', maxWaitingBytes: 250_000 });
    const tx = log.begin();
    const [a, b, c, d] = [log, log, tx, log].map((to) => to.append(Buffer.alloc(100_000)));
    await expect(c).rejects.toMatchObject(overloaded);
    await expect(d).rejects.toMatchObject(overloaded);
    await expect(tx.commit()).rejects.toMatchObject({ cause: overloaded });
    await Promise.all([a, b]);
    expect(await log.append(Buffer.alloc(100_000))).toBe(log.lastLsn);
    await log.close();
  });

  // They were compressed, acknowledged, and then refused as damaged.
  it('leaves payloads as they are that it would refuse to inflate', async () => {
    const log = await openLog(tempDir(), { ...SMALL, compression: 'deflate', maxInflatedBytes: 1000 });
    const payloads = [1000, 1001, 20_000, 200_000].map((bytes) => 'x'.repeat(bytes));
    for (const payload of payloads) await log.append(payload);
    await log.appendBatch(payloads.slice(0, 2));
    const tx = log.begin();
    for (const payload of payloads) tx.append(payload).catch(() => {});
    await tx.commit();
    expect(await texts(log)).toEqual([...payloads, ...payloads.slice(0, 2), ...payloads]);
    await log.close();
  });

  it('refuses to inflate more than is allowed', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, compression: 'auto' });
    await log.append(Buffer.alloc(1_000_000));
    await log.close();
    const again = await openLog(directory, { ...SMALL, maxInflatedBytes: 999_999 });
    await expect(texts(again)).rejects.toMatchObject({ code: 'RINGWAL_TOO_LARGE' });
    await again.close();
  });
});

describe('encryption', () => {
  it('rotates keys: later records have another one, earlier ones keep theirs', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, encryption });
    await log.append('with key 1');
    await log.rotateKey(2);
    await log.append('with key 2');
    await expect(log.rotateKey(3)).rejects.toMatchObject({ code: 'RINGWAL_ENCRYPTION' });
    expect(await texts(log)).toEqual(['with key 1', 'with key 2']);
    const asked: number[] = [];
    const counting = (keyId: number): Promise<Uint8Array> => {
      asked.push(keyId);
      return Promise.resolve(key(keyId));
    };
    const other = await attachLog(log.handle(), { key: counting });
    expect(await other.append('from another ring')).toBe(3);
    expect(await texts(other)).toEqual(['with key 1', 'with key 2', 'from another ring']);
    expect(asked).toEqual([1, 2]);
    await other.close();
    await log.close();
  });

  // The call whose callback answered last won.
  it('has the key of the last call of rotateKey in use, in whatever order the callback answers', async () => {
    const directory = tempDir();
    const slowFor2 = async (keyId: number): Promise<Uint8Array> => {
      if (keyId === 2) await log.append('meanwhile');
      return Buffer.alloc(32, keyId);
    };
    const log = await openLog(directory, { ...SMALL, encryption: { keyId: 1, key: slowFor2 } });
    await Promise.all([log.rotateKey(2), log.rotateKey(3)]);
    await log.append('x'.repeat(500));
    await log.close();
    const file = filesOf(directory);
    const frame = Buffer.alloc(4);
    frame.writeUInt32LE(500 + SEAL_OVERHEAD_BYTES);
    expect(file.readUInt32LE(file.indexOf(frame) + 8)).toBe(3);
  });

  it('rotates on when a rotation before has failed', async () => {
    const log = await openLog(tempDir(), { ...SMALL, encryption });
    const failed = log.rotateKey(3);
    const rotated = log.rotateKey(2);
    await expect(failed).rejects.toMatchObject({ code: 'RINGWAL_ENCRYPTION' });
    await rotated;
    await log.close();
  });

  it('says RINGWAL_DECRYPTION without a key, or with a wrong one; and RINGWAL_ENCRYPTION when it has none to begin with', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, encryption });
    await log.append('x');
    await log.close();
    const blind = await openLog(directory, SMALL);
    await expect(texts(blind)).rejects.toMatchObject({
      code: 'RINGWAL_DECRYPTION',
      details: { lsn: 1, keyId: 1 },
    });
    await blind.close();
    const wrong = await openLog(directory, {
      ...SMALL,
      encryption: { keyId: 1, key: () => randomBytes(32) },
    });
    await expect(texts(wrong)).rejects.toMatchObject({ code: 'RINGWAL_DECRYPTION' });
    await wrong.close();
    for (const bad of [() => new Uint8Array(31), () => Promise.reject(new Error('vault is shut'))]) {
      const opening = openLog(directory, { ...SMALL, encryption: { keyId: 1, key: bad } });
      await expect(opening).rejects.toMatchObject({ code: 'RINGWAL_ENCRYPTION' });
    }
  });
});
