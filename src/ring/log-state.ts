/**
 * log-state: the shared memory of the whole log: its state, its watermarks, and why it failed.
 *
 *   word             stored by                          meaning
 *   WORKER_DOORBELL  all                                the I/O worker's doorbell
 *   STATE            I/O worker; DEAD: the opener       OPEN, CLOSING, CLOSED, POISONED, DEAD
 *   HURRY            sets: producer; clears: I/O worker  1: a caller waits, leave no commit window open
 *   CALLED           sets: caller; clears: I/O worker    1: a control call may be on one of its ports
 *   STALLED          I/O worker                         1: no segment has room, and none can be prepared
 *   EPOCH            I/O worker, at open                how often the log has been opened
 *   SPANS_BEGUN      producers                          spans begun since
 *   DURABLE_LSN      I/O worker                         last LSN known to be on stable storage
 *   FIRST_LSN        I/O worker                         first LSN of the log; the truncation mark
 *   CHECKPOINT_LSN   I/O worker                         LSN of the last checkpoint; 0: none
 *   WRITTEN_LSN      I/O worker                         last LSN written and not synced by then; 0: none ever was
 *   FOLLOWED, NEWS   see followers.ts                   who waits for DURABLE_LSN or STATE to move
 *   CUTS             I/O worker                         how often the log was cut (truncateAfter) since it was opened
 *   CUT_LSNS         I/O worker, before CUTS            the last LSN that each of the last cuts has left, in turn
 *   LEAST_CUT        I/O worker, before CUTS            the lowest LSN that any of all cuts has left; 0 before the first
 *   failure text     I/O worker, before POISONED        the first failure, as JSON
 *
 *  R5  STATE only moves forward: OPEN -> CLOSING -> CLOSED, and from any of the first two to POISONED or DEAD.
 *  R6  DURABLE_LSN and FIRST_LSN only grow, but that a cut sets DURABLE_LSN back. One thread stores them. A cut happens
 *      while no group is written and when it is durable, so at every moment the LSNs up to DURABLE_LSN are on disk;
 *      but an LSN that was may be gone, and come again for another record. Who holds on to LSNs over time (readers,
 *      cursors) notes CUTS first, looks again later, and trusts those up to `cutAfter` only. CUTS is stored before
 *      any file of what was cut off changes, so who has read one and then sees no cut has read the log. Who was away
 *      for more cuts than CUT_LSNS holds goes by LEAST_CUT: it is never above what those cuts have left, as whoever
 *      sees a CUTS sees LEAST_CUT with all of them; a cut that is in it and not in CUTS yet only makes it lower.
 *  R7  The failure text is stored before STATE becomes POISONED (a sequentially consistent store), so who
 *      sees POISONED sees the whole text.
 */
import { assert } from '../assert.js';
import { ClosedError, fromWire, PoisonedError, toWire, type WireError, WorkerDiedError } from '../errors.js';
import { wake } from './doorbell.js';
import { awaitNews, tellNews } from './followers.js';

export const OPEN = 0;
export const CLOSING = 1;
export const CLOSED = 2;
export const POISONED = 3;
export const DEAD = 4;

const STATE = 0;
const FAILURE_BYTES = 1;
const HURRY = 2;
const STALLED = 3;
const EPOCH = 4;
const SPANS_BEGUN = 5;
const CALLED = 6;
const CUTS = 16;
export const WORKER_DOORBELL = 32;
const DURABLE_LSN = 32; // in 64-bit words: a line of its own
const FIRST_LSN = 48;
const CHECKPOINT_LSN = 49;
const WRITTEN_LSN = 50;
const LEAST_CUT = 51;
const CUT_LSNS = 56;
const CUTS_KEPT = 8;
const FAILURE_OFFSET_BYTES = 512;
const FAILURE_CAPACITY_BYTES = 8192 - FAILURE_OFFSET_BYTES;

export class LogState {
  readonly buffer: SharedArrayBuffer;
  /** The words that hold the I/O worker's doorbell. */
  readonly words: Int32Array;
  readonly #longs: BigInt64Array;
  readonly #failure: Uint8Array;

  constructor(buffer = new SharedArrayBuffer(FAILURE_OFFSET_BYTES + FAILURE_CAPACITY_BYTES)) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
    this.#longs = new BigInt64Array(buffer);
    this.#failure = new Uint8Array(buffer, FAILURE_OFFSET_BYTES);
  }

  get state(): number {
    return Atomics.load(this.words, STATE);
  }

  /**
   * Whether the log was open a moment ago: a plain load, which each append makes, where an atomic one is a call. It
   * orders nothing, and need not: an append that is let in as the log ends is rejected with what is pending, as one that
   * came a moment before would be. Who must see more than that, looks at `state`.
   */
  get isOpen(): boolean {
    return this.words[STATE] === OPEN;
  }

  /** Moves the state forward (R5); a state that is final stays. Returns whether it moved. */
  advance(to: number): boolean {
    for (;;) {
      const from = this.state;
      if (from >= to || from >= CLOSED) return false;
      if (Atomics.compareExchange(this.words, STATE, from, to) !== from) continue;
      tellNews(this.words, true);
      return true;
    }
  }

  /**
   * Waits for DURABLE_LSN or STATE to move, if `isOver()` is not true by now. Returns undefined if it is, else a
   * promise that may resolve without news; it keeps no process alive.
   */
  awaitNews(isOver: () => boolean): Promise<void> | undefined {
    return awaitNews(this.words, isOver);
  }

  /** Asks the I/O worker to commit what is published now, without waiting for a commit window to end. */
  hurry(): void {
    Atomics.store(this.words, HURRY, 1);
    wake(this.words, WORKER_DOORBELL); // R4: after the store
  }

  /** Has the worker hear its control ports. Called behind the message: the worker that is awake sees it before it sleeps. */
  ring(): void {
    Atomics.store(this.words, CALLED, 1);
    wake(this.words, WORKER_DOORBELL); // R4: after the store
  }

  get isCalled(): boolean {
    return Atomics.load(this.words, CALLED) === 1;
  }

  /** Called by the I/O worker before it hears its ports: a call that comes meanwhile is not lost. */
  takeCall(): void {
    Atomics.store(this.words, CALLED, 0);
  }

  get isHurried(): boolean {
    return Atomics.load(this.words, HURRY) === 1;
  }

  /** Called by the I/O worker as it takes a group: what was published before `hurry` is in it or in a next one. */
  takeHurry(): void {
    Atomics.store(this.words, HURRY, 0);
  }

  /** Called by the I/O worker, once. */
  setEpoch(epoch: number): void {
    Atomics.store(this.words, EPOCH, epoch);
  }

  /**
   * A number for a span that no other in the log has: the epoch and a count. (A count that wraps after 2^32 spans
   * meets none that is still open.)
   */
  nextSpanId(): number {
    const count = Atomics.add(this.words, SPANS_BEGUN, 1) >>> 0;
    return (Atomics.load(this.words, EPOCH) & 0x1f_ffff) * 0x1_0000_0000 + count;
  }

  /** Whether the worker waits for disk space. */
  get isStalled(): boolean {
    return Atomics.load(this.words, STALLED) === 1;
  }

  /** Called by the I/O worker only, each round: most often the value is there already. */
  setStalled(isStalled: boolean): void {
    if (this.isStalled !== isStalled) Atomics.store(this.words, STALLED, isStalled ? 1 : 0);
  }

  get durableLsn(): number {
    return Number(Atomics.load(this.#longs, DURABLE_LSN));
  }

  get firstLsn(): number {
    return Number(Atomics.load(this.#longs, FIRST_LSN));
  }

  /** Called by the I/O worker only. */
  setDurableLsn(lsn: number): void {
    assert(lsn >= this.durableLsn, 'R6 the durable watermark only advances');
    Atomics.store(this.#longs, DURABLE_LSN, BigInt(lsn));
    tellNews(this.words); // N1: after the store
  }

  /** The last LSN that was given out to a record which is durable, or was acknowledged without being so. */
  get lastLsn(): number {
    return Math.max(Number(Atomics.load(this.#longs, WRITTEN_LSN)), this.durableLsn);
  }

  /** Called by the I/O worker only, for records that are written and not synced, before they are acknowledged. */
  setWrittenLsn(lsn: number): void {
    Atomics.store(this.#longs, WRITTEN_LSN, BigInt(lsn));
  }

  /**
   * Called by the I/O worker only, while it commits nothing: records behind `lsn` are no longer part of the log. The
   * last checkpoint is then `checkpointLsn`.
   */
  cut(lsn: number, checkpointLsn: number): void {
    const { cuts } = this;
    const least = cuts === 0 ? lsn : Math.min(lsn, this.#leastCut);
    Atomics.store(this.#longs, LEAST_CUT, BigInt(least));
    Atomics.store(this.#longs, CUT_LSNS + (cuts % CUTS_KEPT), BigInt(lsn));
    Atomics.store(this.words, CUTS, cuts + 1);
    Atomics.store(this.#longs, DURABLE_LSN, BigInt(lsn)); // R6
    Atomics.store(this.#longs, WRITTEN_LSN, 0n);
    tellNews(this.words); // N1: after the store
    this.setCheckpointLsn(checkpointLsn);
  }

  /** How often the log was cut. */
  get cuts(): number {
    return Atomics.load(this.words, CUTS);
  }

  get #leastCut(): number {
    return Number(Atomics.load(this.#longs, LEAST_CUT));
  }

  /**
   * The last LSN that all cuts have left which happened since there had been `since`; infinite without any. After more
   * cuts than are kept it may be lower than that: as low as what any cut before them has left.
   */
  cutAfter(since: number): number {
    for (;;) {
      const { cuts } = this;
      let least = Number.POSITIVE_INFINITY;
      // Of the oldest one kept, the place may be on its way to the next.
      if (cuts - since >= CUTS_KEPT) least = this.#leastCut;
      else {
        for (let n = since; n < cuts; n++)
          least = Math.min(least, Number(Atomics.load(this.#longs, CUT_LSNS + (n % CUTS_KEPT))));
      }
      if (cuts === this.cuts) return least;
    }
  }

  get checkpointLsn(): number {
    return Number(Atomics.load(this.#longs, CHECKPOINT_LSN));
  }

  /** Called by the I/O worker only. */
  setCheckpointLsn(lsn: number): void {
    Atomics.store(this.#longs, CHECKPOINT_LSN, BigInt(lsn));
  }

  /** Called by the I/O worker only. */
  setFirstLsn(lsn: number): void {
    assert(lsn >= this.firstLsn, 'R6 the truncation mark only advances');
    Atomics.store(this.#longs, FIRST_LSN, BigInt(lsn));
  }

  /** Records the first failure and poisons the log, for all threads (R7). */
  poison(cause: unknown): void {
    if (this.state >= CLOSED) return;
    const wire = toWire(cause);
    for (let at: WireError | undefined = wire; at !== undefined; at = at.cause) delete at.stack;
    let text = Buffer.from(JSON.stringify(wire));
    if (text.length > FAILURE_CAPACITY_BYTES) {
      text = Buffer.from(
        JSON.stringify({ name: 'Error', message: wire.message.slice(0, 512), code: wire.code }),
      );
    }
    this.#failure.set(text);
    Atomics.store(this.words, FAILURE_BYTES, text.length);
    this.advance(POISONED);
  }

  /**
   * Why the log takes no append, undefined when it is open. A poisoned log gives its first failure as the
   * cause; for a dead worker the caller may know one.
   */
  refusal(cause?: unknown): ClosedError | PoisonedError | WorkerDiedError | undefined {
    switch (this.state) {
      case OPEN:
        return undefined;
      case POISONED:
        return new PoisonedError(this.#firstFailure());
      case DEAD:
        return new WorkerDiedError(cause);
      default:
        return new ClosedError();
    }
  }

  #firstFailure(): Error {
    const text = Buffer.from(this.#failure.slice(0, Atomics.load(this.words, FAILURE_BYTES))).toString();
    return fromWire(JSON.parse(text) as WireError);
  }
}
