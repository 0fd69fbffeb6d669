/**
 * producer: the caller's side of a ring pair: claim space, fill it, publish chunks, consume completions.
 *
 * Used by one thread. Between `claim` and the next call nothing else runs, so a claim is filled at once and
 * never abandoned half-way; what is filled joins the *open chunk*, which `publish` hands to the I/O worker.
 */
import { assert } from '../assert.js';
import { FRAME_HEADER_BYTES, frameBytes } from '../format/record-frame.js';
import { ClaimSpace } from './claim.js';
import { parkAsync, wake } from './doorbell.js';
import {
  COMPLETED,
  chunkSlot,
  completionSlot,
  DETACHED,
  PRODUCER_DOORBELL,
  PUBLISHED,
  type RingMemory,
  SLOTS,
} from './layout.js';
import { type LogState, WORKER_DOORBELL } from './log-state.js';

/** How many bytes and records one chunk may hold; a group takes whole chunks, so a group's own limits. */
export interface ChunkLimits {
  readonly bytes: number;
  readonly records: number;
}

/** Takes the outcome of one group: `records` records, the oldest not yet completed, from `firstLsn` on. */
export type OnCompletion = (firstLsn: number, records: number) => void;

export class RingProducer {
  readonly #words: Int32Array;
  readonly #frameWords: Int32Array;
  readonly #state: LogState;
  readonly #limits: ChunkLimits;
  readonly #space: ClaimSpace;
  /** The data area as bytes; payloads are written here at the offsets that `claim` returns. */
  readonly data: Buffer;

  /** Chunks published and completions consumed, modulo 2^32 as in shared memory. */
  #published = 0;
  #completed = 0;
  /** Chunks whose completion was consumed. */
  #released = 0;
  /** Where each published chunk ends in the data area, by slot. */
  readonly #ends = new Int32Array(SLOTS);

  #openStart = 0;
  #openEnd = 0;
  #openRecords = 0;

  /** `count` is where the ring's counters stand: 0, but for tests of their wrap. */
  constructor(ring: RingMemory, state: LogState, limits: ChunkLimits, count = 0) {
    this.#published = count;
    this.#completed = count;
    this.#released = count;
    this.#words = ring.words;
    this.data = Buffer.from(ring.data.buffer, ring.data.byteOffset, ring.data.byteLength);
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
   * Makes room for `records` frames of `bytes` in all, contiguous and in one chunk, and returns whether there
   * is any; publishes the open chunk when they do not fit into it. `frame` calls for them must follow.
   */
  reserve(bytes: number, records: number): boolean {
    const offset = this.#space.find(bytes);
    if (offset < 0) return false;
    if (this.#openRecords > 0) {
      const fits =
        offset === this.#openEnd &&
        this.openBytes + bytes <= this.#limits.bytes &&
        this.#openRecords + records <= this.#limits.records;
      if (!fits && !this.publish()) return false;
    }
    if (this.#openRecords === 0) {
      this.#openStart = offset;
      this.#openEnd = offset;
    }
    return true;
  }

  /**
   * Claims one frame of the space just reserved and writes its header and the zeros behind the payload;
   * returns where in `data` the payload goes. Its bytes must be written before anything else is called.
   */
  frame(type: number, payloadBytes: number): number {
    const bytes = frameBytes(payloadBytes);
    const offset = this.#openEnd;
    this.#space.claim(offset, bytes);
    const word = offset >> 2;
    // The last 8 bytes hold the padding; zeroed before the payload covers its part of them.
    this.#frameWords[word + (bytes >> 2) - 2] = 0;
    this.#frameWords[word + (bytes >> 2) - 1] = 0;
    this.#frameWords[word] = payloadBytes;
    this.#frameWords[word + 1] = type; // flags and reserved are zero
    this.#openEnd = offset + bytes;
    this.#openRecords++;
    return offset + FRAME_HEADER_BYTES;
  }

  /** Hands the open chunk to the I/O worker and wakes it if it sleeps. False: no slot is free now. */
  publish(): boolean {
    if (this.#openRecords === 0) return true;
    if (((this.#published - this.#released) | 0) >= SLOTS) return false; // R1
    const slot = chunkSlot(this.#published);
    this.#words[slot] = this.#openStart;
    this.#words[slot + 1] = this.openBytes;
    this.#words[slot + 2] = this.#openRecords;
    this.#ends[this.#published & (SLOTS - 1)] = this.#openEnd;
    this.#published = (this.#published + 1) | 0;
    this.#openStart = this.#openEnd;
    this.#openRecords = 0;
    Atomics.store(this.#words, PUBLISHED, this.#published); // R3: frames and slot become visible here
    wake(this.#state.words, WORKER_DOORBELL); // R4: after the store
    return true;
  }

  /** Whether a completion waits to be consumed. */
  hasCompletions(): boolean {
    return Atomics.load(this.#words, COMPLETED) !== this.#completed;
  }

  /** Consumes all completions that are there, in order, and frees what they cover. */
  consume(onCompletion: OnCompletion): void {
    const posted = Atomics.load(this.#words, COMPLETED); // R3: their slots are visible from here on
    while (this.#completed !== posted) {
      const slot = completionSlot(this.#completed);
      const low = (this.#words[slot] as number) >>> 0;
      const high = (this.#words[slot + 1] as number) >>> 0;
      const records = this.#words[slot + 2] as number;
      const chunks = this.#words[slot + 3] as number;
      this.#completed = (this.#completed + 1) | 0;
      this.#released = (this.#released + chunks) | 0;
      assert(((this.#published - this.#released) | 0) >= 0, 'R1 only published chunks are completed');
      this.#space.release(this.#ends[(this.#released - 1) & (SLOTS - 1)] as number);
      onCompletion(high * 0x1_0000_0000 + low, records);
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
