/**
 * waiting: the submissions for which the ring has no room yet: first come, first served, bounded in bytes.
 *
 * The bytes are copied on entry, so the caller may reuse its buffer (a large record's are not, see submission, unless it
 * is compressed). An AbortSignal ends the wait; once an append is in the ring it can no longer be taken back.
 */
import { OverloadedError } from '../errors.js';
import { AbortWatch } from './abort-watch.js';
import type { Submission } from './submission.js';

export class WaitingSubmissions {
  /** Insertion order is the order of admission; a Set also lets an aborted one leave from the middle. */
  readonly #queue = new Set<Submission>();
  readonly #aborts = new AbortWatch<Submission>((waiting, reason) => this.#aborted(waiting, reason));
  #bytes = 0;
  readonly #maxBytes: number;
  readonly #onAborted: () => void;

  /** `onAborted` is told when some have left, which those behind it may have waited for. */
  constructor(maxBytes: number, onAborted: () => void) {
    this.#maxBytes = maxBytes;
    this.#onAborted = onAborted;
  }

  get length(): number {
    return this.#queue.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Why so many bytes more may not wait, if so. */
  overload(bytes: number): OverloadedError | undefined {
    const waiting = this.#bytes + bytes;
    if (waiting <= this.#maxBytes) return undefined;
    return new OverloadedError(
      `${waiting} bytes would wait for room in the ring, more than ${this.#maxBytes} (option "maxWaitingBytes"). ` +
        'Await appends, or make "ringBytes" larger.',
    );
  }

  push(submission: Submission): void {
    const { signal } = submission.terms;
    if (signal) this.#aborts.add(signal, submission);
    this.#queue.add(submission);
    this.#bytes += submission.bytes;
  }

  /** Takes the oldest as long as `admit` accepts it. */
  admit(admit: (submission: Submission) => boolean): void {
    for (const submission of this.#queue) {
      if (!admit(submission)) return;
      this.#remove(submission);
    }
  }

  /** Takes one out that can't be submitted after all. */
  withdraw(submission: Submission, error: unknown): void {
    if (!this.#queue.has(submission)) return;
    this.#remove(submission);
    submission.reject(error);
  }

  rejectAll(error: unknown): void {
    for (const submission of this.#queue) {
      this.#remove(submission);
      submission.reject(error);
    }
  }

  #aborted(waiting: readonly Submission[], reason: unknown): void {
    for (const submission of waiting) {
      if (submission.hasBegun) continue;
      this.#remove(submission);
      submission.reject(reason);
    }
    this.#onAborted();
  }

  #remove(submission: Submission): void {
    const { signal } = submission.terms;
    if (signal) this.#aborts.delete(signal, submission);
    this.#queue.delete(submission);
    this.#bytes -= submission.bytes;
  }
}
