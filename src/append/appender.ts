/**
 * appender: the calls by which records are appended: checks, options, and the plain way for plain records.
 *
 * A plain record is copied into the ring and its promise's resolver parked; that is all that its caller pays. What
 * is more than plain becomes a submission.
 */
import { encode, encodeSync, isOffThread } from '../codec/encoder.js';
import { SEAL_OVERHEAD_BYTES } from '../codec/encryption.js';
import { InvalidArgumentError, TooLargeError } from '../errors.js';
import { frameBytes, RECORD_CHECKPOINT, RECORD_FULL } from '../format/record-frame.js';
import { LARGEST_PAYLOAD_BYTES, maxPayloadBytes, type ResolvedOptions, recordFlags } from '../options.js';
import { CHECKPOINT } from '../ring/layout.js';
import {
  type AppendOptions,
  checkAppendOptions,
  type LsnRange,
  type Receipt,
  termsOf,
} from './append-options.js';
import { bytesOfPayload, type Payload, payloadBytes } from './payload.js';
import type { Frame, SubmissionTerms } from './submission.js';
import type { Submitter } from './submitter.js';

export class Appender {
  readonly #submitter: Submitter;
  readonly #options: ResolvedOptions;
  readonly #maxPayloadBytes: number;
  /** Flags of every record. */
  readonly #recordFlags: number;
  /** Whether payloads go into the log as they are. */
  readonly #isPlain: boolean;

  constructor(submitter: Submitter, options: ResolvedOptions) {
    this.#submitter = submitter;
    this.#options = options;
    this.#maxPayloadBytes = maxPayloadBytes(options);
    this.#recordFlags = recordFlags(options);
    this.#isPlain = options.compression === undefined && !options.isEncrypted;
  }

  append(payload: Payload, options?: AppendOptions): Promise<number | Receipt> {
    try {
      const bytes = this.#check(payload, options);
      const isPlain = options === undefined && this.#isPlain && bytes <= this.#maxPayloadBytes;
      return (isPlain && this.#enter(payload, bytes)) || this.#appendAs(RECORD_FULL, payload, bytes, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  tryAppend(payload: Payload): Promise<number> | undefined {
    try {
      const bytes = this.#check(payload, undefined);
      if (bytes > this.#maxPayloadBytes) throw this.#tooLarge(bytes);
      if (this.#isPlain) return this.#enter(payload, bytes);
      const frame = encodeSync(this.#frame(RECORD_FULL, payload, bytes), this.#options.compression);
      return this.#submitter.trySubmit([frame], {});
    } catch (error) {
      return Promise.reject(error);
    }
  }

  checkpoint(payload: Payload): Promise<number> {
    try {
      const bytes = this.#check(payload, undefined);
      if (bytes > this.#maxPayloadBytes) throw this.#tooLarge(bytes);
      return this.#appendAs(RECORD_CHECKPOINT, payload, bytes, undefined) as Promise<number>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async appendBatch(payloads: readonly Payload[], options?: AppendOptions): Promise<LsnRange> {
    if (!Array.isArray(payloads)) throw new InvalidArgumentError('A batch must be an array of payloads.');
    const records = payloads.length;
    if (records === 0) throw new InvalidArgumentError('A batch must hold at least one payload.');
    if (options?.receipt) throw new InvalidArgumentError('Option "receipt" is for single appends.');
    const { maxGroupBytes, maxGroupRecords } = this.#options;
    if (records > maxGroupRecords) {
      throw new TooLargeError(`A batch holds at most ${maxGroupRecords} records (option "maxGroupRecords").`);
    }
    // Each element is read once, and all before the first is measured: reading one may run code of the caller's, which may
    // throw, or take away the memory of another, and half of the batch would be in the ring when that shows.
    const own: Payload[] = new Array(records);
    for (let i = 0; i < records; i++) own[i] = payloads[i] as Payload;
    if (options !== undefined) checkAppendOptions(options);
    const terms = termsOf(options, 0);
    const refused = this.#submitter.refusal();
    if (refused) throw refused;
    const sizes: number[] = new Array(records);
    const sealBytes = this.#options.isEncrypted ? SEAL_OVERHEAD_BYTES : 0;
    let total = 0;
    for (let i = 0; i < records; i++) {
      const bytes = payloadBytes(own[i] as Payload);
      sizes[i] = bytes;
      total += frameBytes(bytes + sealBytes, this.#recordFlags);
    }
    if (total > maxGroupBytes) {
      throw new TooLargeError(
        `The batch takes ${total} bytes; at most ${maxGroupBytes} fit into one group (option "maxGroupBytes").`,
      );
    }
    let first: Promise<number>;
    const { compression } = this.#options;
    if (options === undefined && this.#isPlain && this.#submitter.reserve(total, records)) {
      for (let i = 0; i < records; i++)
        this.#submitter.put(own[i] as Payload, sizes[i] as number, this.#recordFlags);
      first = this.#submitter.settleBatch(records);
    } else {
      const frames = own.map((payload, i) => this.#frame(RECORD_FULL, payload, sizes[i] as number));
      first = sizes.some((bytes) => isOffThread(compression, bytes))
        ? this.#encodeAndSubmit(frames, total, terms)
        : this.#submitter.submit(
            frames.map((frame) => encodeSync(frame, compression)),
            terms,
          );
    }
    const lsn = await first;
    return { first: lsn, last: lsn + records - 1 };
  }

  /** Checks everything that may refuse an append before anything is changed; returns the payload's length. */
  #check(payload: Payload, options: AppendOptions | undefined): number {
    const refused = this.#submitter.refusal();
    if (refused) throw refused;
    if (options !== undefined) checkAppendOptions(options);
    return payloadBytes(payload);
  }

  #tooLarge(bytes: number): TooLargeError {
    return new TooLargeError(
      `The record has ${bytes} bytes; at most ${this.#maxPayloadBytes} fit into one group (option "maxGroupBytes").`,
    );
  }

  /** Puts one plain record into the ring, unless it has no room or others wait for it. */
  #enter(payload: Payload, bytes: number): Promise<number> | undefined {
    const flags = this.#recordFlags;
    if (!this.#submitter.reserve(frameBytes(bytes, flags), 1)) return undefined;
    this.#submitter.put(payload, bytes, flags);
    return this.#submitter.settle();
  }

  #frame(type: number, payload: Payload, bytes: number): Frame {
    return { type, flags: this.#recordFlags, payload: bytesOfPayload(payload, bytes) };
  }

  /** An append that is more than plain. */
  #appendAs(
    type: number,
    payload: Payload,
    bytes: number,
    options: AppendOptions | undefined,
  ): Promise<number | Receipt> {
    const terms = termsOf(options, type === RECORD_CHECKPOINT ? CHECKPOINT : 0);
    const frame = this.#frame(type, payload, bytes);
    const isLarge = bytes > this.#maxPayloadBytes;
    if (isLarge && (bytes > LARGEST_PAYLOAD_BYTES || options?.expectedLsn !== undefined))
      throw this.#tooLarge(bytes);
    const start = performance.now();
    const receipt = options?.receipt ? (lsn: number) => this.#receipt(lsn, bytes, start) : undefined;
    const { compression } = this.#options;
    if (isOffThread(compression, bytes)) return this.#encodeAndSubmit([frame], bytes, terms, receipt);
    return this.#submitter.submit([encodeSync(frame, compression)], terms, receipt);
  }

  /** Has frames that take long to compress hold their place, with `bytes` bytes of their own. */
  #encodeAndSubmit<T = number>(
    frames: readonly Frame[],
    bytes: number,
    terms: SubmissionTerms,
    map?: (lsn: number) => T,
  ): Promise<T> {
    const { compression } = this.#options;
    // Of a copy, for a large record too: Node aborts the process when memory is detached that zlib is at work on.
    const own = (frame: Frame): Promise<Frame> =>
      encode({ ...frame, payload: new Uint8Array(frame.payload) }, compression);
    return this.#submitter.defer(bytes, async () => Promise.all(frames.map(own)), terms, map);
  }

  /** Called while the record's completion is being consumed. */
  #receipt(lsn: number, bytes: number, start: number): Receipt {
    const { records, syncUs, segment } = this.#submitter.completedGroup;
    const totalUs = (performance.now() - start) * 1000;
    const waitUs = Math.max(0, Math.round(totalUs - syncUs));
    return { lsn, bytes, groupSize: records, grouped: records > 1, waitUs, syncUs, segment };
  }
}
