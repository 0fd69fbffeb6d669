/**
 * consumer: the I/O worker's side of a ring pair: take published chunks, post completions.
 *
 * Chunks are looked at (`peek`), taken into a group (`take`) or refused (`refuse`), and once the group is done
 * completed all at once (`complete`). The worker reads descriptors and hands out views; it never looks at single
 * records.
 */
import { assert } from '../assert.js';
import { UNKNOWN_CHECKSUM } from '../format/checksum.js';
import { FRAME_ALIGNMENT, FRAME_HEADER_BYTES } from '../format/record-frame.js';
import { wake } from './doorbell.js';
import {
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
  COMMITTED,
  COMPLETED,
  COMPLETION_CHUNKS,
  COMPLETION_GROUP_BYTES,
  COMPLETION_GROUP_RECORDS,
  COMPLETION_LSN_HIGH,
  COMPLETION_LSN_LOW,
  COMPLETION_MORE,
  COMPLETION_OUTCOME,
  COMPLETION_RECORDS,
  COMPLETION_SEGMENT_HIGH,
  COMPLETION_SEGMENT_LOW,
  COMPLETION_SYNC_US,
  chunkSlot,
  completionSlot,
  DETACHED,
  PRODUCER_DOORBELL,
  PUBLISHED,
  type RingMemory,
  SLOTS,
  SYNC,
  USED_BYTES,
} from './layout.js';
import { OpenSpans } from './open-spans.js';

/** One chunk's descriptor, valid until the next `peek`. */
export interface Chunk {
  offset: number;
  bytes: number;
  records: number;
  flags: number;
  /** The LSN that a CONDITIONAL chunk must get. */
  expectedLsn: number;
  /** CRC-32 of its bytes, or UNKNOWN_CHECKSUM. */
  checksum: number;
  /** When it was published, see clock.ts. */
  publishedUs: number;
}

/** What is told of a group with each completion. */
export interface GroupOutcome {
  records: number;
  bytes: number;
  syncUs: number;
  segment: number;
}

/** Chunks of one ring with the same outcome. */
interface Outcome {
  readonly outcome: number;
  readonly records: number;
  readonly chunks: number;
  /** Of refused chunks: the LSN that they would have got. */
  readonly lsn: number;
}

export class RingConsumer {
  readonly #words: Int32Array;
  readonly #data: Uint8Array;
  readonly #chunk: Chunk = {
    offset: 0,
    bytes: 0,
    records: 0,
    flags: 0,
    expectedLsn: 0,
    checksum: UNKNOWN_CHECKSUM,
    publishedUs: 0,
  };
  /** Chunks taken and completions posted, modulo 2^32. */
  #taken = 0;
  #posted = 0;
  /** Of the group being built: chunks and records taken since the last completion or refusal. */
  #groupChunks = 0;
  #groupRecords = 0;
  /** What lies before those in the group, when it is not all of one kind. */
  #outcomes: Outcome[] = [];
  readonly spans = new OpenSpans();

  /** `count` is where the ring's counters stand, as for the producer. */
  constructor(ring: RingMemory, count = 0) {
    this.#taken = count;
    this.#posted = count;
    this.#words = ring.words;
    this.#data = ring.data;
  }

  /** Bytes of the data area that the producer last said to be in use. */
  get usedBytes(): number {
    return this.#words[USED_BYTES] as number;
  }

  get capacityBytes(): number {
    return this.#data.length;
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
    const words = this.#words;
    const slot = chunkSlot(this.#taken);
    const chunk = this.#chunk;
    chunk.offset = words[slot + CHUNK_OFFSET] as number;
    chunk.bytes = words[slot + CHUNK_BYTES] as number;
    chunk.records = words[slot + CHUNK_RECORDS] as number;
    chunk.flags = words[slot + CHUNK_FLAGS] as number;
    chunk.publishedUs = words[slot + CHUNK_PUBLISHED_US] as number;
    const isChecksummed = (chunk.flags & CHECKSUMMED) !== 0;
    chunk.checksum = isChecksummed ? (words[slot + CHUNK_CHECKSUM] as number) >>> 0 : UNKNOWN_CHECKSUM;
    if (chunk.flags !== 0) {
      const high = (words[slot + CHUNK_EXPECTED_HIGH] as number) >>> 0;
      chunk.expectedLsn = high * 0x1_0000_0000 + ((words[slot + CHUNK_EXPECTED_LOW] as number) >>> 0);
    }
    // Shared memory is written by another thread: what comes from it is checked before it is used as an index.
    assert(
      chunk.offset >= 0 &&
        chunk.bytes >= 0 &&
        chunk.offset + chunk.bytes <= this.#data.length &&
        (chunk.offset | chunk.bytes) % FRAME_ALIGNMENT === 0 &&
        chunk.records > 0 === ((chunk.flags & SYNC) === 0) &&
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
      sum.bytes += this.#words[slot + CHUNK_BYTES] as number;
      sum.records += this.#words[slot + CHUNK_RECORDS] as number;
    }
  }

  /** The frames of the chunk that `peek` returned. */
  view(): Uint8Array {
    const { offset, bytes } = this.#chunk;
    return this.#data.subarray(offset, offset + bytes);
  }

  /** Takes the chunk that `peek` returned into the group, its first record as `lsn`; returns a view of its frames. */
  take(lsn: number): Uint8Array {
    const { offset, bytes, records } = this.#chunk;
    this.#passOn(lsn);
    this.#groupChunks++;
    this.#groupRecords += records;
    return this.#data.subarray(offset, offset + bytes);
  }

  /** Takes the chunk that `peek` returned as one that needs no place in the group: a SYNC, or one refused. */
  settle(outcome: number, lsn: number): void {
    const { records } = this.#chunk;
    this.#passOn(lsn);
    if (this.#groupChunks > 0) this.#closeRun();
    this.#outcomes.push({ outcome, records, chunks: 1, lsn });
  }

  /** Whether this ring has a part in the group being built. */
  get isInGroup(): boolean {
    return this.#groupChunks > 0 || this.#outcomes.length > 0;
  }

  /**
   * Tells the producer what became of all that it has in the group, whose records of this ring begin with `firstLsn`; returns
   * the next LSN.
   */
  complete(firstLsn: number, group: GroupOutcome): number {
    let lsn = firstLsn;
    if (this.#outcomes.length > 0) {
      if (this.#groupChunks > 0) this.#closeRun();
      let more = this.#outcomes.length;
      for (const { outcome, records, chunks, lsn: own } of this.#outcomes) {
        this.#post(outcome, outcome === COMMITTED ? lsn : own, records, chunks, group, --more);
        if (outcome === COMMITTED) lsn += records;
      }
      this.#outcomes = [];
    } else {
      this.#post(COMMITTED, lsn, this.#groupRecords, this.#groupChunks, group, 0);
      lsn += this.#groupRecords;
      this.#groupChunks = 0;
      this.#groupRecords = 0;
    }
    Atomics.store(this.#words, COMPLETED, this.#posted); // R3: the slots become visible here
    this.ring();
    return lsn;
  }

  /** Wakes the producer if it sleeps: after a completion, or after the log's state changed. */
  ring(): void {
    wake(this.#words, PRODUCER_DOORBELL); // R4: after the store
  }

  /** Goes on to the next chunk. A refused one counts for spans, too: later chunks name it if one began in it. */
  #passOn(lsn: number): void {
    const oldest = this.#words[chunkSlot(this.#taken) + CHUNK_OLDEST_SPAN] as number;
    this.spans.took(this.#taken, lsn, this.#chunk.flags, oldest);
    this.#taken = (this.#taken + 1) | 0;
  }

  #closeRun(): void {
    this.#outcomes.push({
      outcome: COMMITTED,
      records: this.#groupRecords,
      chunks: this.#groupChunks,
      lsn: 0,
    });
    this.#groupChunks = 0;
    this.#groupRecords = 0;
  }

  /** A slot is free: each completion is for a chunk at least, and at most SLOTS of those are outstanding (R1). */
  #post(
    outcome: number,
    lsn: number,
    records: number,
    chunks: number,
    group: GroupOutcome,
    more: number,
  ): void {
    const words = this.#words;
    const slot = completionSlot(this.#posted);
    words[slot + COMPLETION_LSN_LOW] = lsn | 0;
    words[slot + COMPLETION_LSN_HIGH] = Math.floor(lsn / 0x1_0000_0000);
    words[slot + COMPLETION_RECORDS] = records;
    words[slot + COMPLETION_CHUNKS] = chunks;
    words[slot + COMPLETION_OUTCOME] = outcome;
    words[slot + COMPLETION_GROUP_RECORDS] = group.records;
    words[slot + COMPLETION_GROUP_BYTES] = group.bytes;
    words[slot + COMPLETION_SYNC_US] = group.syncUs;
    words[slot + COMPLETION_SEGMENT_LOW] = group.segment | 0;
    words[slot + COMPLETION_SEGMENT_HIGH] = Math.floor(group.segment / 0x1_0000_0000);
    words[slot + COMPLETION_MORE] = more;
    this.#posted = (this.#posted + 1) | 0;
  }
}

/** Bytes of all `rings` together, and of those the bytes in use. */
export function fillOf(
  rings: readonly RingConsumer[],
): Record<'ringsUsedBytes' | 'ringsCapacityBytes', number> {
  const fill = { ringsUsedBytes: 0, ringsCapacityBytes: 0 };
  for (const { usedBytes, capacityBytes } of rings) {
    fill.ringsUsedBytes += usedBytes;
    fill.ringsCapacityBytes += capacityBytes;
  }
  return fill;
}
