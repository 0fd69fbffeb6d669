/**
 * producer: the caller's side of a ring pair: claim space, fill it, publish chunks, consume completions.
 *
 * Used by one thread. What is reserved is filled at once, and joins the *open chunk*, which `publish` hands to the I/O
 * worker. Filling may end half-way all the same: whoever appends at the end of the stack has any call throw. So it counts
 * only once its caller has said so (`beginFilling`, `isFilling`); else the next call takes it back.
 */
import { assert } from '../assert.js';
import { checksum, recordChecksum } from '../format/checksum.js';
import { FRAME_HEADER_BYTES, frameBytes, HAS_CHECKSUM } from '../format/record-frame.js';
import { isToChecksum } from './chunk-checksum.js';
import { ClaimSpace } from './claim.js';
import { sharedUs } from './clock.js';
import { type CompletedGroup, CompletionSlots } from './completion-slots.js';
import { parkAsync, wake } from './doorbell.js';
import {
  BEGINS_SPAN,
  CHECKPOINT,
  CHECKSUMMED,
  CHUNK_BYTES,
  CHUNK_CHECKSUM,
  CHUNK_EXPECTED_HIGH,
  CHUNK_EXPECTED_LOW,
  CHUNK_FLAGS,
  CHUNK_OFFSET,
  CHUNK_OLDEST_SPAN,
  CHUNK_PUBLISHED_US,
  CHUNK_RECORDS,
  CONDITIONAL,
  chunkSlot,
  DETACHED,
  PRODUCER_DOORBELL,
  PUBLISHED,
  type RingMemory,
  SLOTS,
  SPANS,
  SYNC,
  SYNCED,
  USED_BYTES,
} from './layout.js';
import { type LogState, WORKER_DOORBELL } from './log-state.js';

/** How many bytes and records one chunk may hold; a group takes whole chunks, so a group's own limits. */
export interface ChunkLimits {
  readonly bytes: number;
  readonly records: number;
}

/**
 * Takes what became of the oldest records not yet completed: `records` of them, from `firstLsn` on, with one of
 * the outcomes of layout.ts.
 */
export type OnCompletion = (firstLsn: number, records: number, outcome: number) => void;

/** A span that is open: the number of the chunk in which it began. */
export type SpanToken = number;

/** Chunks of these kinds hold what one call appended, and nothing else. */
const ALONE = CONDITIONAL | CHECKPOINT | SYNC;

export class RingProducer {
  readonly #words: Int32Array;
  readonly #frameWords: Int32Array;
  readonly #state: LogState;
  readonly #limits: ChunkLimits;
  readonly #space: ClaimSpace;
  /** The data area as bytes; payloads are written here at the offsets that `frame` returns. */
  readonly data: Buffer;
  #free: Buffer;

  readonly #completions: CompletionSlots;
  /** Chunks published, and those whose completion was consumed, modulo 2^32 as in shared memory. */
  #published = 0;
  #released = 0;
  /** Where each published chunk ends in the data area, by slot. */
  readonly #ends = new Int32Array(SLOTS);

  #openStart = 0;
  #openEnd = 0;
  #openRecords = 0;
  /** How many times was reserved in it; what was taken back counts, too. */
  #openAppends = 0;
  #openFlags = 0;
  #expectedLsn = 0;
  /**
   * Whether frames are being filled for which nobody answers yet. Cleared by who began that, by a plain store right behind
   * the one that parked the resolver of their promise, so that no call can throw in between.
   */
  isFilling = false;
  /** The open chunk before that, and the span that began since. */
  #keptEnd = 0;
  #keptRecords = 0;
  #keptFlags = 0;
  #keptSpan: SpanToken | undefined;
  /** Open spans by the number of the chunk in which they began, oldest first: how many. */
  readonly #spans = new Map<SpanToken, number>();
  /** `count` is where the ring's counters stand: 0, but for tests of their wrap. */
  constructor(ring: RingMemory, state: LogState, limits: ChunkLimits, count = 0) {
    this.#published = count;
    this.#released = count;
    this.#words = ring.words;
    this.#completions = new CompletionSlots(ring.words, count);
    this.data = Buffer.from(ring.data.buffer, ring.data.byteOffset, ring.data.byteLength);
    this.#free = this.data;
    this.#frameWords = new Int32Array(ring.data.buffer, ring.data.byteOffset, ring.data.byteLength >> 2);
    this.#state = state;
    this.#limits = limits;
    this.#space = new ClaimSpace(ring.data.byteLength);
  }

  /** Bytes filled and not yet published. */
  get openBytes(): number {
    return this.#openEnd - this.#openStart;
  }

  /** Bytes of the data area in use, open chunk included. */
  get usedBytes(): number {
    return this.#space.usedBytes;
  }

  /**
   * Makes room for `records` frames of `bytes` in all, contiguous and in one chunk with these flags, and returns
   * whether there is any; publishes the open chunk when they do not fit into it. `frame` calls for them must follow.
   */
  reserve(bytes: number, records: number, flags = 0): boolean {
    if (this.isFilling) this.#takeBack();
    const offset = this.#space.find(bytes);
    if (offset < 0) return false;
    if (this.#openRecords > 0) {
      const fits =
        offset === this.#openEnd &&
        flags === (this.#openFlags & ~BEGINS_SPAN) &&
        (flags & ALONE) === 0 &&
        this.openBytes + bytes <= this.#limits.bytes &&
        this.#openRecords + records <= this.#limits.records;
      if (!fits && !this.publish()) return false;
    }
    if (this.#openRecords === 0) {
      this.#openStart = offset;
      this.#openEnd = offset;
      this.#openFlags = flags;
      this.#openAppends = 0;
    }
    this.#openAppends++;
    return true;
  }

  /** Behind `reserve`: what is filled now counts once `isFilling` is cleared. */
  beginFilling(): void {
    this.#space.keep();
    this.#keptEnd = this.#openEnd;
    this.#keptRecords = this.#openRecords;
    this.#keptFlags = this.#openFlags;
    this.#keptSpan = undefined;
    this.isFilling = true;
  }

  /** Takes back what was filled in part: nobody waits for it, and it must not be written. */
  #takeBack(): void {
    this.#space.restore();
    this.#openEnd = this.#keptEnd;
    this.#openRecords = this.#keptRecords;
    this.#openFlags = this.#keptFlags;
    this.isFilling = false;
    if (this.#keptSpan !== undefined) this.endSpan(this.#keptSpan); // last: if it throws, not a second time
  }

  /** The LSN that the first record of the open chunk, which was reserved as CONDITIONAL, must get. */
  expect(lsn: number): void {
    this.#expectedLsn = lsn;
  }

  /** Says that the next frame of the open chunk begins a span. */
  beginSpan(): SpanToken {
    this.#openFlags |= BEGINS_SPAN;
    const token = this.#published;
    this.#spans.set(token, (this.#spans.get(token) ?? 0) + 1);
    this.#keptSpan = token;
    return token;
  }

  /** Says that a span ends with what was filled last, or is given up. */
  endSpan(token: SpanToken): void {
    const open = (this.#spans.get(token) ?? 0) - 1;
    if (open > 0) this.#spans.set(token, open);
    else this.#spans.delete(token);
  }

  /**
   * Claims one frame of the space just reserved and writes its header and the zeros behind the payload;
   * returns where in `data` the payload goes. Its bytes must be written before anything else is called.
   * `typeAndFlags` is the frame's second word; `bytes` is the whole frame's size, if it is not the usual one.
   */
  frame(typeAndFlags: number, payloadBytes: number, bytes = frameBytes(payloadBytes)): number {
    const offset = this.#openEnd;
    this.#space.claim(offset, bytes);
    const word = offset >> 2;
    // The last 12 bytes hold the padding and the checksum; zeroed before the payload covers its part of them, and
    // before the header, which in a short frame is among them.
    if (bytes > FRAME_HEADER_BYTES) this.#frameWords[word + (bytes >> 2) - 3] = 0;
    this.#frameWords[word + (bytes >> 2) - 2] = 0;
    this.#frameWords[word + (bytes >> 2) - 1] = 0;
    this.#frameWords[word] = payloadBytes;
    this.#frameWords[word + 1] = typeAndFlags;
    this.#openEnd = offset + bytes;
    this.#openRecords++;
    return offset + FRAME_HEADER_BYTES;
  }

  /**
   * The data area up to where the free bytes end that follow the last frame: what is written there too much is written
   * over again by the next frame, and harms nothing in flight.
   */
  get free(): Buffer {
    const { freeEnd } = this.#space;
    if (this.#free.length !== freeEnd) this.#free = this.data.subarray(0, freeEnd);
    return this.#free;
  }

  /** Puts the payload's checksum at the end of the frame whose content, of `bytes`, was written at `at`. */
  setChecksum(at: number, bytes: number): void {
    const end = at - FRAME_HEADER_BYTES + frameBytes(bytes, HAS_CHECKSUM);
    this.#frameWords[(end >> 2) - 1] = recordChecksum(this.data.subarray(at, at + bytes));
  }

  /** Hands the open chunk to the I/O worker and wakes it if it sleeps. False: no slot is free now. */
  publish(): boolean {
    if (this.isFilling) this.#takeBack();
    if (this.#openRecords === 0) return true;
    if (!this.#hasSlot()) return false;
    this.#hand(this.openBytes, this.#openRecords, this.#openFlags);
    return true;
  }

  /** Publishes the open chunk and, behind it, one without records, which is completed once all is durable. */
  publishSync(): boolean {
    if (!this.publish() || !this.#hasSlot()) return false;
    this.#hand(0, 0, SYNC);
    return true;
  }

  #hasSlot(): boolean {
    return ((this.#published - this.#released) | 0) < SLOTS; // R1
  }

  #hand(bytes: number, records: number, flags: number): void {
    const words = this.#words;
    const slot = chunkSlot(this.#published);
    words[slot + CHUNK_OFFSET] = this.#openStart;
    words[slot + CHUNK_BYTES] = bytes;
    words[slot + CHUNK_RECORDS] = records;
    words[slot + CHUNK_FLAGS] = flags;
    words[slot + CHUNK_PUBLISHED_US] = sharedUs();
    if (this.#spans.size > 0) {
      words[slot + CHUNK_FLAGS] = flags | SPANS;
      words[slot + CHUNK_OLDEST_SPAN] = this.#spans.keys().next().value as SpanToken;
    }
    if ((flags & CONDITIONAL) !== 0) {
      words[slot + CHUNK_EXPECTED_LOW] = this.#expectedLsn | 0;
      words[slot + CHUNK_EXPECTED_HIGH] = Math.floor(this.#expectedLsn / 0x1_0000_0000);
    } else if (isToChecksum(bytes, this.#openAppends, flags, this.#space.usedBytes - bytes)) {
      words[slot + CHUNK_FLAGS] = (words[slot + CHUNK_FLAGS] as number) | CHECKSUMMED;
      words[slot + CHUNK_CHECKSUM] =
        checksum(this.data.subarray(this.#openStart, this.#openStart + bytes), 0) | 0;
    }
    this.#ends[this.#published & (SLOTS - 1)] = this.#openStart + bytes;
    words[USED_BYTES] = this.#space.usedBytes;
    Atomics.store(words, PUBLISHED, (this.#published + 1) | 0); // R3: frames and slot become visible here
    // By plain stores: if a call threw in between, the same chunk would be handed over a second time.
    this.#published = (this.#published + 1) | 0;
    this.#openStart = this.#openEnd;
    this.#openRecords = 0;
    wake(this.#state.words, WORKER_DOORBELL); // R4: after the store
  }

  /** Whether a completion waits to be consumed. */
  hasCompletions(): boolean {
    return this.#completions.hasAny();
  }

  /** The group of the completion that is being consumed. */
  get completedGroup(): CompletedGroup {
    return this.#completions.group;
  }

  /** Consumes all completions that are there, in order, and frees what they cover. */
  consume(onCompletion: OnCompletion): void {
    if (this.isFilling) this.#takeBack();
    const completions = this.#completions;
    const posted = completions.posted();
    while (completions.next(posted)) {
      const { firstLsn, records, chunks, outcome } = completions;
      this.#released = (this.#released + chunks) | 0;
      assert(((this.#published - this.#released) | 0) >= 0, 'R1 only published chunks are completed');
      // A SYNC has a completion of its own and no bytes.
      if (outcome !== SYNCED) this.#space.release(this.#ends[(this.#released - 1) & (SLOTS - 1)] as number);
      this.#words[USED_BYTES] = this.#space.usedBytes;
      onCompletion(firstLsn, records, outcome);
    }
  }

  /** Waits, without blocking, until the I/O worker or a closing log rings; see `parkAsync`. */
  park(timeoutMs: number | undefined, hasWork: () => boolean): Promise<void> | undefined {
    return parkAsync(this.#words, PRODUCER_DOORBELL, timeoutMs, hasWork);
  }

  /** Says that nothing more will be published. The worker still takes what was. */
  detach(): void {
    Atomics.store(this.#words, DETACHED, 1);
    wake(this.#words, PRODUCER_DOORBELL); // ends our own wait, which would otherwise never be freed
    wake(this.#state.words, WORKER_DOORBELL);
  }
}
