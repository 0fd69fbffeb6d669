/**
 * group-sealer: encrypts the records of a chunk where they lie in ring memory, on the I/O worker, who knows their LSNs.
 *
 * Loaded only by logs that encrypt.
 */
import type { ChunkSealer } from '../commit/group-builder.js';
import {
  ENCRYPTED,
  FRAME_HEADER_BYTES,
  frameBytes,
  ID_BYTES,
  idBytes,
  RECORD_LAST,
  RECORD_TXN_ABORT,
  RECORD_TXN_COMMIT,
} from '../format/record-frame.js';
import { type EncryptionKey, RecordSealer, SEAL_OVERHEAD_BYTES } from './encryption.js';
import { EMPTY_SPAN, spanDigest } from './span-digest.js';

export class GroupSealer implements ChunkSealer {
  readonly #sealer: RecordSealer;
  /** Digests of the spans that are open in each ring, by id. */
  readonly #spans = new WeakMap<object, Map<bigint, Uint8Array>>();

  constructor(logId: Uint8Array, key: EncryptionKey, randomBytes: (bytes: number) => Uint8Array) {
    this.#sealer = new RecordSealer(logId, key, randomBytes);
  }

  rotate(key: EncryptionKey): void {
    this.#sealer.rotate(key);
  }

  seal(frames: Uint8Array, firstLsn: number, ring: object, hasOpenSpans: boolean): void {
    const spans = this.#spans.get(ring) ?? new Map<bigint, Uint8Array>();
    const view = new DataView(frames.buffer, frames.byteOffset, frames.byteLength);
    let lsn = firstLsn;
    for (let at = 0; at < frames.length; lsn++) {
      const length = view.getUint32(at, true);
      const type = view.getUint8(at + 4);
      const flags = view.getUint8(at + 5);
      if ((flags & ENCRYPTED) !== 0) {
        const content = at + FRAME_HEADER_BYTES;
        const payload = content + idBytes(type, flags);
        const end = content + length;
        const ids: bigint[] = [];
        for (let id = content; id < payload; id += ID_BYTES) ids.push(view.getBigUint64(id, true));
        // Of a LAST the large record's id is the last one, of a COMMIT the only one.
        const ended = type === RECORD_LAST || type === RECORD_TXN_COMMIT ? ids.at(-1) : undefined;
        const span = (ended !== undefined && spans.get(ended)) || EMPTY_SPAN;
        const place = { lsn, type, flags, ids: frames.subarray(content, payload), span };
        this.#sealer.seal(frames, payload, end - payload - SEAL_OVERHEAD_BYTES, place);
        for (const id of ids) {
          if (id === ended || type === RECORD_TXN_ABORT) spans.delete(id);
          else spans.set(id, spanDigest(spans.get(id) ?? EMPTY_SPAN, frames.subarray(payload, end)));
        }
      }
      at += frameBytes(length, flags);
    }
    // What was given up has no end, and is forgotten once nothing is open.
    if (hasOpenSpans) this.#spans.set(ring, spans);
    else this.#spans.delete(ring);
  }
}
