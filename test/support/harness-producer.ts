/**
 * harness-producer: one producer of the engine harness: the package's own ring and submissions, driven by hand, with
 * the oracle told of every frame that enters the ring and of every answer.
 */
import { PendingAppends, type Reject, type Resolve } from '../../dist/src/append/pending.js';
import {
  type Frame,
  LargeSubmission,
  Submission,
  type SubmissionTerms,
  SyncSubmission,
} from '../../dist/src/append/submission.js';
import type { LogEngine } from '../../dist/src/engine/log-engine.js';
import { ClosedError, ConflictError } from '../../dist/src/errors.js';
import type { ResolvedOptions } from '../../dist/src/options.js';
import {
  COMPLETED,
  CONDITIONAL,
  CONFLICT,
  createRing,
  PUBLISHED,
  SYNCED,
  UNSYNCED,
} from '../../dist/src/ring/layout.js';
import type { LogState } from '../../dist/src/ring/log-state.js';
import { RingProducer } from '../../dist/src/ring/producer.js';
import type { TransactionRing } from '../../dist/src/transaction/transaction.js';
import { identity } from './frames.js';
import type { Oracle } from './oracle.js';

/** Two ids, the frame's header, a checksum, and what rounding up may add. */
const FRAGMENT_OVERHEAD_BYTES = 40;

/** Keeps what was put into the ring. */
class RecordingRing extends RingProducer {
  #frames: { readonly at: number; readonly bytes: number; readonly word: number }[] = [];

  override frame(typeAndFlags: number, payloadBytes: number, bytes?: number): number {
    const at = super.frame(typeAndFlags, payloadBytes, bytes);
    this.#frames.push({ at, bytes: payloadBytes, word: typeAndFlags });
    return at;
  }

  taken(): Uint8Array[] {
    const frames = this.#frames.splice(0);
    return frames.map(({ at, bytes, word }) =>
      identity(word & 0xff, word >>> 8, this.data.subarray(at, at + bytes)),
    );
  }
}

/** Tells the oracle of each part of a submission as it enters the ring, and of what became of it. */
class WatchedAppends extends PendingAppends {
  terms: SubmissionTerms = {};
  readonly #ring: RecordingRing;
  readonly #oracle: Oracle;
  readonly #producer: number;

  constructor(ring: RecordingRing, oracle: Oracle, producer: number) {
    super();
    this.#ring = ring;
    this.#oracle = oracle;
    this.#producer = producer;
  }

  override push(resolve: Resolve, reject: Reject, records: number): void {
    const oracle = this.#oracle;
    if (records <= 0) {
      const settle = (lsn: number): void => {
        oracle.synced(lsn);
        resolve(lsn);
      };
      super.push(settle, reject, records);
      return;
    }
    const { expectedLsn, chunkFlags = 0 } = this.terms;
    const ticket = oracle.submit(this.#ring.taken(), this.#producer, expectedLsn);
    super.push(
      (lsn) => {
        oracle.acked(ticket, lsn, (chunkFlags & UNSYNCED) === 0);
        resolve(lsn);
      },
      (error) => {
        // What a log that is closed has not completed, it has not written.
        if (error instanceof ConflictError || error instanceof ClosedError) oracle.refused(ticket);
        else oracle.failed(ticket);
        reject(error);
      },
      records,
    );
  }
}

export class HarnessProducer implements TransactionRing {
  readonly #ring: RecordingRing;
  readonly #pending: WatchedAppends;
  readonly #waiting: Submission[] = [];
  readonly #state: LogState;
  readonly #fragmentBytes: number;
  readonly #publishes: boolean;

  /** `count` is where the ring's counters begin; without `publishes` it is the test that publishes. */
  constructor(
    engine: LogEngine,
    state: LogState,
    options: ResolvedOptions,
    oracle: Oracle,
    producer: number,
    { count = 0, publishes = true } = {},
  ) {
    const memory = createRing(options.ringBytes);
    memory.words[PUBLISHED] = count;
    memory.words[COMPLETED] = count;
    const limits = { bytes: options.maxGroupBytes, records: options.maxGroupRecords };
    this.#ring = new RecordingRing(memory, state, limits, count);
    this.#publishes = publishes;
    this.#pending = new WatchedAppends(this.#ring, oracle, producer);
    this.#state = state;
    this.#fragmentBytes = options.maxGroupBytes - FRAGMENT_OVERHEAD_BYTES;
    engine.attach(memory.buffer, count);
  }

  get inFlight(): number {
    return this.#pending.length + this.#waiting.length;
  }

  refusal(): Error | undefined {
    return this.#state.refusal();
  }

  submit<T = number>(frames: readonly Frame[], terms: SubmissionTerms, map?: (lsn: number) => T): Promise<T> {
    return this.#queue((resolve, reject) => new Submission(frames, 0, terms, resolve, reject), map);
  }

  submitLarge<T = number>(frame: Frame, terms: SubmissionTerms, map?: (lsn: number) => T): Promise<T> {
    const id = this.#state.nextSpanId();
    return this.#queue(
      (resolve, reject) => new LargeSubmission(frame, id, this.#fragmentBytes, terms, resolve, reject),
      map,
    );
  }

  defer(): never {
    throw new Error('harness: nothing is compressed here');
  }

  sync(): Promise<number> {
    return this.#queue((resolve, reject) => new SyncSubmission(resolve, reject));
  }

  /** Consumes completions, and has what waits enter the ring. */
  drain(): void {
    this.#ring.consume((firstLsn, records, outcome) => {
      if (outcome === SYNCED) this.#pending.synced(firstLsn);
      else if (outcome === CONFLICT) this.#pending.refuse(records, firstLsn, new ConflictError(firstLsn));
      else this.#pending.complete(firstLsn, records);
    });
    while (this.#waiting.length > 0 && this.#enter(this.#waiting[0] as Submission)) this.#waiting.shift();
    if (this.#publishes) this.#ring.publish();
  }

  publish(): void {
    this.#ring.publish();
  }

  fail(): void {
    const error = this.#state.refusal();
    this.#pending.rejectAll(error);
    for (const submission of this.#waiting.splice(0)) submission.reject(error);
  }

  #queue<T = number>(
    make: (resolve: Resolve, reject: Reject) => Submission,
    map?: (lsn: number) => T,
  ): Promise<T> {
    const settled = new Promise<T>((resolve, reject) => {
      const submission = make((lsn) => resolve((map ? map(lsn) : lsn) as T), reject);
      const isIn = this.#waiting.length === 0 && this.#enter(submission);
      if (isIn) {
        if (this.#publishes) this.#ring.publish();
      } else {
        submission.own();
        this.#waiting.push(submission);
      }
    });
    settled.catch(() => {}); // the oracle is told
    return settled;
  }

  #enter(submission: Submission): boolean {
    this.#pending.terms = submission.terms;
    return submission.enter(this.#ring, this.#pending);
  }
}

/** Terms of an append that must get this LSN. */
export function expecting(expectedLsn: number): SubmissionTerms {
  return { chunkFlags: CONDITIONAL, expectedLsn };
}

/** Terms of an append that waits for no sync. */
export const unsynced: SubmissionTerms = { chunkFlags: UNSYNCED };
