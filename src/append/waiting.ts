/**
 * waiting: the appends for which the ring has no room yet: first come, first served, bounded in bytes.
 *
 * The bytes are copied on entry, so the caller may reuse its buffer in every case. An AbortSignal ends the
 * wait; once an append is in the ring it can no longer be taken back.
 */
import type { Reject, Resolve } from './pending.js';

/** One append, batch or barrier (no payloads) that waits. */
export interface WaitingAppend {
  readonly payloads: readonly Uint8Array[];
  /** Bytes that its frames will take in the ring. */
  readonly bytes: number;
  readonly resolve: Resolve;
  readonly reject: Reject;
  readonly signal: AbortSignal | undefined;
}

export class WaitingAppends {
  /** Insertion order is the order of admission; a Map also lets an aborted one leave from the middle. */
  readonly #queue = new Map<WaitingAppend, (() => void) | undefined>();
  #bytes = 0;

  get length(): number {
    return this.#queue.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(append: WaitingAppend): void {
    const { signal } = append;
    const onAbort =
      signal &&
      ((): void => {
        this.#remove(append);
        append.reject(signal.reason);
      });
    if (onAbort) signal.addEventListener('abort', onAbort, { once: true });
    this.#queue.set(append, onAbort);
    this.#bytes += append.bytes;
  }

  /** Takes the oldest as long as `admit` accepts it. */
  admit(admit: (append: WaitingAppend) => boolean): void {
    for (const append of this.#queue.keys()) {
      if (!admit(append)) return;
      this.#remove(append);
    }
  }

  rejectAll(error: unknown): void {
    for (const append of this.#queue.keys()) {
      this.#remove(append);
      append.reject(error);
    }
  }

  #remove(append: WaitingAppend): void {
    const onAbort = this.#queue.get(append);
    if (onAbort) append.signal?.removeEventListener('abort', onAbort);
    this.#queue.delete(append);
    this.#bytes -= append.bytes;
  }
}
