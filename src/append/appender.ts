/**
 * appender: the way of a record on its caller's thread: payload -> ring, completion -> promise.
 *
 * `append` copies the payload into the ring and parks the promise's resolver; that is all that the caller
 * pays. The ring is published once at the end of the current run of the event loop's microtasks, and earlier
 * when enough bytes wait to keep a sync busy.
 */
import { ClosedError, InvalidArgumentError, OverloadedError, TooLargeError } from '../errors.js';
import { frameBytes, RECORD_FULL } from '../format/record-frame.js';
import { maxPayloadBytes, type ResolvedOptions } from '../options.js';
import type { RingMemory } from '../ring/layout.js';
import { CLOSED, type LogState } from '../ring/log-state.js';
import { RingProducer } from '../ring/producer.js';
import { KeepAlive } from './keep-alive.js';
import { copyPayload, ownPayload, type Payload, payloadBytes } from './payload.js';
import { PendingAppends, type Reject, type Resolve } from './pending.js';
import { type WaitingAppend, WaitingAppends } from './waiting.js';

/**
 * Unpublished bytes at which the I/O worker is set going before the turn of the event loop ends. Measured at
 * 128 bytes and 10 000 in flight: 2.7 M records/s against 1.8 M when published only per turn; at 100 in
 * flight a smaller value costs a quarter, because one group becomes two.
 */
const EARLY_PUBLISH_BYTES = 32 * 1024;

/** How often a closing appender looks whether the log is stalled. */
const STALL_CHECK_MS = 100;

/** Options of one append. */
export interface AppendOptions {
  /** Gives up waiting for room in the ring. Once the record is in the ring, aborting does nothing. */
  signal?: AbortSignal;
}

/** The LSNs of a batch: `first` to `last`, both included, in the order of the payloads. */
export interface LsnRange {
  readonly first: number;
  readonly last: number;
}

export class Appender {
  readonly #options: ResolvedOptions;
  readonly #state: LogState;
  readonly #ring: RingProducer;
  readonly #maxPayloadBytes: number;
  readonly #pending = new PendingAppends();
  readonly #waiting = new WaitingAppends();
  readonly #keepAlive: KeepAlive;
  #closed = false;
  #corked = false;
  #parked = false;
  #holding = false;
  /** Records of the append whose promise is being made; the executor below takes it from here. */
  #records = 1;

  constructor(ring: RingMemory, state: LogState, options: ResolvedOptions) {
    this.#options = options;
    this.#state = state;
    this.#maxPayloadBytes = maxPayloadBytes(options);
    this.#ring = new RingProducer(ring, state, {
      bytes: options.maxGroupBytes,
      records: options.maxGroupRecords,
    });
    this.#keepAlive = new KeepAlive(this.#drain);
  }

  /** Holds the process while a caller waits for something besides an append. */
  get keepAlive(): KeepAlive {
    return this.#keepAlive;
  }

  /** Appends that are neither resolved nor rejected. */
  get inFlight(): number {
    return this.#pending.length + this.#waiting.length;
  }

  /** Bytes of this thread's ring in use, and bytes that wait for room in it. */
  get fill(): { readonly ringBytes: number; readonly waitingBytes: number } {
    return { ringBytes: this.#ring.usedBytes, waitingBytes: this.#waiting.bytes };
  }

  append(payload: Payload, options?: AppendOptions): Promise<number> {
    try {
      const bytes = this.#check(payload, options);
      return this.#enter(payload, bytes) ?? this.#wait([payload], frameBytes(bytes), options?.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  tryAppend(payload: Payload): Promise<number> | undefined {
    try {
      return this.#enter(payload, this.#check(payload, undefined));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async appendBatch(payloads: readonly Payload[], options?: AppendOptions): Promise<LsnRange> {
    if (!Array.isArray(payloads)) throw new InvalidArgumentError('A batch must be an array of payloads.');
    if (payloads.length === 0) throw new InvalidArgumentError('A batch must hold at least one payload.');
    const { maxGroupBytes, maxGroupRecords } = this.#options;
    if (payloads.length > maxGroupRecords) {
      throw new TooLargeError(`A batch holds at most ${maxGroupRecords} records (option "maxGroupRecords").`);
    }
    let total = 0;
    const sizes = payloads.map((payload) => {
      const bytes = this.#check(payload, options);
      total += frameBytes(bytes);
      return bytes;
    });
    if (total > maxGroupBytes) {
      throw new TooLargeError(
        `The batch takes ${total} bytes; at most ${maxGroupBytes} fit into one group (option "maxGroupBytes").`,
      );
    }
    let first: Promise<number>;
    if (this.#waiting.length > 0 || !this.#ring.reserve(total, payloads.length)) {
      first = this.#wait(payloads, total, options?.signal);
    } else {
      for (const [i, payload] of payloads.entries()) this.#put(payload, sizes[i] as number);
      this.#cork();
      this.#records = payloads.length;
      first = new Promise(this.#park);
    }
    const lsn = await first;
    return { first: lsn, last: lsn + payloads.length - 1 };
  }

  /** Resolves, with the last durable LSN, once everything appended on this thread before is durable. */
  sync(): Promise<number> {
    const refused = this.#refusal();
    return refused ? Promise.reject(refused) : this.#barrier();
  }

  /** Settles when everything appended before has: a barrier is an append without records. */
  #barrier(): Promise<number> {
    if (this.inFlight === 0) return Promise.resolve(this.#state.durableLsn);
    this.#state.hurry();
    this.#records = 0;
    if (this.#waiting.length > 0) return this.#wait([], 0, undefined);
    this.publish();
    return new Promise(this.#park);
  }

  /** Publishes what was appended in this turn so far, without waiting for its end. */
  publish(): void {
    this.#ring.publish();
    this.#listen();
  }

  /**
   * Refuses appends from now on; resolves once what was pending is settled, one way or the other, or can't be
   * before there is disk space.
   */
  async close(): Promise<void> {
    this.#closed = true;
    let timer: NodeJS.Timeout | undefined;
    const stalled = new Promise<void>((resolve) => {
      timer = setInterval(() => this.#state.isStalled && resolve(), STALL_CHECK_MS);
    });
    await Promise.race([this.#barrier().catch(() => {}), stalled]);
    clearInterval(timer);
  }

  /**
   * Leaves the ring to the worker: call it once nothing is pending. Rejects what still is, which then may or
   * may not be written.
   */
  detach(error: unknown = new ClosedError()): void {
    this.#closed = true;
    this.#ring.publish();
    this.#ring.detach();
    this.#rejectAll(error);
    this.#keepAlive.stop();
  }

  /** Takes note that the log's state changed: settles what can be settled. */
  readonly stateChanged = (): void => this.#drain();

  /** Checks everything that may refuse an append before anything is changed; returns the payload's length. */
  #check(payload: Payload, options: AppendOptions | undefined): number {
    const refused = this.#refusal();
    if (refused) throw refused;
    if (options?.signal?.aborted) throw options.signal.reason;
    const bytes = payloadBytes(payload);
    if (bytes > this.#maxPayloadBytes) {
      throw new TooLargeError(
        `The record has ${bytes} bytes; at most ${this.#maxPayloadBytes} fit into one group (option "maxGroupBytes").`,
      );
    }
    return bytes;
  }

  #refusal(): Error | undefined {
    return this.#state.refusal() ?? (this.#closed ? new ClosedError() : undefined);
  }

  /** Puts one record into the ring, unless it has no room or others wait for it. */
  #enter(payload: Payload, bytes: number): Promise<number> | undefined {
    if (this.#waiting.length > 0 || !this.#ring.reserve(frameBytes(bytes), 1)) return undefined;
    this.#put(payload, bytes);
    this.#cork();
    this.#records = 1;
    return new Promise(this.#park);
  }

  /** Writes one frame into the space just reserved. */
  #put(payload: Payload, bytes: number): void {
    copyPayload(payload, bytes, this.#ring.data, this.#ring.frame(RECORD_FULL, bytes));
  }

  /** Sees to the publishing of what was put. Never called inside a batch, which must stay in one chunk. */
  #cork(): void {
    if (this.#ring.openBytes >= EARLY_PUBLISH_BYTES) this.#ring.publish();
    if (this.#corked) return;
    this.#corked = true;
    queueMicrotask(this.#uncork);
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.publish();
  };

  /** The executor of every append's promise; one function for all, so that an append allocates no closure. */
  readonly #park = (resolve: Resolve, reject: Reject): void => {
    this.#pending.push(resolve, reject, this.#records);
    this.#hold();
  };

  #wait(payloads: readonly Payload[], bytes: number, signal: AbortSignal | undefined): Promise<number> {
    const waiting = this.#waiting.bytes + bytes;
    if (waiting > this.#options.maxWaitingBytes) {
      throw new OverloadedError(
        `${waiting} bytes would wait for room in the ring, more than ${this.#options.maxWaitingBytes} (option ` +
          '"maxWaitingBytes"). Await appends, or make "ringBytes" larger.',
      );
    }
    this.#hold();
    const copies = payloads.map(ownPayload);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ payloads: copies, bytes, resolve, reject, signal });
    });
  }

  /** Sees to it that completions are consumed as they come, by at most one wait at a time. */
  #listen(): void {
    if (this.#parked || this.#pending.length === 0) return;
    const woken = this.#ring.park(
      undefined,
      () => this.#ring.hasCompletions() || this.#state.state >= CLOSED,
    );
    if (woken === undefined) {
      // Not a microtask: a fast disk would then keep the event loop from ever turning.
      setImmediate(this.#drain);
    } else {
      this.#parked = true;
      woken.then(this.#onWake);
    }
  }

  readonly #onWake = (): void => {
    this.#parked = false;
    this.#drain();
  };

  readonly #drain = (): void => {
    // The state first: what the worker completed before it changed the state is then seen below.
    const state = this.#state.state;
    this.#ring.consume(this.#complete);
    if (this.#waiting.length > 0) this.#waiting.admit(this.#admit);
    if (state >= CLOSED) this.#rejectAll(this.#refusal());
    if (!this.#corked) this.publish();
    this.#release();
  };

  readonly #complete = (firstLsn: number, records: number): void => {
    this.#pending.complete(firstLsn, records);
  };

  /** Moves a waiting append into the ring, if there is room now. */
  readonly #admit = (append: WaitingAppend): boolean => {
    if (append.bytes > 0 && !this.#ring.reserve(append.bytes, append.payloads.length)) return false;
    const records = append.payloads.length;
    if (records === 0 && this.#pending.length === 0) {
      append.resolve(this.#state.durableLsn);
      return true;
    }
    for (const payload of append.payloads) this.#put(payload, payload.length);
    if (records > 0) this.#cork();
    this.#pending.push(append.resolve, append.reject, records);
    return true;
  };

  #rejectAll(error: unknown): void {
    this.#pending.rejectAll(error);
    this.#waiting.rejectAll(error);
    this.#release();
  }

  #hold(): void {
    if (this.#holding) return;
    this.#holding = true;
    this.#keepAlive.hold();
  }

  #release(): void {
    if (!this.#holding || this.inFlight > 0) return;
    this.#holding = false;
    this.#keepAlive.release();
  }
}
