/** encryption: what is sealed opens only unchanged, in its place, with its key; no nonce is used twice. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RecordOpener, RecordSealer, SEAL_OVERHEAD_BYTES } from '../../dist/src/codec/encryption.js';
import type { RecordPlace } from '../../dist/src/format/record-frame.js';
import { openIndependently } from '../support/independent-opener.js';

const logId = Buffer.alloc(16, 'log');
const key = { keyId: 7, key: Buffer.alloc(32, 'k') };

const NONE = new Uint8Array(0);
const at = (lsn: number, type = 1, flags = 2, ids = NONE, span = NONE): RecordPlace => ({
  ...{ lsn, type, flags, ids, span },
});

function sealed(sealer: RecordSealer, plain: Uint8Array, place: RecordPlace): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(plain.length + SEAL_OVERHEAD_BYTES));
  bytes.set(plain, 24);
  sealer.seal(bytes, 0, plain.length, place);
  return bytes.slice();
}

function opener(keys = [key], id: Uint8Array = logId): RecordOpener {
  const made = new RecordOpener(id);
  for (const one of keys) made.addKey(one);
  return made;
}

describe('a sealed record', () => {
  it('opens for a reader written from the format page', () => {
    const sealer = new RecordSealer(logId, key, randomBytes);
    for (const [i, text] of ['', 'a', 'some text', 'x'.repeat(10_000)].entries()) {
      const lsn = 2 ** 40 + i;
      const ids = randomBytes(8 * i);
      const span = randomBytes(32 * (i & 1));
      const place = at(lsn, 5, 10, ids, span);
      const stored = Buffer.from(sealed(sealer, Buffer.from(text), place));
      expect(stored.readUInt32LE(0)).toBe(7);
      expect(stored.readUInt32LE(4)).toBe(i);
      expect(openIndependently(logId, key.key, stored, { ...place, lsn: BigInt(lsn) }).toString()).toBe(text);
      expect(Buffer.from(opener().open(stored, place)).toString()).toBe(text);
    }
  });

  it('does not open with any one bit changed', () => {
    const sealer = new RecordSealer(logId, key, randomBytes);
    const stored = sealed(sealer, Buffer.from('secret'), at(9));
    const reader = opener();
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const changed = stored.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => reader.open(changed, at(9))).toThrow(/LSN 9/);
    }
  });

  it('does not open in another place, type, transaction, log or with another key, and the error tells no secret', () => {
    const sealer = new RecordSealer(logId, key, randomBytes);
    const stored = sealed(sealer, Buffer.from('secret'), at(9));
    expect(() => opener().open(stored, at(10))).toThrow(/the key is wrong, or/);
    expect(() => opener().open(stored, at(9, 5))).toThrow(/the key is wrong, or/);
    expect(() => opener().open(stored, at(9, 1, 3))).toThrow(/the key is wrong, or/);
    expect(() => opener().open(stored, at(9, 1, 2, Buffer.alloc(8)))).toThrow(/the key is wrong, or/);
    expect(() => opener().open(stored, at(9, 1, 2, NONE, Buffer.alloc(32)))).toThrow(/the key is wrong, or/);
    expect(() => opener([key], Buffer.alloc(16, 'other')).open(stored, at(9))).toThrow(
      /the key is wrong, or/,
    );
    expect(() => opener([{ keyId: 7, key: Buffer.alloc(32) }]).open(stored, at(9))).toThrow(
      /the key is wrong/,
    );
    expect(() => opener([{ keyId: 8, key: key.key }]).open(stored, at(9))).toThrow('no key with id 7');
    expect(() => opener().open(stored.subarray(0, 39), at(9))).toThrow('too short');
    try {
      opener().open(stored, at(10));
    } catch (error) {
      expect(error).toMatchObject({ code: 'RINGWAL_DECRYPTION', details: { lsn: 10, keyId: 7 } });
      expect(JSON.stringify(error)).not.toMatch(/secret|kkkk/);
    }
  });

  it('never has the salt and counter of another one, over sessions and rotations', () => {
    const seen = new Set<string>();
    for (let session = 0; session < 20; session++) {
      const sealer = new RecordSealer(logId, key, randomBytes);
      for (let i = 0; i < 100; i++) {
        if (i % 30 === 29) sealer.rotate({ keyId: i, key: randomBytes(32) });
        seen.add(Buffer.from(sealed(sealer, Buffer.alloc(3), at(i)).subarray(4, 24)).toString('hex'));
      }
    }
    expect(seen.size).toBe(2000);
  });

  // The new key's id was stated from then on, with the old key's session: nobody could read that.
  it('opens with the key from before when the change to another one fails', () => {
    let isBroken = false;
    const salts = (bytes: number): Uint8Array => {
      if (isBroken) throw new Error('simulated');
      return randomBytes(bytes);
    };
    const sealer = new RecordSealer(logId, key, salts);
    isBroken = true;
    expect(() => sealer.rotate({ keyId: 8, key: randomBytes(32) })).toThrow('simulated');
    const stored = sealed(sealer, Buffer.from('text'), at(1));
    expect(Buffer.from(opener().open(stored, at(1))).toString()).toBe('text');
  });

  it('leaves the plaintext where it was when it can not be sealed', () => {
    const sealer = new RecordSealer(logId, { keyId: 1, key: randomBytes(32) }, randomBytes);
    const bytes = Buffer.alloc(100, 'p');
    expect(() => sealer.seal(bytes, 90, 50, at(1))).toThrow(/could not be encrypted/);
    expect(bytes.equals(Buffer.alloc(100, 'p'))).toBe(true);
  });
});
