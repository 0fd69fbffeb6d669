/**
 * consumer: the I/O worker's side of a ring pair: take published chunks, post completions.
 *
 * Chunks are looked at (`peek`), taken into a group (`take`) and, once durable, completed all at once
 * (`complete`). The worker reads descriptors and hands out views; it never looks at single records.
 */
import { assert } from '../assert.js';
import { FRAME_ALIGNMENT, FRAME_HEADER_BYTES } from '../format/record-frame.js';
import { wake } from './doorbell.js';
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

/** One chunk's descriptor, valid until the next `peek`. */
export interface Chunk {
  offset: number;
  bytes: number;
  records: number;
}

export class RingConsumer {
  readonly #words: Int32Array;
  readonly #data: Uint8Array;
  readonly #chunk: Chunk = { offset: 0, bytes: 0, records: 0 };
  /** Chunks taken and completions posted, modulo 2^32. */
  #taken = 0;
  #posted = 0;
  /** Of the group being built: chunks and records taken since the last completion. */
  #groupChunks = 0;
  #groupRecords = 0;

  /** `count` is where the ring's counters stand, as for the producer. */
  constructor(ring: RingMemory, count = 0) {
    this.#taken = count;
    this.#posted = count;
    this.#words = ring.words;
    this.#data = ring.data;
  }

  /** Whether a published chunk waits. */
  hasChunks(): boolean {
    return Atomics.load(this.#words, PUBLISHED) !== this.#taken;
  }

  /** Whether the producer has left. Only after this is true, `hasChunks() === false` is final. */
  get detached(): boolean {
    return Atomics.load(this.#words, DETACHED) !== 0;
  }

  /** Marks the ring as left, for a producer whose thread ended before it could. */
  abandon(): void {
    Atomics.store(this.#words, DETACHED, 1);
  }

  /** The oldest chunk not yet taken, or undefined. The object is reused. */
  peek(): Chunk | undefined {
    const published = Atomics.load(this.#words, PUBLISHED); // R3: slot and frames are visible from here on
    if (published === this.#taken) return undefined;
    assert(((published - this.#taken) | 0) <= SLOTS, 'R1 no more chunks are published than there are slots');
    const slot = chunkSlot(this.#taken);
    const chunk = this.#chunk;
    chunk.offset = this.#words[slot] as number;
    chunk.bytes = this.#words[slot + 1] as number;
    chunk.records = this.#words[slot + 2] as number;
    // Shared memory is written by another thread: what comes from it is checked before it is used as an index.
    assert(
      chunk.offset >= 0 &&
        chunk.bytes > 0 &&
        chunk.offset + chunk.bytes <= this.#data.length &&
        (chunk.offset | chunk.bytes) % FRAME_ALIGNMENT === 0 &&
        chunk.records > 0 &&
        chunk.records <= chunk.bytes / FRAME_HEADER_BYTES,
      'R2 a chunk lies inside its ring and holds whole frames',
    );
    return chunk;
  }

  /** Adds up the published chunks that are not yet taken. */
  addPending(sum: { bytes: number; records: number }): void {
    const published = Atomics.load(this.#words, PUBLISHED);
    for (let n = this.#taken; n !== published; n = (n + 1) | 0) {
      const slot = chunkSlot(n);
      sum.bytes += this.#words[slot + 1] as number;
      sum.records += this.#words[slot + 2] as number;
    }
  }

  /** Takes the chunk that `peek` returned into the group; returns a view of its frames. */
  take(): Uint8Array {
    const { offset, bytes, records } = this.#chunk;
    this.#taken = (this.#taken + 1) | 0;
    this.#groupChunks++;
    this.#groupRecords += records;
    return this.#data.subarray(offset, offset + bytes);
  }

  /** Records taken since the last completion. */
  get groupRecords(): number {
    return this.#groupRecords;
  }

  /** Tells the producer that all it has in the group is durable, from `firstLsn` on, and wakes it if it sleeps. */
  complete(firstLsn: number): void {
    const slot = completionSlot(this.#posted);
    this.#words[slot] = firstLsn | 0;
    this.#words[slot + 1] = Math.floor(firstLsn / 0x1_0000_0000);
    this.#words[slot + 2] = this.#groupRecords;
    this.#words[slot + 3] = this.#groupChunks;
    this.#posted = (this.#posted + 1) | 0;
    this.#groupChunks = 0;
    this.#groupRecords = 0;
    // A slot is free: completions outstanding never outnumber chunks outstanding, which are at most SLOTS (R1).
    Atomics.store(this.#words, COMPLETED, this.#posted); // R3: the slot becomes visible here
    this.ring();
  }

  /** Wakes the producer if it sleeps: after a completion, or after the log's state changed. */
  ring(): void {
    wake(this.#words, PRODUCER_DOORBELL); // R4: after the store
  }
}
