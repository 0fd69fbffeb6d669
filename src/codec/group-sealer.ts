/**
 * group-sealer: encrypts the records of a chunk where they lie in ring memory, on the I/O worker, who knows their LSNs.
 *
 * Loaded only by logs that encrypt.
 */
import type { ChunkSealer } from '../commit/group-builder.js';
import { ENCRYPTED, FRAME_HEADER_BYTES, frameBytes, idBytes } from '../format/record-frame.js';
import { type EncryptionKey, RecordSealer, SEAL_OVERHEAD_BYTES } from './encryption.js';

export class GroupSealer implements ChunkSealer {
  readonly #sealer: RecordSealer;

  constructor(logId: Uint8Array, key: EncryptionKey, randomBytes: (bytes: number) => Uint8Array) {
    this.#sealer = new RecordSealer(logId, key, randomBytes);
  }

  rotate(key: EncryptionKey): void {
    this.#sealer.rotate(key);
  }

  seal(frames: Uint8Array, firstLsn: number): void {
    const view = new DataView(frames.buffer, frames.byteOffset, frames.byteLength);
    let lsn = firstLsn;
    for (let at = 0; at < frames.length; lsn++) {
      const length = view.getUint32(at, true);
      const type = view.getUint8(at + 4);
      const flags = view.getUint8(at + 5);
      if ((flags & ENCRYPTED) !== 0) {
        const content = at + FRAME_HEADER_BYTES;
        const payload = content + idBytes(type, flags);
        const bytes = length - (payload - content) - SEAL_OVERHEAD_BYTES;
        this.#sealer.seal(frames, payload, bytes, {
          lsn,
          type,
          flags,
          ids: frames.subarray(content, payload),
        });
      }
      at += frameBytes(length, flags);
    }
  }
}
