/** compression: payloads come back as they were, only where it shrinks them, and no small record inflates without end. */
import { randomBytes } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compress, compressSync, decompress, resolveCompression } from '../../dist/src/codec/compression.js';
import { encodeSync } from '../../dist/src/codec/encoder.js';
import { recordChecksum } from '../../dist/src/format/checksum.js';
import { HAS_CHECKSUM, RECORD_FULL } from '../../dist/src/format/record-frame.js';

const hasZstd = 'zstdCompressSync' in zlib;
const algorithms = (['brotli', 'deflate', ...(hasZstd ? ['zstd'] : [])] as const).map(
  (name) => [name] as const,
);
const text = Buffer.from('what goes in comes out again. '.repeat(400));

describe.each(algorithms)('%s', (algorithm) => {
  const compression = resolveCompression({ algorithm: algorithm as 'deflate', minBytes: 64 });

  it('gives the payload back, from either way to compress it', async () => {
    for (const stored of [compressSync(text, compression), await compress(text, compression)]) {
      expect(stored?.length).toBeLessThan(text.length / 4);
      expect(Buffer.compare(decompress(stored as Uint8Array, text.length, 1), text)).toBe(0);
    }
  });

  it('is left out where it does not make the payload smaller', async () => {
    const random = randomBytes(5000);
    expect(compressSync(random, compression)).toBeUndefined();
    expect(await compress(random, compression)).toBeUndefined();
  });

  it('never inflates beyond the limit, nor beyond the length that is stated', () => {
    const bomb = compressSync(Buffer.alloc(50_000_000), compression) as Uint8Array;
    expect(bomb.length).toBeLessThan(100_000);
    expect(() => decompress(bomb, 49_999_999, 7)).toThrow('maxInflatedBytes');
    const liar = bomb.slice();
    new DataView(liar.buffer).setUint32(4, 1000, true);
    expect(() => decompress(liar, 2 ** 30, 7)).toThrow(/LSN 7/);
    const boaster = compressSync(text, compression)?.slice() as Uint8Array;
    new DataView(boaster.buffer).setUint32(4, text.length + 1, true);
    expect(() => decompress(boaster, 2 ** 30, 7)).toThrow(/LSN 7/);
  });

  it('refuses what is no stored form', () => {
    const stored = compressSync(text, compression) as Uint8Array;
    for (let cut = 0; cut < stored.length; cut += 7)
      expect(() => decompress(stored.subarray(0, cut), 2 ** 30, 1)).toThrow(/LSN 1/);
    for (const at of [0, 1, 2, 3]) {
      const wrong = stored.slice();
      wrong[at] = 77;
      expect(() => decompress(wrong, 2 ** 30, 1)).toThrow(/LSN 1/);
    }
  });
});

// These passed for the names that they become as strings, and what was written with them could not be read.
it.each<[string, unknown]>([
  ['an array', ['deflate']],
  ['a String object', new String('deflate')],
  ['a name of every object', 'constructor'],
  ['the name of the prototype', '__proto__'],
])('takes no algorithm but by its name: not %s', (_, algorithm) => {
  for (const level of [undefined, 3])
    expect(() => resolveCompression({ algorithm, level } as never)).toThrow(/must name/);
});

it('checks its option', () => {
  expect(resolveCompression('auto').algorithm).toBe(hasZstd ? 'zstd' : 'deflate');
  const wrong = [
    'gzip',
    {},
    null,
    5,
    { algorithm: 'deflate', level: 10 },
    { algorithm: 'deflate', minBytes: 1 },
  ];
  if (!hasZstd) wrong.push('zstd');
  for (const option of [...wrong, { algorithm: 'brotli', speed: 1 }]) {
    expect(() => resolveCompression(option as never), JSON.stringify(option)).toThrow(/"compression"/);
  }
});

it('the checksum is of the bytes that were compressed, when another thread writes to them meanwhile', () => {
  const shared = new Uint8Array(new SharedArrayBuffer(text.length));
  shared.set(text);
  const { deflateRawSync } = zlib;
  zlib.deflateRawSync = (payload, options) => {
    const packed = deflateRawSync(payload, options);
    shared.fill(0); // what the other thread does right behind it
    return packed;
  };
  syncBuiltinESMExports();
  try {
    const compression = resolveCompression('deflate');
    const { payload, checksum } = encodeSync(
      { type: RECORD_FULL, flags: HAS_CHECKSUM, payload: shared },
      compression,
    );
    expect(Buffer.compare(decompress(payload, text.length, 1), text)).toBe(0);
    expect(checksum).toBe(recordChecksum(text));
  } finally {
    zlib.deflateRawSync = deflateRawSync;
    syncBuiltinESMExports();
  }
});

// It was told as damage, by which a log is given up that another version of Node reads.
it.skipIf(hasZstd)('what this Node lacks is not called damage', () => {
  const stored = Uint8Array.of(1, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3);
  expect(() => decompress(stored, 100, 7)).toThrow(
    expect.objectContaining({
      code: 'RINGWAL_UNSUPPORTED_VERSION',
      message: expect.stringContaining('LSN 7'),
    }),
  );
});
