/** payload: what may be appended, how long it is, and how it gets into a ring. */
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
  const bytes = payload.byteLength;
  if (bytes === 0 && isDetached(payload.buffer)) {
    throw new InvalidArgumentError('The payload is a view of a detached ArrayBuffer; its bytes are gone.');
  }
  return bytes;
}

/** Copies `payload`, which is `bytes` long, into `target` at `offset`. */
export function copyPayload(payload: Payload, bytes: number, target: Buffer, offset: number): void {
  if (typeof payload === 'string') {
    target.write(payload, offset, bytes, 'utf8');
  } else {
    target.set(asBytes(payload), offset);
  }
}

/** The payload's bytes: a string's in UTF-8, a view's as they lie. */
export function bytesOfPayload(payload: Payload): Uint8Array {
  return typeof payload === 'string' ? Buffer.from(payload) : asBytes(payload);
}

/** The view's bytes. Views whose elements are bytes are used as they are: a new view costs as much as the copy. */
function asBytes(view: NodeJS.ArrayBufferView): Uint8Array {
  if ((view as Uint8Array).BYTES_PER_ELEMENT === 1) return view as Uint8Array;
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** `ArrayBuffer.prototype.detached` is not in Node 20; making a view of a detached buffer throws everywhere. */
function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}
