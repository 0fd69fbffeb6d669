/**
 * transaction: records that take effect together, with their commit, or never; a module on top of submissions.
 *
 * The log holds TXN_BEGIN, the records, and TXN_COMMIT or TXN_ABORT, with those of other threads and transactions in
 * between; readers put them in order. All of a transaction goes through one ring, so its frames lie in the order of
 * the calls, and its commit never comes before its records. What has no commit, also because the process died or the
 * log was closed, was aborted. From its first frame to its last it is one span: garbage collection keeps its
 * beginning until it ends.
 */
import { bytesOfPayload, type Payload, payloadBytes } from '../append/payload.js';
import type { Frame, SubmissionTerms } from '../append/submission.js';
import type { Submitter } from '../append/submitter.js';
import type { Compression } from '../codec/compression.js';
import { encode, encodeSync, isOffThread } from '../codec/encoder.js';
import { TooLargeError, TransactionEndedError } from '../errors.js';
import {
  FRAME_HEADER_BYTES,
  ID_BYTES,
  IN_TRANSACTION,
  RECORD_FULL,
  RECORD_TXN_ABORT,
  RECORD_TXN_BEGIN,
  RECORD_TXN_COMMIT,
} from '../format/record-frame.js';
import { LARGEST_PAYLOAD_BYTES, maxPayloadBytes, type ResolvedOptions, recordFlags } from '../options.js';
import type { SpanToken } from '../ring/producer.js';

/** What a record of a transaction takes beside a plain one: its id; and the frame that begins it, in one chunk. */
const EXTRA_BYTES = ID_BYTES + (FRAME_HEADER_BYTES + ID_BYTES);
const NOTHING = new Uint8Array(0);

export class Transaction implements AsyncDisposable {
  /** Its number: no other transaction of the log has the same. */
  readonly id: number;
  readonly #submitter: Submitter;
  readonly #recordFlags: number;
  readonly #compression: Compression | undefined;
  readonly #maxPayloadBytes: number;
  #state: 'open' | 'committed' | 'aborted' = 'open';
  #hasBegun = false;
  #span: SpanToken | undefined;
  /** Why a record of it is not in the log, once that is so. */
  #failure: unknown;

  /** Called by `log.begin()`. */
  constructor(id: number, submitter: Submitter, options: ResolvedOptions) {
    this.id = id;
    this.#submitter = submitter;
    this.#recordFlags = IN_TRANSACTION | recordFlags(options);
    this.#compression = options.compression;
    this.#maxPayloadBytes = maxPayloadBytes(options) - EXTRA_BYTES;
  }

  /** Whether it has neither been committed nor aborted. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /**
   * Appends a record to the transaction; resolves with its LSN once it is on stable storage, which does not mean that
   * it takes effect. It need not be awaited before `commit`. When it rejects, the transaction can't be committed.
   *
   * Rejects as `log.append` does, and with RINGWAL_TRANSACTION_ENDED. A payload larger than a group must not change
   * until this resolves.
   */
  append(payload: Payload): Promise<number> {
    try {
      if (!this.isOpen) throw this.#ended();
      const refused = this.#submitter.refusal();
      if (refused) throw refused;
      const bytes = payloadBytes(payload);
      if (bytes > LARGEST_PAYLOAD_BYTES) {
        throw new TooLargeError(`The record has ${bytes} bytes; the largest has ${LARGEST_PAYLOAD_BYTES}.`);
      }
      const isLarge = bytes > this.#maxPayloadBytes;
      const record: Frame = {
        type: RECORD_FULL,
        flags: this.#recordFlags,
        transactionId: this.id,
        payload: bytesOfPayload(payload),
      };
      const isFirst = !this.#hasBegun;
      this.#hasBegun = true;
      if (isOffThread(this.#compression, bytes)) {
        if (isFirst) this.#begin();
        const owned = isLarge ? record : { ...record, payload: new Uint8Array(record.payload) };
        const encoded = async (): Promise<Frame[]> => [await encode(owned, this.#compression)];
        return this.#submitter.defer(isLarge ? 0 : bytes, encoded, this.#terms());
      }
      if (isLarge) {
        if (isFirst) this.#begin();
        return this.#submitter.submitLarge(record, this.#terms());
      }
      const encoded = encodeSync(record, this.#compression);
      if (!isFirst) return this.#submitter.submit([encoded], this.#terms());
      const frames = [this.#boundary(RECORD_TXN_BEGIN), encoded];
      return this.#submitter.submit(frames, this.#terms(true), (lsn) => lsn + 1);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Makes its records take effect, all together; resolves with the commit's LSN once that is on stable storage. Without
   * records it writes nothing, and resolves with the last durable LSN. Rejects with RINGWAL_TRANSACTION_ENDED, with
   * the append's error as its cause if one was rejected (the transaction is aborted then), and as `log.append` does:
   * RINGWAL_POISONED and RINGWAL_WORKER_DIED leave it in doubt until the log is opened again.
   */
  async commit(): Promise<number> {
    if (!this.isOpen) throw this.#ended();
    if (this.#failure !== undefined) {
      const cause = this.#failure;
      await this.abort();
      throw new TransactionEndedError('One of its appends was rejected, so the transaction was aborted.', {
        cause,
      });
    }
    this.#state = 'committed';
    if (!this.#hasBegun) return this.#submitter.sync();
    return this.#submitter.submit([this.#boundary(RECORD_TXN_COMMIT)], { endsSpan: () => this.#span });
  }

  /** Drops its records; resolves when that is in the log. Does nothing when it has ended already. Never rejects. */
  async abort(): Promise<void> {
    if (!this.isOpen) return;
    this.#state = 'aborted';
    const neverBegan = !this.#hasBegun || (this.#failure !== undefined && this.#span === undefined);
    // On a log that is closed or failed it is aborted by having no commit.
    if (neverBegan || this.#submitter.refusal() !== undefined) return;
    const ended = this.#submitter.submit([this.#boundary(RECORD_TXN_ABORT)], { endsSpan: () => this.#span });
    await ended.catch(() => {});
  }

  /** Aborts it, if it is open. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.abort();
  }

  /** Begins it in a chunk of its own, before a record that needs one. */
  #begin(): void {
    const begun = this.#submitter.submit([this.#boundary(RECORD_TXN_BEGIN)], this.#terms(true));
    begun.catch(() => {}); // the record's promise tells
  }

  #boundary(type: number): Frame {
    return { type, flags: 0, transactionId: this.id, payload: NOTHING };
  }

  #terms(isFirst = false): SubmissionTerms {
    const onFailure = (error: unknown): void => {
      this.#failure ??= error;
    };
    if (!isFirst) return { onFailure };
    const onSpan = (token: SpanToken): void => {
      this.#span = token;
    };
    return { onFailure, onSpan };
  }

  #ended(): TransactionEndedError {
    return new TransactionEndedError(`The transaction was ${this.#state}; begin another one.`);
  }
}
