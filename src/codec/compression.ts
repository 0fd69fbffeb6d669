/**
 * compression: payloads made smaller with node:zlib, where that makes them smaller.
 *
 * Stored form: u8 algorithm (1 zstd, 2 brotli, 3 raw deflate), 3 zero bytes, u32 LE length before, compressed bytes.
 * The length is what a reader allocates, and no more: a small record that inflates without end is refused.
 */
import * as zlib from 'node:zlib';
import {
  CorruptError,
  InvalidArgumentError,
  shown,
  TooLargeError,
  UnsupportedVersionError,
} from '../errors.js';

/** What payloads are compressed with; `zstd` needs Node 22.15 or later. */
export type CompressionAlgorithm = 'zstd' | 'brotli' | 'deflate';

/** What `compression` of `openLog` takes; `auto` is zstd where this Node has it (22.15, 23.8), else deflate. */
export type CompressionOption =
  | 'auto'
  | CompressionAlgorithm
  | {
      /** Its name; `auto`: zstd where Node has it, else deflate. */
      readonly algorithm: 'auto' | CompressionAlgorithm;
      /** The algorithm's own; higher is smaller and slower. Default 3, 4 and 6 for zstd, brotli and deflate. */
      readonly level?: number;
      /** Payloads below it are stored as they are. Default 256. */
      readonly minBytes?: number;
    };

export interface Compression {
  readonly algorithm: CompressionAlgorithm;
  readonly level: number;
  /** Payloads of other lengths are stored as they are. */
  readonly minBytes: number;
  readonly maxBytes: number;
}

/**
 * From this size on a payload is compressed on zlib's thread pool, its append holding its place meanwhile: deflate
 * takes the app's thread about 20 us for each KiB, handing it over and taking it back 40 us.
 */
export const OFF_THREAD_BYTES = 16 * 1024;

/** Compressed bytes are kept when they are at most this part of the payload; less is not worth inflating. */
const WORTH = 0.9;
const ENVELOPE_BYTES = 8;
const LEAST_BYTES = 64;

/** Node's types of version 20 do not have zstd. */
interface Zstd {
  zstdCompressSync?: (bytes: Uint8Array, options?: object) => Buffer;
  zstdCompress?: (bytes: Uint8Array, options: object, done: Done) => void;
  zstdDecompressSync?: (bytes: Uint8Array, options?: object) => Buffer;
  constants: { ZSTD_c_compressionLevel?: number };
}
type Done = (error: Error | null, bytes: Buffer) => void;
const withZstd = zlib as unknown as Zstd;
const hasZstd = withZstd.zstdCompressSync !== undefined;

const IDS: Readonly<Record<CompressionAlgorithm, number>> = { zstd: 1, brotli: 2, deflate: 3 };
const LEVELS: Readonly<Record<CompressionAlgorithm, readonly [least: number, usual: number, most: number]>> =
  {
    zstd: [1, 3, 22],
    brotli: [0, 4, 11],
    deflate: [1, 6, 9],
  };

/**
 * Checks the option and fills in the defaults. `maxBytes` is what its own readers inflate: what they would refuse is not
 * compressed. Throws InvalidArgumentError.
 */
export function resolveCompression(option: CompressionOption, maxBytes = 0xffff_ffff): Compression {
  const given = typeof option === 'string' ? { algorithm: option } : option;
  const wrong = (why: string): InvalidArgumentError =>
    new InvalidArgumentError(`Option "compression" ${why}.`);
  if (typeof given !== 'object' || given === null)
    throw wrong('must be the name of an algorithm or an object');
  for (const key of Object.keys(given)) {
    if (!['algorithm', 'level', 'minBytes'].includes(key)) throw wrong(`has no "${key}"`);
  }
  const { algorithm: name } = given;
  const algorithm = name === 'auto' ? (hasZstd ? 'zstd' : 'deflate') : name;
  // Anything is a property name once it is made a string, and every object has a `constructor`.
  if (typeof algorithm !== 'string' || !Object.hasOwn(LEVELS, algorithm))
    throw wrong('must name "auto", "zstd", "brotli" or "deflate"');
  const levels = LEVELS[algorithm];
  if (algorithm === 'zstd' && !hasZstd)
    throw wrong('asks for zstd, which this version of Node does not have');
  const { level = levels[1], minBytes = 256 } = given as { level?: number; minBytes?: number };
  if (!Number.isInteger(level) || level < levels[0] || level > levels[2])
    throw wrong(`has a level from ${levels[0]} to ${levels[2]} for ${algorithm}, not ${shown(level)}`);
  if (!Number.isSafeInteger(minBytes) || minBytes < LEAST_BYTES)
    throw wrong(`has a "minBytes" of at least ${LEAST_BYTES}, not ${shown(minBytes)}`);
  return { algorithm, level, minBytes, maxBytes };
}

/** The stored form of `payload`; undefined when it is not worth it. Blocks. */
export function compressSync(payload: Uint8Array, { algorithm, level }: Compression): Uint8Array | undefined {
  const options = zlibOptions(algorithm, level);
  const packed =
    algorithm === 'zstd'
      ? withZstd.zstdCompressSync?.(payload, options)
      : algorithm === 'brotli'
        ? zlib.brotliCompressSync(payload, options)
        : zlib.deflateRawSync(payload, options);
  return envelope(payload, packed as Buffer, algorithm);
}

/** The same on zlib's thread pool. `payload` must not change meanwhile. */
export function compress(
  payload: Uint8Array,
  { algorithm, level }: Compression,
): Promise<Uint8Array | undefined> {
  const options = zlibOptions(algorithm, level);
  return new Promise((resolve, reject) => {
    const done: Done = (error, packed) =>
      error ? reject(error) : resolve(envelope(payload, packed, algorithm));
    if (algorithm === 'zstd') withZstd.zstdCompress?.(payload, options, done);
    else if (algorithm === 'brotli') zlib.brotliCompress(payload, options, done);
    else zlib.deflateRaw(payload, options, done);
  });
}

/**
 * The payload of a stored form. Throws CorruptError when it is none, or another than it says; TooLargeError when it says
 * that it is longer than `limitBytes`; UnsupportedVersionError when this Node lacks its algorithm.
 */
export function decompress(stored: Uint8Array, limitBytes: number, lsn: number): Uint8Array<ArrayBuffer> {
  const wrong = (why: string): CorruptError =>
    new CorruptError(`The record with LSN ${lsn} can't be inflated: ${why}.`, { expectedLsn: lsn });
  if (stored.length < ENVELOPE_BYTES || stored[1] !== 0 || stored[2] !== 0 || stored[3] !== 0)
    throw wrong('it has no envelope');
  const length = new DataView(stored.buffer, stored.byteOffset, stored.length).getUint32(4, true);
  if (length > limitBytes) {
    throw new TooLargeError(
      `The record with LSN ${lsn} says that it has ${length} bytes when it is inflated, more than ${limitBytes} (option "maxInflatedBytes"). Raise that, to at most 1 GiB, if you trust who wrote it.`,
    );
  }
  const packed = stored.subarray(ENVELOPE_BYTES);
  const options = { maxOutputLength: Math.max(1, length) };
  let payload: Buffer;
  try {
    if (stored[0] === IDS.brotli) payload = zlib.brotliDecompressSync(packed, options);
    else if (stored[0] === IDS.deflate) payload = zlib.inflateRawSync(packed, options);
    else if (stored[0] !== IDS.zstd) throw new Error(`algorithm ${stored[0]} is unknown`);
    else if (withZstd.zstdDecompressSync) payload = withZstd.zstdDecompressSync(packed, options);
    else throw lacksZstd(lsn);
  } catch (error) {
    if (error instanceof UnsupportedVersionError) throw error;
    throw wrong((error as Error).message);
  }
  if (payload.length !== length) throw wrong(`it has ${payload.length} bytes and says that it has ${length}`);
  return new Uint8Array(payload); // memory of its own, not of Node's pool
}

function lacksZstd(lsn: number): UnsupportedVersionError {
  return new UnsupportedVersionError(
    `The record with LSN ${lsn} is compressed with zstd, which this version of Node does not have. It is not damaged: read it with Node 22.15 or later.`,
  );
}

function zlibOptions(algorithm: CompressionAlgorithm, level: number): object {
  if (algorithm === 'deflate') return { level };
  const parameter =
    algorithm === 'brotli' ? zlib.constants.BROTLI_PARAM_QUALITY : withZstd.constants.ZSTD_c_compressionLevel;
  return { params: { [parameter as number]: level } };
}

function envelope(
  payload: Uint8Array,
  packed: Buffer,
  /** See `CompressionAlgorithm`; `auto`: the best that this Node has. */
  algorithm: CompressionAlgorithm,
): Uint8Array | undefined {
  if (packed.length + ENVELOPE_BYTES > payload.length * WORTH) return undefined;
  const stored = new Uint8Array(ENVELOPE_BYTES + packed.length);
  stored[0] = IDS[algorithm];
  new DataView(stored.buffer).setUint32(4, payload.length, true);
  stored.set(packed, ENVELOPE_BYTES);
  return stored;
}
