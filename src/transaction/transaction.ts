/**
 * transaction: records that take effect together, with a COMMIT, or never; many may be open at once on every thread.
 *
 * It is made of what any append is made of: BEGIN, the records, and COMMIT or ABORT are frames in the thread's ring,
 * in the order of the calls. From BEGIN to its end it is one span, so nothing of it is collected meanwhile.
 *
 *   - Nothing is written before the first record; BEGIN then rides in its chunk, if a group has room for both.
 *   - The ring is a queue: the COMMIT is durable only with all that entered before it. So `commit` need not wait for
 *     the records, and a small transaction takes one sync. Only where a record may still be refused behind its entry
 *     (`refusesLate`; large records, whose memory may be taken away; those whose compression may fail) does the COMMIT
 *     wait until all are in.
 *   - A transaction without an end on disk was aborted. An ABORT only tells readers earlier.
 */
import { bytesOfPayload, type Payload, payloadBytes } from '../append/payload.js';
import { bytesOf, type Frame } from '../append/submission.js';
import type { Submitter } from '../append/submitter.js';
import { encode, encodeSync, isOffThread } from '../codec/encoder.js';
import { TooLargeError, TransactionAbortedError, TransactionEndedError } from '../errors.js';
import {
  ENCRYPTED,
  IN_TRANSACTION,
  RECORD_FULL,
  RECORD_TXN_ABORT,
  RECORD_TXN_BEGIN,
  RECORD_TXN_COMMIT,
} from '../format/record-frame.js';
import { LARGEST_PAYLOAD_BYTES, type ResolvedOptions, recordFlags } from '../options.js';
import type { LogState } from '../ring/log-state.js';
import type { SpanToken } from '../ring/producer.js';

/**
 * A transaction of the thread that began it. Appends of others, and other transactions, may lie between its records.
 * What is neither committed nor aborted keeps its part of the log from being freed.
 */
export interface Transaction extends AsyncDisposable {
  /** Its number, which no other transaction of the log has, also after reopening: `transaction` of its records. */
  readonly id: number;

  /**
   * Appends one record, of up to 1 GiB; resolves with its LSN once it is on stable storage. It takes effect with the
   * commit.
   *
   * Rejects as `append` of the log does. That aborts the transaction, and `commit` tells of it too: so the rejection
   * may be left unhandled. Also rejects with RINGWAL_TRANSACTION_ABORTED after an earlier one was rejected, and with
   * RINGWAL_TRANSACTION_ENDED after `commit` or `abort`.
   */
  append(payload: Payload): Promise<number>;

  /**
   * Has all its records take effect; resolves with the LSN of the commit once that is on stable storage. There is no
   * need to await the appends before. Without records it writes nothing and resolves with the last durable LSN.
   *
   * Rejects with RINGWAL_TRANSACTION_ABORTED when an append was rejected (`cause`), with RINGWAL_TRANSACTION_ENDED
   * after `commit` or `abort`, with RINGWAL_CLOSED or RINGWAL_ENCRYPTION (nothing took effect), and with RINGWAL_POISONED
   * or RINGWAL_WORKER_DIED (it may or may not be committed).
   */
  commit(): Promise<number>;

  /**
   * Gives it up: its records never take effect. Resolves once that is said on disk, at once when the log has ended.
   * May be called more than once; rejects with RINGWAL_TRANSACTION_ENDED after `commit`, unless that found it aborted.
   */
  abort(): Promise<void>;

  /** Aborts it, unless it was committed: then waits for that. Never rejects. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What transactions are begun on. */
export interface TransactionSource {
  /**
   * Begins a transaction: records that take effect together, when it is committed, or never. Writes nothing yet; any
   * number may be open at once. What is open when the log, or this thread's part in it, is closed, or ends without, is
   * aborted. Throws RINGWAL_CLOSED, RINGWAL_POISONED or RINGWAL_WORKER_DIED when the log takes no append.
   */
  begin(): Transaction;
}

/** Its way into the log. */
export type TransactionRing = Pick<Submitter, 'submit' | 'submitLarge' | 'defer' | 'refusal' | 'inFlight'>;

export interface TransactionTerms
  extends Pick<
    ResolvedOptions,
    'maxGroupBytes' | 'maxGroupRecords' | 'recordChecksums' | 'isEncrypted' | 'compression'
  > {
  /** Whether a record that is in the ring, or waits for it, may be refused while the log goes on. */
  readonly refusesLate: boolean;
}

/** How far it is; `closing`: the COMMIT waits for the records. */
type Phase = 'open' | 'closing' | 'committing' | 'aborted';

const NOTHING = new Uint8Array(0);

export class RingTransaction implements Transaction {
  readonly id: number;
  readonly #ring: TransactionRing;
  readonly #state: LogState;
  readonly #terms: TransactionTerms;
  /** Those of the thread that have begun, and whose end is not on its way. */
  readonly #open: Set<RingTransaction>;
  #phase: Phase = 'open';
  /** Whether BEGIN is in the ring, or waits for it; and the span, once it is in. */
  #hasBegun = false;
  #span: SpanToken | undefined;
  /** Whether one of its records holds a place in the queue that it may lose: it is large, or being compressed. */
  #mayLose = false;
  /** Why it was aborted, if not by its user. */
  #failure: Promise<unknown> | undefined;
  /** Settles with its end. */
  #ended: Promise<unknown> = Promise.resolve();
  /** Appends that are not settled, and who waits for them. */
  #unsettled = 0;
  #onSettled: () => void = ignore;

  constructor(ring: TransactionRing, state: LogState, terms: TransactionTerms, open: Set<RingTransaction>) {
    this.#ring = ring;
    this.#state = state;
    this.#terms = terms;
    this.#open = open;
    this.id = state.nextSpanId();
  }

  append(payload: Payload): Promise<number> {
    const ended = this.#refusal();
    if (this.#failure !== undefined) ended?.catch(ignore);
    if (ended !== undefined) return ended;
    const appended = this.#put(payload);
    this.#unsettled++;
    appended.then(this.#settled, (error: unknown) => {
      this.#fail(Promise.resolve(error));
      this.#settled();
    });
    return appended;
  }

  commit(): Promise<number> {
    const ended = this.#refusal();
    if (ended !== undefined) return ended;
    const refused = this.#ring.refusal();
    if (refused) {
      this.#phase = 'aborted';
      return Promise.reject(refused);
    }
    const waits = (this.#terms.refusesLate || this.#mayLose) && this.#unsettled > 0;
    if (waits) this.#phase = 'closing';
    const committed = waits ? this.#commitBehindRecords() : this.#writeCommit();
    this.#ended = committed.catch(ignore);
    return committed;
  }

  async abort(): Promise<void> {
    if (this.#phase === 'open') this.#abort();
    if (this.#phase !== 'aborted') throw new TransactionEndedError('committed');
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#phase === 'open') this.#abort();
    await this.#ended;
  }

  /**
   * Its thread leaves the log, which goes on: says on disk that it never takes effect, or those who follow the log would
   * keep its records. Whoever calls it after that is told that the log is closed. One whose commit is under way has its end; one
   * that was aborted, too, unless its ABORT did not enter the ring.
   */
  abandon(): void {
    if (this.#open.has(this) && this.#phase !== 'closing') this.#writeEnd(RECORD_TXN_ABORT).catch(ignore);
  }

  /** Settles with the commit that waits for its records, if one does. */
  get committing(): Promise<unknown> | undefined {
    return this.#phase === 'closing' ? this.#ended : undefined;
  }

  /** Why it takes no more calls, if so. */
  #refusal(): Promise<never> | undefined {
    if (this.#failure !== undefined) return rejectedWith(this.#failure);
    if (this.#phase === 'open') return undefined;
    return Promise.reject(new TransactionEndedError(this.#phase === 'aborted' ? 'aborted' : 'committed'));
  }

  /** Puts a record into the ring, behind BEGIN; takes note when it is refused, also before its promise tells. */
  #put(payload: Payload): Promise<number> {
    try {
      const refused = this.#ring.refusal();
      if (refused) throw refused;
      const bytes = payloadBytes(payload);
      if (bytes > LARGEST_PAYLOAD_BYTES)
        throw new TooLargeError(`A record has at most ${LARGEST_PAYLOAD_BYTES} bytes.`);
      return this.#submit(bytesOfPayload(payload, bytes));
    } catch (error) {
      this.#fail(Promise.resolve(error));
      return Promise.reject(error);
    }
  }

  #submit(payload: Uint8Array): Promise<number> {
    const { maxGroupBytes, maxGroupRecords, compression } = this.#terms;
    const flags = IN_TRANSACTION | recordFlags(this.#terms);
    const plain: Frame = { type: RECORD_FULL, flags, transactionId: this.id, payload };
    if (isOffThread(compression, payload.length)) return this.#submitEncoded(plain);
    const record = encodeSync(plain, compression);
    const bytes = bytesOf(record);
    const begin = this.#boundary(RECORD_TXN_BEGIN);
    const isTogether = bytesOf(begin) + bytes <= maxGroupBytes && maxGroupRecords > 1;
    if (!this.#hasBegun && !isTogether) {
      const refused = this.#beginAlone(begin);
      if (refused) return refused;
    }
    const before = this.#ring.inFlight;
    let appended: Promise<number>;
    if (!this.#hasBegun) appended = this.#ring.submit([begin, record], this.#begins, (lsn) => lsn + 1);
    else if (bytes <= maxGroupBytes) appended = this.#ring.submit([record], {});
    else {
      this.#mayLose = true;
      appended = this.#ring.submitLarge(record, {});
    }
    if (this.#ring.inFlight > before) this.#begun();
    else this.#fail(appended.catch((error: unknown) => error));
    return appended;
  }

  /** A record that is compressed off this thread, holding its place meanwhile. */
  #submitEncoded(record: Frame): Promise<number> {
    const { compression } = this.#terms;
    if (!this.#hasBegun) {
      const refused = this.#beginAlone(this.#boundary(RECORD_TXN_BEGIN));
      if (refused) return refused;
    }
    this.#mayLose = true;
    // Of a copy, for a large record too: see Appender.
    const encoded = async (): Promise<Frame[]> => [
      await encode({ ...record, payload: new Uint8Array(record.payload) }, compression),
    ];
    const before = this.#ring.inFlight;
    const appended = this.#ring.defer(record.payload.length, encoded, {});
    if (this.#ring.inFlight === before) this.#fail(appended.catch((error: unknown) => error));
    return appended;
  }

  /**
   * Puts BEGIN into a chunk of its own, ahead of what does not fit beside it. It is never refused; but at the end of the stack
   * any call throws, and nothing of the transaction may enter then: a COMMIT without its BEGIN is damage to readers.
   */
  #beginAlone(begin: Frame): Promise<number> | undefined {
    const before = this.#ring.inFlight;
    const entered = this.#ring.submit([begin], this.#begins);
    if (this.#ring.inFlight > before) this.#begun();
    else this.#fail(entered.catch((error: unknown) => error));
    entered.catch(ignore);
    return this.#hasBegun ? undefined : entered;
  }

  async #commitBehindRecords(): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
    if (this.#failure !== undefined) return rejectedWith(this.#failure);
    const refused = this.#ring.refusal(true);
    if (refused) {
      this.#phase = 'aborted';
      throw refused;
    }
    return this.#writeCommit();
  }

  /** It is open as before when the COMMIT does not enter the ring. */
  #writeCommit(): Promise<number> {
    const committed = this.#hasBegun
      ? this.#writeEnd(RECORD_TXN_COMMIT)
      : Promise.resolve(this.#state.durableLsn);
    this.#phase = this.#open.has(this) ? 'open' : 'committing';
    return committed;
  }

  /** An append was rejected: nothing of it may take effect. */
  #fail(cause: Promise<unknown>): void {
    if (this.#phase !== 'open' && this.#phase !== 'closing') return;
    this.#failure = cause;
    this.#abort();
  }

  #abort(): void {
    this.#phase = 'aborted';
    const isOnDisk = this.#hasBegun && this.#ring.refusal() === undefined;
    if (isOnDisk) this.#ended = this.#writeEnd(RECORD_TXN_ABORT).catch(ignore);
  }

  #begun(): void {
    this.#hasBegun = true;
    this.#open.add(this);
  }

  /** Never refused either; see `#beginAlone`. */
  #writeEnd(type: number): Promise<number> {
    const before = this.#ring.inFlight;
    const ended = this.#ring.submit([this.#boundary(type)], { endsSpan: () => this.#span });
    if (this.#ring.inFlight > before) this.#open.delete(this);
    return ended;
  }

  #boundary(type: number): Frame {
    const flags = this.#terms.isEncrypted ? ENCRYPTED : 0;
    return { type, flags, transactionId: this.id, payload: NOTHING };
  }

  readonly #begins = {
    onSpan: (span: SpanToken): void => {
      this.#span = span;
    },
  };

  readonly #settled = (): void => {
    if (--this.#unsettled === 0) this.#onSettled();
  };
}

async function rejectedWith(cause: Promise<unknown>): Promise<never> {
  throw new TransactionAbortedError(await cause);
}

function ignore(): void {}
