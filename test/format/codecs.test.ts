/** codecs: what is encoded is decoded as it was, and what was never encoded is never taken for valid. */
import { crc32 } from 'node:zlib';
import CRC32 from 'crc-32';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksum } from '../../dist/src/format/checksum.js';
import {
  decodeLink,
  decodeMark,
  decodeSeal,
  encodeLink,
  encodeMark,
  encodeSeal,
  MAX_INDEX_ENTRIES,
  MAX_SEAL_BODY_BYTES,
} from '../../dist/src/format/group-body.js';
import {
  decodeGroupHeader,
  encodeGroupHeader,
  type SaltKey,
  saltKey,
} from '../../dist/src/format/group-header.js';
import { frameBytes } from '../../dist/src/format/record-frame.js';
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  isPreparedName,
  parseSegmentName,
  preparedName,
  segmentName,
} from '../../dist/src/format/segment-header.js';
import { testSeed } from '../support/prng.js';

fc.configureGlobal({ seed: testSeed(1) });

const u32 = fc.nat({ max: 0xffff_ffff });
const lsn = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const salt = fc.uint8Array({ minLength: 16, maxLength: 16 });
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

const groupHeader = fc.record({
  flags: fc.nat({ max: 255 }),
  type: fc.integer({ min: 1, max: 4 }),
  firstLsn: lsn,
  durableLsn: lsn,
  timestampUs: lsn,
  records: u32,
  bodyBytes: u32,
  previousChecksum: u32,
  bodyChecksum: u32,
  durableEnd: u32,
  headerChecksum: fc.constant(0),
});

describe('the checksum', () => {
  it('is the same whichever implementation computes it, on both sides of the size where they change', () => {
    const some = fc.uint8Array({ minLength: 0, maxLength: 600 });
    fc.assert(
      fc.property(some, u32, (bytes, seed) => {
        expect(checksum(bytes, seed)).toBe(crc32(bytes, seed));
        expect(CRC32.buf(bytes, seed) >>> 0).toBe(crc32(bytes, seed));
      }),
    );
    for (let length = 250; length < 262; length++) {
      const bytes = new Uint8Array(length).fill(length);
      expect(checksum(bytes, 7)).toBe(crc32(bytes, 7));
    }
  });

  it('is the same over shared memory, at any offset, and in any number of parts', () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 });
    fc.assert(
      fc.property(parts, fc.nat({ max: 17 }), u32, (list, offset, seed) => {
        const whole = Buffer.concat(list);
        const shared = new Uint8Array(new SharedArrayBuffer(whole.length + offset), offset);
        shared.set(whole);
        expect(checksum(shared, seed)).toBe(crc32(whole, seed));
        expect(list.reduce((sum, part) => checksum(part, sum), seed)).toBe(crc32(whole, seed));
      }),
    );
  });
});

describe('a group header', () => {
  it('comes back as it was, from any offset', () => {
    fc.assert(
      fc.property(groupHeader, salt, fc.nat({ max: 64 }), (header, bytesOfSalt, offset) => {
        const bytes = new Uint8Array(offset + 64);
        const view = new DataView(bytes.buffer);
        const key = saltKey(bytesOfSalt);
        encodeGroupHeader(header, key, bytes, view, offset);
        expect(decodeGroupHeader(bytes, view, offset, key)).toEqual(header);
      }),
    );
  });

  it('does not verify under another salt, nor with any one bit changed', () => {
    fc.assert(
      fc.property(groupHeader, salt, salt, (header, own, other) => {
        const bytes = new Uint8Array(64);
        const view = new DataView(bytes.buffer);
        encodeGroupHeader(header, saltKey(own), bytes, view, 0);
        fc.pre(Buffer.compare(own, other) !== 0);
        expect(decodeGroupHeader(bytes, view, 0, saltKey(other))).toBeUndefined();
        for (let bit = 0; bit < 64 * 8; bit++) {
          bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          expect(decodeGroupHeader(bytes, view, 0, saltKey(own))).toBeUndefined();
          bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('is found by its magic and by the beginning of the salt, not by its checksum alone', () => {
    const own = saltKey(Uint8Array.from({ length: 16 }, (_, i) => i + 1));
    const written = (key: SaltKey, isMagic = true): DataView => {
      const bytes = new Uint8Array(64);
      const view = new DataView(bytes.buffer);
      const [header] = fc.sample(groupHeader, 1);
      if (header === undefined) throw new Error('a sample of one is one');
      encodeGroupHeader(header, key, bytes, view, 0);
      if (!isMagic) view.setUint8(0, 0x53);
      view.setUint32(60, checksum(bytes.subarray(0, 60), key.seed), true);
      return view;
    };
    const found = (view: DataView) => decodeGroupHeader(new Uint8Array(view.buffer), view, 0, own);
    expect(found(written(own))).toBeDefined();
    expect(found(written(own, false))).toBeUndefined();
    expect(found(written({ ...own, prefixLow: own.prefixLow ^ 1 }))).toBeUndefined();
    expect(found(written({ ...own, prefixHigh: own.prefixHigh ^ 1 }))).toBeUndefined();
  });

  it('is never found in zeros, whatever the salt, nor in random bytes', () => {
    const zeros = new Uint8Array(64);
    fc.assert(
      fc.property(salt, fc.uint8Array({ minLength: 64, maxLength: 64 }), (bytesOfSalt, random) => {
        const key = saltKey(bytesOfSalt);
        expect(decodeGroupHeader(zeros, new DataView(zeros.buffer), 0, key)).toBeUndefined();
        expect(decodeGroupHeader(random, new DataView(random.buffer), 0, key)).toBeUndefined();
      }),
    );
  });
});

describe('the bodies of groups without records', () => {
  it('come back as they were', () => {
    const link = fc
      .record({
        predecessorSalt: salt,
        predecessorNumber: lsn.filter((number) => number > 0),
        predecessorLastLsn: lsn,
        predecessorEnd: u32,
        predecessorSealOffset: u32,
        truncatedBefore: lsn,
        openLsn: lsn,
        checkpointLsn: lsn,
      })
      .filter(({ predecessorSalt }) => !isZero(predecessorSalt));
    fc.assert(
      fc.property(link, (body) => {
        expect(decodeLink(encodeLink(body))).toEqual(body);
      }),
    );
    const first = {
      predecessorSalt: undefined,
      predecessorNumber: 0,
      predecessorLastLsn: 0,
      predecessorEnd: 0,
      predecessorSealOffset: 0,
      truncatedBefore: 9,
      openLsn: 0,
      checkpointLsn: 0,
    };
    expect(decodeLink(encodeLink(first))).toEqual(first);
    const entry = fc.record({ firstLsn: lsn, offset: u32, openBack: u32 });
    const seal = fc.record({
      successorSalt: salt,
      successorNumber: lsn,
      index: fc.array(entry, { maxLength: 256 }),
    });
    fc.assert(
      fc.property(seal, (body) => {
        expect(decodeSeal(encodeSeal(body))).toEqual(body);
      }),
    );
    const mark = fc.record({ truncatedBefore: lsn, clean: fc.boolean() });
    fc.assert(
      fc.property(mark, (body) => {
        expect(decodeMark(encodeMark(body))).toEqual(body);
      }),
    );
  });

  it('are refused when they hold a number that no log comes to', () => {
    const forged = (bytes: Uint8Array, at: number): Uint8Array => {
      new DataView(bytes.buffer).setBigUint64(at, 2n ** 53n, true);
      return bytes;
    };
    const link = {
      predecessorSalt: new Uint8Array(16).fill(1),
      predecessorNumber: 1,
      predecessorLastLsn: 2,
      predecessorEnd: 4300,
      predecessorSealOffset: 4200,
      truncatedBefore: 3,
      openLsn: 4,
      checkpointLsn: 5,
    };
    for (const at of [16, 24, 40, 48, 56]) expect(decodeLink(forged(encodeLink(link), at))).toBeUndefined();
    const index = [1, 2, 3].map((n) => ({ firstLsn: n, offset: 4096 * n, openBack: 0 }));
    const seal = { successorSalt: new Uint8Array(16), successorNumber: 2, index };
    for (const at of [16, 32, 48, 64]) expect(decodeSeal(forged(encodeSeal(seal), at))).toBeUndefined();
    expect(decodeMark(forged(encodeMark({ truncatedBefore: 1, clean: true }), 0))).toBeUndefined();
  });

  it('have room for an index entry about every 256 KiB of a 64 MiB segment', () => {
    expect(MAX_INDEX_ENTRIES).toBe(256);
    const index = Array.from({ length: MAX_INDEX_ENTRIES }, () => ({ firstLsn: 1, offset: 1, openBack: 1 }));
    const seal = { successorSalt: new Uint8Array(16), successorNumber: 2, index };
    expect(encodeSeal(seal).length).toBe(MAX_SEAL_BODY_BYTES);
  });

  it('are refused when their length is not theirs', () => {
    expect(decodeLink(new Uint8Array(63))).toBeUndefined();
    expect(decodeMark(new Uint8Array(15))).toBeUndefined();
    expect(decodeSeal(new Uint8Array(31))).toBeUndefined();
    const sealed = encodeSeal({ successorSalt: new Uint8Array(16), successorNumber: 2, index: [] });
    const longer = new Uint8Array(sealed.length + 16);
    longer.set(sealed);
    expect(decodeSeal(longer)).toBeUndefined();
    new DataView(longer.buffer).setUint32(24, 0xffff_ffff, true); // a length bomb
    expect(decodeSeal(longer)).toBeUndefined();
  });
});

describe('a segment header', () => {
  const header = fc.record({
    logId: salt,
    salt,
    number: lsn,
    epoch: u32,
    segmentBytes: fc.nat({ max: 0xffff_f000 }),
    createdUs: lsn,
    cutFrom: lsn,
  });

  it('comes back as it was, and is invalid when it is cut or zeros', () => {
    fc.assert(
      fc.property(header, (fields) => {
        const bytes = encodeSegmentHeader(fields);
        expect(bytes.length).toBe(4096);
        expect(decodeSegmentHeader(bytes)).toEqual({ state: 'valid', header: fields });
        expect(decodeSegmentHeader(bytes.subarray(0, 4095))).toEqual({ state: 'invalid' });
      }),
      { numRuns: 30 },
    );
    expect(decodeSegmentHeader(new Uint8Array(4096))).toEqual({ state: 'invalid' });
  });

  it('is invalid when its magic, block size or segment size is not one of ours, though its checksum verifies', () => {
    const fields = { logId: new Uint8Array(16).fill(1), salt: new Uint8Array(16).fill(2) };
    const numbers = { number: 3, epoch: 4, segmentBytes: 65_536, createdUs: 5, cutFrom: 6 };
    const forged = (change: (view: DataView) => void) => {
      const bytes = encodeSegmentHeader({ ...fields, ...numbers });
      const view = new DataView(bytes.buffer);
      change(view);
      view.setUint32(4092, checksum(bytes.subarray(0, 4092), 0), true);
      return decodeSegmentHeader(bytes);
    };
    expect(forged(() => {}).state).toBe('valid');
    expect(forged((view) => view.setUint8(7, 0x1b))).toEqual({ state: 'invalid' });
    expect(forged((view) => view.setUint32(12, 8192, true))).toEqual({ state: 'invalid' });
    // Offsets are 32 bits wide: the last block that they reach is the last one a segment may have.
    expect(forged((view) => view.setBigUint64(64, 0xffff_f000n, true)).state).toBe('valid');
    expect(forged((view) => view.setBigUint64(64, 0xffff_f001n, true))).toEqual({ state: 'invalid' });
    expect(forged((view) => view.setBigUint64(64, 2n ** 32n, true))).toEqual({ state: 'invalid' });
    expect(forged((view) => view.setUint32(8, 7, true))).toEqual({ state: 'unsupported', version: 7 });
  });

  it('with any one byte changed is invalid, or of another version when it is a byte of the version', () => {
    const fields = { logId: new Uint8Array(16).fill(1), salt: new Uint8Array(16).fill(2) };
    const numbers = { number: 3, epoch: 4, segmentBytes: 65_536, createdUs: 5, cutFrom: 6 };
    const bytes = encodeSegmentHeader({ ...fields, ...numbers });
    for (let at = 0; at < bytes.length; at++) {
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      const { state } = decodeSegmentHeader(bytes);
      expect(state, `byte ${at}`).toBe(at >= 8 && at < 12 ? 'unsupported' : 'invalid');
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    }
  });
});

describe('names and sizes', () => {
  it('of segments come back as numbers; all other names are none', () => {
    const number = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(parseSegmentName(segmentName(a))).toBe(a);
        expect(parseSegmentName(preparedName(a))).toBeUndefined();
        expect(isPreparedName(preparedName(a)) && !isPreparedName(segmentName(a))).toBe(true);
        expect(segmentName(a) < segmentName(b)).toBe(a < b);
      }),
    );
    const others = ['', '1.wal', '00000000000000000000.wal', '99999999999999999999.wal', 'lock-1.sock'];
    for (const name of [...others, '00000000000000000001.wal.bak', '0000000000000000000x.wal']) {
      expect(parseSegmentName(name), name).toBeUndefined();
    }
    expect(parseSegmentName(`x${segmentName(1)}`)).toBeUndefined();
    for (const name of [
      '1.new',
      'x.new',
      `x${preparedName(1)}`,
      `${preparedName(1)}x`,
      `${'x'.repeat(20)}.new`,
    ])
      expect(isPreparedName(name), name).toBe(false);
  });

  it('of frames are multiples of 8 that hold header and payload, and waste less than 8 bytes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 30 - 16 }), (bytes) => {
        const frame = frameBytes(bytes);
        expect(frame % 8).toBe(0);
        expect(frame - 8 - bytes).toBeGreaterThanOrEqual(0);
        expect(frame - 8 - bytes).toBeLessThan(8);
      }),
    );
  });
});
