/** payload: what may be appended, how long it is, and how it gets into a ring. */
import { isTypedArray } from 'node:util/types';
import { InvalidArgumentError } from '../errors.js';

/** A record's content: bytes in any view, or a string, which is stored as UTF-8. */
export type Payload = string | NodeJS.ArrayBufferView;

/** Length of a payload in bytes. Throws InvalidArgumentError for anything that is not a payload. */
export function payloadBytes(payload: Payload): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload);
  if (!ArrayBuffer.isView(payload)) {
    throw new InvalidArgumentError(
      `A payload must be a string, Buffer, typed array or DataView, not ${payload === null ? 'null' : typeof payload}.`,
    );
  }
  const bytes = viewBytes(payload);
  if (bytes === undefined) throw memoryIsGone();
  return bytes;
}

/** What is thrown when a payload's memory was taken away: before the append, or while a large record was under way. */
export function memoryIsGone(): InvalidArgumentError {
  return new InvalidArgumentError(
    "The payload's ArrayBuffer is detached, or was resized so that the payload no longer lies in it.",
  );
}

/** V8 keeps the elements of typed arrays up to this length in its heap, and moves them out when it is asked for `buffer`. */
const ON_HEAP_BYTES = 64;

/**
 * Copies `payload`, which had `bytes` bytes when it was measured, into `target` at `offset`: exactly so many, although a
 * view that tracks the length of growable shared memory may have become longer since, by another thread's doing.
 */
export function copyPayload(payload: Payload, bytes: number, target: Buffer, offset: number): void {
  if (typeof payload === 'string') {
    target.write(payload, offset, bytes, 'utf8');
  } else if (bytes <= ON_HEAP_BYTES && (payload as Uint8Array).BYTES_PER_ELEMENT === 1) {
    for (let i = 0; i < bytes; i++) target[offset + i] = (payload as Uint8Array)[i] as number;
  } else {
    target.set(asBytes(payload, bytes), offset);
  }
}

/** The payload's first `bytes` bytes, which are all that it had when it was measured: a string's in UTF-8, a view's as they lie. */
export function bytesOfPayload(payload: Payload, bytes: number): Uint8Array {
  return typeof payload === 'string' ? Buffer.from(payload) : asBytes(payload, bytes);
}

/**
 * The view's bytes. Views whose elements are bytes are used as they are, for a new view costs as much as the copy; unless
 * another thread may make them longer.
 */
function asBytes(view: NodeJS.ArrayBufferView, bytes: number): Uint8Array {
  const mayGrow = (view.buffer as { growable?: boolean }).growable === true;
  if (!mayGrow && (view as Uint8Array).BYTES_PER_ELEMENT === 1) return view as Uint8Array;
  return new Uint8Array(view.buffer, view.byteOffset, bytes);
}

/**
 * Bytes of a view; undefined when its buffer is detached or no longer reaches as far. A DataView then throws when it is
 * asked; a typed array says 0, as an empty one does, but has no iterator.
 */
function viewBytes(view: NodeJS.ArrayBufferView): number | undefined {
  try {
    const bytes = view.byteLength;
    if (bytes === 0 && isTypedArray(view)) keys.call(view as Uint8Array);
    return bytes;
  } catch {
    return undefined;
  }
}

const { keys } = Uint8Array.prototype;
