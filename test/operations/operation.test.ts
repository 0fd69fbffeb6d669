/** operation: the encoding of puts and deletes: byte for byte as documented, and nothing else is taken for one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Bytes, decodeOperation, WriteBatch } from '../../dist/src/operations/index.js';
import { must } from '../support/must.js';
import { Prng, testSeed } from '../support/prng.js';

const put = (key: Bytes, value: Bytes) => must(new WriteBatch().put(key, value).encode()[0]);
const del = (key: Bytes) => must(new WriteBatch().delete(key).encode()[0]);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const asBytes = (bytes: Bytes) => new Uint8Array(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
const INVALID = expect.objectContaining({ code: 'RINGWAL_INVALID_ARGUMENT' });

describe('encoding', () => {
  it('is the documented one, byte for byte', () => {
    expect(hex(put('key', 'value'))).toBe(`01000000${'03000000'}${'6b6579'}${'76616c7565'}`);
    expect(hex(del('key'))).toBe(`02000000${'03000000'}${'6b6579'}`);
    expect(hex(put('', ''))).toBe('0100000000000000');
    expect(hex(del(new Uint8Array(258)))).toBe(`0200000002010000${'00'.repeat(258)}`);
  });

  it('gives back what was put in, for any bytes and strings', () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 80 }));
    fc.assert(
      fc.property(bytes, fc.option(bytes, { nil: undefined }), (key, value) => {
        const decoded = decodeOperation(value === undefined ? del(key) : put(key, value));
        expect(decoded.kind).toBe(value === undefined ? 'delete' : 'put');
        expect(hex(decoded.key)).toBe(hex(asBytes(key)));
        if (decoded.kind === 'put') expect(hex(decoded.value)).toBe(hex(asBytes(value ?? '')));
      }),
      { seed: testSeed(1) },
    );
  });

  // What the class claimed beyond its bytes was memory that others had used before.
  it.each([
    4000,
    3,
    0,
    Number.NaN,
  ])('goes by the bytes that there are, not by a length of %d that a class claims', (claimed) => {
    class Claiming extends Uint8Array {
      override get length(): number {
        return claimed;
      }
      override get byteLength(): number {
        return claimed;
      }
      override subarray(): never {
        throw new Error('not to be called');
      }
    }
    for (const bytes of [4, 100]) {
      const liar = new Claiming(new ArrayBuffer(bytes)).fill(7);
      const real = new Uint8Array(bytes).fill(7);
      expect(hex(put(liar, liar))).toBe(hex(put(real, real)));
    }
  });

  it('gives views of the payload, wherever it lies in its buffer', () => {
    const payload = put('key', 'value');
    const roomy = new Uint8Array(payload.length + 20).fill(0xff);
    roomy.set(payload, 7);
    const decoded = decodeOperation(roomy.subarray(7, 7 + payload.length));
    expect(decoded.key.buffer).toBe(roomy.buffer);
    expect(decoded.key.byteOffset).toBe(7 + 8);
    expect(decoded).toMatchObject({ kind: 'put', value: asBytes('value') });
  });
});

describe('decoding', () => {
  it.each([
    ['nothing', ''],
    ['half a header', '01000000000000'],
    ['kind 0', '0000000000000000'],
    ['kind 3', '0300000000000000'],
    ['another version', '0101000000000000'],
    ['a reserved byte', '0100010000000000'],
    ['the other reserved byte', '0200000100000000'],
    ['a key longer than the payload', '01000000020000006b'],
    ['a key of 4 GiB', '02000000ffffffff6b'],
    ['a delete with a value', '02000000010000006b76'],
    ['text', Buffer.from('paid: order 17').toString('hex')],
  ])('refuses %s with RINGWAL_INVALID_ARGUMENT', (_, bytes) => {
    expect(() => decodeOperation(Buffer.from(bytes, 'hex'))).toThrow(INVALID);
  });

  it('refuses what is no Uint8Array', () => {
    for (const none of [
      undefined,
      null,
      'text',
      new ArrayBuffer(8),
      new DataView(new ArrayBuffer(8)),
      [1, 2],
    ]) {
      expect(() => decodeOperation(none as never)).toThrow(INVALID);
    }
  });

  it('takes any bytes as exactly what they encode to, or refuses them', () => {
    const seed = testSeed(2);
    const prng = new Prng(seed);
    let taken = 0;
    for (let i = 0; i < 5000; i++) {
      const value = prng.chance(0.5) ? prng.bytes(prng.below(6)) : undefined;
      const key = prng.bytes(prng.below(6));
      const whole = value === undefined ? del(key) : put(key, value);
      const payload = new Uint8Array(
        whole.subarray(0, prng.chance(0.3) ? prng.below(whole.length) : whole.length),
      );
      if (payload.length > 0 && prng.chance(0.7)) payload[prng.below(payload.length)] = prng.below(6);
      try {
        const decoded = decodeOperation(payload);
        const again = decoded.kind === 'put' ? put(decoded.key, decoded.value) : del(decoded.key);
        expect(hex(again), `seed ${seed}, round ${i}`).toBe(hex(payload));
        taken++;
      } catch (error) {
        expect(error, `seed ${seed}, round ${i}`).toEqual(INVALID);
      }
    }
    expect(taken).toBeGreaterThan(500);
  });
});
