/**
 * operation: the bytes of one put or delete, as the payload of one log record.
 *
 *   0      1         2          4           8      8 + key length
 *   | kind | version | reserved | key length | key  | value, to the payload's end |
 *     u8     u8 = 0    u16 = 0    u32 LE
 *
 * kind: 1 is a put, 2 a delete. A put's value is everything behind the key and may be empty; a delete has no
 * value, so its key ends where the payload ends. Keys may be empty. Nothing is padded, and the payload's length
 * is the record's: it is not repeated here. Integers are little-endian. There is no checksum: the log has one.
 * A reader refuses other kinds, another version, and reserved bytes that are not 0.
 */
import { InvalidArgumentError, TooLargeError } from '../errors.js';

/** A key or a value: bytes (Buffers too), or a string, which is stored as UTF-8. */
export type Bytes = string | Uint8Array;

/** One operation, as `decodeOperation` gives it back. */
export type Operation = PutOperation | DeleteOperation;

/** A put, as `decodeOperation` gives it back. */
export interface PutOperation {
  /** Tells it from a delete. */
  readonly kind: 'put';
  /** May be empty. */
  readonly key: Uint8Array;
  /** May be empty. */
  readonly value: Uint8Array;
}

/** A delete, as `decodeOperation` gives it back. */
export interface DeleteOperation {
  /** Tells it from a put. */
  readonly kind: 'delete';
  /** May be empty. */
  readonly key: Uint8Array;
}

const PUT = 1;
const DELETE = 2;
const HEADER_BYTES = 8;

/** No log takes a longer payload: a group is at most half of the largest ring, 1 GiB, and a frame has 8 bytes. */
const MAX_OPERATION_BYTES = 512 * 1024 * 1024 - 8;

/**
 * The payload of a put, or of a delete when `value` is undefined: a copy, nobody else's memory.
 * Throws InvalidArgumentError and TooLargeError.
 */
export function encodeOperation(key: Bytes, value: Bytes | undefined): Uint8Array {
  const keyBytes = lengthOf('key', key);
  const valueBytes = value === undefined ? 0 : lengthOf('value', value);
  const bytes = HEADER_BYTES + keyBytes + valueBytes;
  if (bytes > MAX_OPERATION_BYTES) {
    throw new TooLargeError(
      `The operation takes ${bytes} bytes; no log takes more than ${MAX_OPERATION_BYTES}.`,
    );
  }
  const payload = Buffer.allocUnsafe(bytes); // every byte is written below
  payload.writeUInt32LE(value === undefined ? DELETE : PUT, 0); // version and reserved bytes with it
  payload.writeUInt32LE(keyBytes, 4);
  copy(key, keyBytes, payload, HEADER_BYTES);
  if (value !== undefined) copy(value, valueBytes, payload, HEADER_BYTES + keyBytes);
  return payload;
}

/**
 * Takes a record's payload apart. Key and value are views of it, not copies: they live as long as it does and
 * change when it does. (A payload from `log.read` is the caller's own, so keeping the views is fine.)
 *
 * Throws InvalidArgumentError when the payload is no operation. Not CorruptError: a payload that the log gives
 * back has been verified, so what is wrong with it is that it never was an operation.
 */
export function decodeOperation(payload: Uint8Array): Operation {
  if (!(payload instanceof Uint8Array)) throw notAnOperation('it is no Uint8Array');
  const { byteLength } = payload;
  if (byteLength < HEADER_BYTES) throw notAnOperation(`${byteLength} bytes are less than its header`);
  const header = new DataView(payload.buffer, payload.byteOffset, HEADER_BYTES);
  const kind = header.getUint8(0);
  if (kind !== PUT && kind !== DELETE) throw notAnOperation(`kind ${kind} is neither put nor delete`);
  if (header.getUint8(1) !== 0) throw notAnOperation(`version ${header.getUint8(1)} is not known, only 0`);
  if (header.getUint16(2, true) !== 0) throw notAnOperation('its reserved bytes are not 0');
  const keyBytes = header.getUint32(4, true);
  const keyEnd = HEADER_BYTES + keyBytes;
  if (keyEnd > byteLength)
    throw notAnOperation(`a key of ${keyBytes} bytes ends behind its ${byteLength} bytes`);
  const key = payload.subarray(HEADER_BYTES, keyEnd);
  if (kind === PUT) return { kind: 'put', key, value: payload.subarray(keyEnd) };
  if (keyEnd < byteLength) throw notAnOperation(`a delete has ${byteLength - keyEnd} bytes behind its key`);
  return { kind: 'delete', key };
}

function lengthOf(what: 'key' | 'value', bytes: Bytes): number {
  if (typeof bytes === 'string') return Buffer.byteLength(bytes);
  if (!(bytes instanceof Uint8Array)) {
    throw new InvalidArgumentError(
      `A ${what} must be a string or a Uint8Array, not ${bytes === null ? 'null' : typeof bytes}.`,
    );
  }
  const length = ofView.length.call(bytes);
  if (length === 0 && isGone(bytes)) {
    throw new InvalidArgumentError(
      `The ${what}'s ArrayBuffer is detached, or was resized so that the ${what} no longer lies in it.`,
    );
  }
  return length;
}

/**
 * What a view has, whatever it says: a subclass may have a `length` of its own, and what it has less than that would
 * be left in the payload as memory that was used for something else.
 */
interface ViewGetters {
  readonly buffer: (this: Uint8Array) => ArrayBuffer;
  readonly byteOffset: (this: Uint8Array) => number;
  readonly length: (this: Uint8Array) => number;
}

function getter(name: keyof ViewGetters) {
  return Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), name)?.get;
}

const ofView = {
  buffer: getter('buffer'),
  byteOffset: getter('byteOffset'),
  length: getter('length'),
} as ViewGetters;

/** V8 keeps the elements of typed arrays up to this length in its heap; a second view of them costs more than a loop. */
const ON_HEAP_BYTES = 64;

/** Copies exactly the `length` bytes that were counted: a view of growable shared memory may have more by now. */
function copy(bytes: Bytes, length: number, target: Buffer, offset: number): void {
  if (typeof bytes === 'string') target.write(bytes, offset, length, 'utf8');
  else if (length > ON_HEAP_BYTES)
    target.set(new Uint8Array(ofView.buffer.call(bytes), ofView.byteOffset.call(bytes), length), offset);
  else for (let i = 0; i < length; i++) target[offset + i] = bytes[i] as number;
}

/** A typed array whose memory is gone has no iterator, where an empty one has. */
function isGone(bytes: Uint8Array): boolean {
  try {
    Uint8Array.prototype.keys.call(bytes);
    return false;
  } catch {
    return true;
  }
}

function notAnOperation(why: string): InvalidArgumentError {
  return new InvalidArgumentError(`The payload is no put or delete of ringwal/operations: ${why}.`);
}
