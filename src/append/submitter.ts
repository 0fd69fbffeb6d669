/**
 * submitter: the ring of one thread, from its side: puts records and submissions in, has them wait for room, and
 * settles them as completions come.
 *
 * When the ring is published, publish-schedule.ts says; how completions are heard of, completion-watch.ts.
 */
import type { CompletionEvents } from '../diagnostics.js';
import { ClosedError } from '../errors.js';
import { frameBytes, RECORD_FULL, typeAndFlags } from '../format/record-frame.js';
import type { ResolvedOptions } from '../options.js';
import type { CompletedGroup } from '../ring/completion-slots.js';
import { COMMITTED, type RingMemory, UNSYNCED } from '../ring/layout.js';
import { CLOSED, type LogState } from '../ring/log-state.js';
import { RingProducer } from '../ring/producer.js';
import { CompletionWatch } from './completion-watch.js';
import { KeepAlive } from './keep-alive.js';
import { copyPayload, type Payload } from './payload.js';
import { PendingAppends, type Resolve, type ResolvePlain } from './pending.js';
import { EARLY_PUBLISH_BYTES, PublishSchedule } from './publish-schedule.js';
import {
  Barrier,
  DeferredSubmission,
  type Frame,
  type Submission,
  type SubmissionTerms,
  SyncSubmission,
} from './submission.js';
import { type MakeSubmission, SubmissionMaker } from './submission-maker.js';
import { clearInterval, setInterval } from './timers.js';
import { WaitingSubmissions } from './waiting.js';

/** How often a closing log looks whether the worker is stalled. */
const STALL_CHECK_MS = 100;

export class Submitter {
  readonly #options: ResolvedOptions;
  readonly #state: LogState;
  readonly #ring: RingProducer;
  readonly #pending = new PendingAppends();
  readonly #waiting: WaitingSubmissions;
  readonly #make: SubmissionMaker;
  readonly #keepAlive: KeepAlive;
  readonly #events: CompletionEvents;
  readonly #schedule: PublishSchedule;
  readonly #watch: CompletionWatch;
  #closed = false;
  #holding = false;
  /** Whether the log has ended and what was pending was rejected: what is completed after that comes too late. */
  #ended = false;
  /** Whether records were appended that no sync need have covered. */
  #hasUnsynced = false;
  /** Calls of `sync` that are not settled. */
  #barriers = 0;

  constructor(ring: RingMemory, state: LogState, options: ResolvedOptions, events: CompletionEvents) {
    this.#events = events;
    this.#options = options;
    this.#state = state;
    // Not drained at once: who aborts may be told of a completion that is being consumed.
    this.#waiting = new WaitingSubmissions(options.maxWaitingBytes, () => queueMicrotask(this.#drain));
    const { maxGroupBytes: bytes, maxGroupRecords: records } = options;
    this.#ring = new RingProducer(ring, state, { bytes, records });
    this.#make = new SubmissionMaker(state, options);
    this.#keepAlive = new KeepAlive(this.#drain);
    this.#schedule = new PublishSchedule(() => this.publish());
    this.#watch = new CompletionWatch(this.#ring, state, options.busyPollUs, this.#drain);
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
  get fill(): Record<'ringBytes' | 'ringCapacityBytes' | 'waitingBytes', number> {
    const { usedBytes, data } = this.#ring;
    return { ringBytes: usedBytes, ringCapacityBytes: data.length, waitingBytes: this.#waiting.bytes };
  }

  /** The group of the completion that is being consumed, while its appends resolve. */
  get completedGroup(): CompletedGroup {
    return this.#ring.completedGroup;
  }

  /** Why nothing can be appended, if so. `isOwed`: what was asked for before `close`, which waits for it. */
  refusal(isOwed = false): Error | undefined {
    const isClosed = isOwed ? this.#ended : this.#closed;
    if (this.#state.isOpen && !isClosed) return undefined;
    return this.#state.refusal() ?? (isClosed ? new ClosedError() : undefined);
  }

  /**
   * Makes room for plain records of `bytes` with their frames, all in one chunk; false: there is none, or others wait
   * for it. `put` for each of them, and `settle` or `settleBatch`, must follow at once.
   */
  reserve(bytes: number, records: number): boolean {
    if (this.#waiting.length > 0 || !this.#ring.reserve(bytes, records)) return false;
    this.#ring.beginFilling();
    return true;
  }

  /** Writes one plain record into the space just reserved; `flags` are 0 or HAS_CHECKSUM. */
  put(payload: Payload, bytes: number, flags: number): void {
    const at = this.#ring.frame(typeAndFlags(RECORD_FULL, flags), bytes, frameBytes(bytes, flags));
    copyPayload(payload, bytes, this.#ring.free, at);
    if (flags !== 0) this.#ring.setChecksum(at, bytes);
  }

  /** The promise of the LSN of the one record just put. */
  settle(): Promise<number> {
    const settled = new Promise(this.#park);
    this.#cork();
    return settled;
  }

  /** The promise of the LSN of the first of `records` records just put, which are one batch. */
  settleBatch(records: number): Promise<number> {
    const settled = new Promise<number>((resolve, reject) => {
      this.#pending.push(resolve, reject, records);
      this.#ring.isFilling = false;
    });
    this.#hold();
    this.#cork();
    return settled;
  }

  /**
   * Puts `frames` into the ring, all in one chunk, or has them wait for room. Resolves with their first LSN, or
   * what `map`, called while their completion is being consumed, makes of it.
   */
  submit<T = number>(frames: readonly Frame[], terms: SubmissionTerms, map?: (lsn: number) => T): Promise<T> {
    return this.#queue(this.#make.of(frames, terms), map);
  }

  /** As `submit`, but returns undefined, having done nothing, when they would have to wait for room. */
  trySubmit(frames: readonly Frame[], terms: SubmissionTerms): Promise<number> | undefined {
    if (this.#waiting.length > 0) return undefined;
    let isIn = false;
    const done = new Promise<number>((resolve, reject) => {
      isIn = this.#admit(this.#make.of(frames, terms)(resolve, reject));
    });
    if (!isIn) return undefined;
    this.#hold();
    return done;
  }

  /**
   * As `submit`, for frames that are yet to be made: `frames` begins that, and is not called when they may not wait. They
   * hold their place among this thread's appends; `bytes` is what is kept for them meanwhile.
   */
  defer<T = number>(
    bytes: number,
    frames: () => Promise<readonly Frame[]>,
    terms: SubmissionTerms,
    map?: (lsn: number) => T,
  ): Promise<T> {
    // Alone it passes, or it never could; and does not count then, so that those behind it have their room.
    const counted = this.#waiting.length === 0 && bytes > this.#options.maxWaitingBytes ? 0 : bytes;
    const overload = this.#waiting.overload(counted);
    if (overload) return Promise.reject(overload);
    return this.#queue((resolve, reject) => {
      const deferred = new DeferredSubmission([], counted, terms, resolve, reject);
      frames().then(
        (known) => {
          deferred.become(this.#make.of(known, terms));
          this.#drain();
        },
        (error) => {
          this.#waiting.withdraw(deferred, error);
          this.#drain(); // who waited behind it
        },
      );
      return deferred;
    }, map);
  }

  /** As `submit`, for a record that is larger than a group; `frame` is the whole. */
  submitLarge<T = number>(frame: Frame, terms: SubmissionTerms, map?: (lsn: number) => T): Promise<T> {
    return this.#queue(this.#make.large(frame, terms), map);
  }

  /** Resolves, with the last durable LSN, once everything appended on this thread before is durable. */
  sync(): Promise<number> {
    const refused = this.refusal();
    if (refused) return Promise.reject(refused);
    if (!this.#hasUnsynced) return this.#barrier();
    this.#hasUnsynced = false;
    return this.#hurried((resolve, reject) => new SyncSubmission(resolve, reject));
  }

  /** Settles when everything appended before has: a barrier is an append without records. */
  #barrier(): Promise<number> {
    if (this.inFlight === 0) return Promise.resolve(this.#state.durableLsn);
    return this.#hurried((resolve, reject) => new Barrier(resolve, reject));
  }

  /**
   * Has the worker leave no commit window open until this is settled. It resolves with the watermark: the LSN before an
   * append that was refused may be of another thread's record, which was only to be written.
   */
  #hurried(make: MakeSubmission): Promise<number> {
    this.#barriers++;
    const passed = this.#queue(make, () => this.#state.durableLsn);
    const settled = (): void => {
      this.#barriers--;
    };
    passed.then(settled, settled);
    this.publish();
    return passed;
  }

  /** Publishes what was appended in this turn so far, without waiting for its end. */
  publish(): void {
    this.#ring.publish();
    // After the publishing: the worker forgets a hurry with the next group that it takes, which must not be one
    // without what the barrier waits for. Again and again, as what waits for room is published later.
    if (this.#barriers > 0) this.#state.hurry();
    if (this.#pending.length > 0) this.#watch.listen();
  }

  /**
   * Refuses appends from now on; resolves once what was pending is settled, and `owed` with it, one way or the other, or
   * can't be before there is disk space.
   */
  async close(owed: Promise<unknown>): Promise<void> {
    this.#closed = true;
    let timer: NodeJS.Timeout | undefined;
    const stalled = new Promise<void>((resolve) => {
      timer = setInterval(() => this.#state.isStalled && resolve(), STALL_CHECK_MS);
    });
    const settled = this.#barrier().catch(() => {});
    await Promise.race([settled.then(() => owed), stalled]);
    clearInterval(timer);
  }

  /**
   * Gives the ring up: call it once nothing is pending, or the worker takes nothing more from it. Rejects what still is
   * pending, which is never written.
   */
  detach(error: unknown = new ClosedError()): void {
    this.#closed = true;
    this.#watch.stop();
    if (!this.#ended) this.#ring.consume(this.#complete);
    this.#ended = true;
    this.#ring.detach();
    this.#rejectAll(error);
    this.#keepAlive.stop();
  }

  /** Takes note that the log's state changed: settles what can be settled. */
  readonly stateChanged = (): void => this.#drain();

  /** Has a submission enter the ring, or wait its turn. */
  #queue<T = number>(make: MakeSubmission, map?: (lsn: number) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = map ? (lsn: number) => resolve(map(lsn)) : (resolve as Resolve);
      const submission = make(settle, reject);
      // Also when it has to wait: a `sync` that is called meanwhile is for it too.
      if (((submission.terms.chunkFlags ?? 0) & UNSYNCED) !== 0) this.#hasUnsynced = true;
      if (this.#waiting.length === 0 && this.#admit(submission)) return this.#hold();
      const overload = this.#waiting.overload(submission.bytes);
      if (overload) return submission.reject(overload);
      this.#hold();
      submission.own();
      this.#waiting.push(submission);
      this.#cork();
    });
  }

  /** Sees to the publishing of what was put. Never called inside a batch, which must stay in one chunk. */
  #cork(): void {
    if (this.#ring.openBytes >= EARLY_PUBLISH_BYTES) this.#ring.publish();
    this.#schedule.put();
  }

  /** The executor of every plain append's promise; one function for all, so that an append allocates no closure. */
  readonly #park = (resolve: ResolvePlain): void => {
    this.#pending.pushPlain(resolve);
    this.#ring.isFilling = false;
    this.#hold();
  };

  readonly #drain = (): void => {
    // The state first: what the worker completed before it changed the state is then seen below.
    const state = this.#state.state;
    if (!this.#ended) this.#ring.consume(this.#complete);
    if (this.#waiting.length > 0) this.#waiting.admit(this.#admit);
    if (state >= CLOSED) {
      this.#ended = true;
      if (state > CLOSED) this.#events.failed(this.#state.refusal() as Error);
      this.#rejectAll(this.refusal());
    }
    if (!this.#schedule.isDue) this.publish();
    this.#release();
  };

  readonly #complete = (firstLsn: number, records: number, outcome: number): void => {
    this.#pending.settle(firstLsn, records, outcome);
    this.#events.completed(firstLsn, outcome === COMMITTED ? records : 0, this.#ring.completedGroup);
  };

  /** Moves a submission into the ring, if there is room now. */
  readonly #admit = (submission: Submission): boolean => {
    const isIn = submission.enter(this.#ring, this.#pending);
    this.#cork();
    return isIn;
  };

  #rejectAll(error: unknown): void {
    this.#pending.rejectAll(error);
    this.#waiting.rejectAll(error);
    this.#release();
  }

  #hold(): void {
    if (this.#holding) return;
    this.#keepAlive.hold();
    this.#holding = true;
  }

  #release(): void {
    if (!this.#holding || this.inFlight > 0) return;
    this.#holding = false;
    this.#keepAlive.release();
  }
}
