/**
 * claim: which bytes of a submission ring's data area are free; private to the producer, no shared memory.
 *
 * Chunks are claimed and released in the same order, so the used bytes are one run that may wrap once:
 *
 *   |....head=====tail....|   free: behind tail, or from 0 up to head
 *   |====tail....head=====|   free: between tail and head
 *
 * A claim is contiguous. When it does not fit behind the tail it starts over at 0, and the bytes skipped
 * come back with the chunk before them. An empty ring starts over at 0 too, so one claim may be as large as
 * the whole ring.
 */
import { assert } from '../assert.js';

export class ClaimSpace {
  readonly #bytes: number;
  #head = 0;
  #tail = 0;
  /** Bytes between head and tail, skipped ones included; tells an empty ring from a full one. */
  #used = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** Where a claim of `bytes` would start, or -1 when there is no room now. Claims nothing. */
  find(bytes: number): number {
    if (this.#used === 0) return bytes <= this.#bytes ? 0 : -1;
    if (this.#tail > this.#head) {
      if (bytes <= this.#bytes - this.#tail) return this.#tail;
      return bytes <= this.#head ? 0 : -1;
    }
    return bytes <= this.#head - this.#tail ? this.#tail : -1;
  }

  /** Claims `bytes` at `offset`, which `find` gave for at least as many. */
  claim(offset: number, bytes: number): void {
    if (this.#used === 0) {
      this.#head = offset;
    } else if (offset !== this.#tail) {
      assert(offset === 0, 'R8 a claim follows the one before it or starts over at 0');
      this.#used += this.#bytes - this.#tail;
    }
    this.#used += bytes;
    this.#tail = offset + bytes;
    assert(this.#used <= this.#bytes, 'R8 claims never overlap bytes in flight');
  }

  /** Gives the newest `bytes` back: a claim turned out longer than needed. */
  shrink(bytes: number): void {
    this.#tail -= bytes;
    this.#used -= bytes;
  }

  /** Gives back everything up to `end`, the end of the oldest chunk in flight. */
  release(end: number): void {
    this.#used -= end > this.#head ? end - this.#head : this.#bytes - this.#head + end;
    this.#head = end;
    assert(this.#used >= 0, 'R8 only claimed bytes are released');
  }
}
