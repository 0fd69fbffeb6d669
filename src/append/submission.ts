/**
 * submission: what one call puts into the ring: the frames of its records, and what the I/O worker must know of
 * them. Most appends never become one: they go into the ring at once (see appender).
 *
 * A submission enters the ring whole, in one chunk, or, when it is a large record, fragment by fragment as there is
 * room. Its bytes are taken as it enters, or copied when it has to wait; except for those of a large record,
 * which are borrowed from the caller until it is settled: a copy of a gigabyte would be what bounded memory is
 * meant to prevent.
 */
import { SEAL_OVERHEAD_BYTES, SEAL_PREFIX_BYTES } from '../codec/encryption.js';
import { checksum, maskedChecksum } from '../format/checksum.js';
import {
  CHECKSUM_BYTES,
  ENCRYPTED,
  FRAME_HEADER_BYTES,
  frameBytes,
  HAS_CHECKSUM,
  ID_BYTES,
  idBytes,
  RECORD_FIRST,
  RECORD_LAST,
  RECORD_MIDDLE,
  typeAndFlags,
} from '../format/record-frame.js';
import type { RingProducer, SpanToken } from '../ring/producer.js';
import { copyBytes, memoryIsGone } from './payload.js';
import { type PendingAppends, type Reject, type Resolve, UNTIL_SYNC } from './pending.js';

/** One record, or fragment of one, as it is to be framed. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  /** With IN_TRANSACTION, and in records that begin or end one. */
  readonly transactionId?: number;
  /** In fragments. */
  readonly recordId?: number;
  readonly payload: Uint8Array;
  /** With HAS_CHECKSUM: of the payload as its caller gave it. */
  readonly checksum?: number;
}

/** What a submission asks for besides its frames' place in the log. */
export interface SubmissionTerms {
  /** Flags of its chunk, see ring/layout. */
  readonly chunkFlags?: number;
  /** With CONDITIONAL. */
  readonly expectedLsn?: number;
  readonly signal?: AbortSignal | undefined;
  /** The span that ends with it. */
  readonly endsSpan?: () => SpanToken | undefined;
  /** It begins a span; told when it enters the ring. */
  readonly onSpan?: (token: SpanToken) => void;
}

/** Bytes of a frame's content: ids, payload, and what encryption puts around it. */
function contentBytes({ type, flags, payload }: Frame): number {
  return idBytes(type, flags) + payload.length + ((flags & ENCRYPTED) === 0 ? 0 : SEAL_OVERHEAD_BYTES);
}

/** Bytes that a frame takes in the ring. */
export function bytesOf(frame: Frame): number {
  return frameBytes(contentBytes(frame), frame.flags);
}

export class Submission {
  frames: readonly Frame[];
  readonly terms: SubmissionTerms;
  readonly resolve: Resolve;
  readonly reject: Reject;
  /** Bytes that its frames take in the ring, as far as they are copies. */
  readonly bytes: number;

  /** Whether a part of it is in the ring, so that it can no longer be taken back. */
  get hasBegun(): boolean {
    return false;
  }

  constructor(
    frames: readonly Frame[],
    bytes: number,
    terms: SubmissionTerms,
    resolve: Resolve,
    reject: Reject,
  ) {
    this.frames = frames;
    this.bytes = bytes;
    this.terms = terms;
    this.resolve = resolve;
    this.reject = reject;
  }

  /** It has to wait: takes the bytes that are still the caller's. */
  own(): void {
    this.frames = this.frames.map((frame) => ({ ...frame, payload: new Uint8Array(frame.payload) }));
  }

  /** Puts the frames into the ring, and itself behind what is pending. False: no room now. */
  enter(ring: RingProducer, pending: PendingAppends): boolean {
    const { frames, terms } = this;
    const bytes = frames.reduce((sum, frame) => sum + bytesOf(frame), 0);
    if (!ring.reserve(bytes, frames.length, terms.chunkFlags)) return false;
    ring.beginFilling();
    if (terms.expectedLsn !== undefined) ring.expect(terms.expectedLsn);
    if (terms.onSpan) terms.onSpan(ring.beginSpan());
    for (const frame of frames) putFrame(ring, frame);
    const ended = terms.endsSpan?.();
    if (ended !== undefined) ring.endSpan(ended);
    pending.push(this.resolve, this.reject, frames.length);
    ring.isFilling = false;
    return true;
  }
}

/** No records: settles when everything before it has. Which number it resolves with means nothing. */
export class Barrier extends Submission {
  constructor(resolve: Resolve, reject: Reject) {
    super([], 0, {}, resolve, reject);
  }

  override enter(_ring: RingProducer, pending: PendingAppends): boolean {
    if (pending.length === 0) this.resolve(0);
    else pending.push(this.resolve, this.reject, 0);
    return true;
  }
}

/** No records: settles when everything before it is durable, also what was only to be written. */
export class SyncSubmission extends Submission {
  constructor(resolve: Resolve, reject: Reject) {
    super([], 0, {}, resolve, reject);
  }

  override enter(ring: RingProducer, pending: PendingAppends): boolean {
    if (!ring.publishSync()) return false;
    pending.push(this.resolve, this.reject, UNTIL_SYNC);
    return true;
  }
}

/** One whose frames are not known yet; it holds its place meanwhile. */
export class DeferredSubmission extends Submission {
  #known: Submission | undefined;

  override get hasBegun(): boolean {
    return this.#known?.hasBegun ?? false;
  }

  /** From now on it is what `make` makes. */
  become(make: (resolve: Resolve, reject: Reject) => Submission): void {
    this.#known = make(this.resolve, this.reject);
  }

  override own(): void {}

  override enter(ring: RingProducer, pending: PendingAppends): boolean {
    return this.#known?.enter(ring, pending) ?? false;
  }
}

/** A record larger than a group: its fragments are one span. */
export class LargeSubmission extends Submission {
  readonly #recordId: number;
  readonly #whole: Frame;
  /** Bytes of the payload when it was given; its memory may be taken away while it is borrowed. */
  readonly #payloadBytes: number;
  readonly #fragmentBytes: number;
  /** Whether its checksum is taken of what enters the ring; otherwise it has none, or it was given. */
  readonly #isSummed: boolean;
  #at = 0;
  /** CRC-32 of the bytes that have entered the ring. */
  #sum = 0;
  #span: SpanToken | undefined;
  #isGivenUp = false;

  constructor(
    whole: Frame,
    recordId: number,
    fragmentBytes: number,
    terms: SubmissionTerms,
    resolve: Resolve,
    reject: Reject,
  ) {
    super([], 0, terms, resolve, reject);
    this.#whole = whole;
    this.#isSummed = (whole.flags & HAS_CHECKSUM) !== 0 && whole.checksum === undefined;
    this.#payloadBytes = whole.payload.length;
    this.#recordId = recordId;
    this.#fragmentBytes = fragmentBytes;
  }

  override get hasBegun(): boolean {
    return this.#span !== undefined;
  }

  /** Its bytes stay the caller's. */
  override own(): void {}

  override enter(ring: RingProducer, pending: PendingAppends): boolean {
    const { payload } = this.#whole;
    for (;;) {
      if (payload.length !== this.#payloadBytes) return this.#giveUp(ring, pending);
      const end = Math.min(payload.length, this.#at + this.#fragmentBytes);
      const isLast = end === payload.length;
      const frame = this.#fragment(end, isLast);
      if (!ring.reserve(bytesOf(frame), 1, this.terms.chunkFlags)) return false;
      ring.beginFilling();
      this.#span ??= ring.beginSpan();
      const at = putFrame(ring, frame, this.#sum);
      if (this.#isSummed && !isLast)
        this.#sum = checksum(ring.data.subarray(at, at + frame.payload.length), this.#sum);
      this.#at = end;
      if (isLast) {
        ring.endSpan(this.#span);
        pending.push(this.resolve, this.reject, 1);
        ring.isFilling = false;
        return true;
      }
      pending.push(ignore, ignore, 1);
      ring.isFilling = false;
    }
  }

  /**
   * The payload's memory was detached or resized: what is in of the record stays without an end, and readers leave it
   * out. Rejects once the worker has learnt that the span is over, so that whoever hears of it is not told that the log
   * is busy with it; from a SYNC, as no record may follow.
   */
  #giveUp(ring: RingProducer, pending: PendingAppends): boolean {
    const reject = (): void => this.reject(memoryIsGone());
    if (this.#span === undefined) {
      reject();
      return true;
    }
    if (!this.#isGivenUp) ring.endSpan(this.#span);
    this.#isGivenUp = true;
    if (!ring.publishSync()) return false;
    pending.push(reject, this.reject, UNTIL_SYNC);
    return true;
  }

  #fragment(end: number, isLast: boolean): Frame {
    const { flags, payload, ...whole } = this.#whole;
    const type = isLast ? RECORD_LAST : this.#at === 0 ? RECORD_FIRST : RECORD_MIDDLE;
    const part = payload.subarray(this.#at, end);
    return {
      ...whole,
      type,
      flags: isLast ? flags : flags & ~HAS_CHECKSUM,
      recordId: this.#recordId,
      payload: part,
    };
  }
}

function ignore(): void {}

/**
 * Writes one frame into the space that was reserved for it, and returns where in the ring its payload lies. `sumBefore`:
 * CRC-32 of the record's bytes in the fragments before it.
 */
function putFrame(ring: RingProducer, frame: Frame, sumBefore = 0): number {
  const { type, flags, payload, transactionId, recordId } = frame;
  const bytes = bytesOf(frame);
  const start = ring.frame(typeAndFlags(type, flags), contentBytes(frame), bytes);
  let at = start;
  if (transactionId !== undefined) at = putId(ring.data, at, transactionId);
  if (recordId !== undefined) at = putId(ring.data, at, recordId);
  // The I/O worker encrypts it where it lies.
  if ((flags & ENCRYPTED) !== 0) at += SEAL_PREFIX_BYTES;
  copyBytes(payload, payload.length, ring.data, at);
  if ((flags & HAS_CHECKSUM) !== 0) {
    // Of the bytes in the ring: another thread may write to those of the caller, and the record would be damaged by us.
    const sum =
      frame.checksum ?? maskedChecksum(checksum(ring.data.subarray(at, at + payload.length), sumBefore));
    ring.data.writeUInt32LE(sum, start - FRAME_HEADER_BYTES + bytes - CHECKSUM_BYTES);
  }
  return at;
}

function putId(data: Buffer, at: number, id: number): number {
  data.writeUInt32LE(id >>> 0, at);
  data.writeUInt32LE(Math.floor(id / 0x1_0000_0000), at + 4);
  return at + ID_BYTES;
}
