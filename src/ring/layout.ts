/**
 * layout: the bytes that one producer thread and the I/O worker share, and the rules both sides rely on.
 *
 * One block of shared memory holds a ring pair: a submission ring (record bytes and the chunks that describe
 * them, producer to worker) and a completion ring (worker to producer). One thread produces, one consumes.
 *
 *   word               stored by   loaded by   meaning
 *   PUBLISHED          producer    worker      chunks published since the ring was made, modulo 2^32
 *   COMPLETED          worker      producer    completions posted since the ring was made, modulo 2^32
 *   PRODUCER_DOORBELL  both        both        AWAKE or PARKED, see doorbell.ts
 *   DETACHED           producer    worker      1 once the producer publishes nothing more
 *
 * A *chunk* is a run of whole record frames that lie contiguously in the data area: offset, bytes, records.
 * It is the unit of publishing, and a group takes whole chunks, so a batch inside one chunk is never split.
 * A *completion* says that the oldest `chunks` chunks not yet completed are durable, with their first LSN and
 * number of records. Where chunks lie in the data area is the producer's business alone (claim.ts): their
 * descriptors say it, and completions give the space back.
 *
 *  R1  completed chunks <= taken <= published <= completed + SLOTS: slots are never overwritten unread.
 *  R2  Bytes of a published chunk, and its slot, do not change until its completion is consumed.
 *  R3  Frames and slot are plain stores, sequenced before `Atomics.store(PUBLISHED)`. The worker loads
 *      PUBLISHED with `Atomics.load` and only then reads slot and frames. The store synchronizes with the
 *      load that sees it, so the worker sees all of them. Completions: the same, the other way round.
 *  R4  A sleeping side is woken: it stores PARKED and *then* looks once more for work; the other side makes
 *      the work visible and *then* loads the doorbell. All four accesses are sequentially consistent, so at
 *      least one of the two sees the other (Dekker's argument); doorbell.ts has it in full.
 *
 * Counters are compared by difference modulo 2^32, so they may wrap.
 */

/** Chunks and completions that fit into their rings. A power of two. */
export const SLOTS = 1024;

/** Int32 words of a slot; the fourth is unused, so that a slot never straddles a cache line. */
const SLOT_WORDS = 4;

/** Words that different threads store lie two cache lines apart: adjacent lines are prefetched in pairs. */
const LINE_WORDS = 32;

export const PUBLISHED = 0;
export const COMPLETED = PUBLISHED + LINE_WORDS;
export const PRODUCER_DOORBELL = COMPLETED + LINE_WORDS;
export const DETACHED = PRODUCER_DOORBELL + LINE_WORDS;

const CHUNK_SLOTS = DETACHED + LINE_WORDS;
const COMPLETION_SLOTS = CHUNK_SLOTS + SLOTS * SLOT_WORDS;
const HEADER_WORDS = COMPLETION_SLOTS + SLOTS * SLOT_WORDS;

/** The data area starts here; a multiple of 8, as every chunk's offset within it is. */
const DATA_OFFSET_BYTES = HEADER_WORDS * 4;

/** First word of the slot of chunk number `n`: offset, bytes, records. */
export function chunkSlot(n: number): number {
  return CHUNK_SLOTS + (n & (SLOTS - 1)) * SLOT_WORDS;
}

/** First word of the slot of completion number `n`: first LSN (low, high), records, chunks. */
export function completionSlot(n: number): number {
  return COMPLETION_SLOTS + (n & (SLOTS - 1)) * SLOT_WORDS;
}

/** One ring pair's memory, seen from either side. */
export interface RingMemory {
  readonly buffer: SharedArrayBuffer;
  /** The words above, chunk slots and completion slots. */
  readonly words: Int32Array;
  /** The data area. */
  readonly data: Uint8Array;
}

/** Makes the zeroed memory of a ring pair whose data area holds `ringBytes`. */
export function createRing(ringBytes: number): RingMemory {
  return ringOver(new SharedArrayBuffer(DATA_OFFSET_BYTES + ringBytes));
}

/** Views over the memory of a ring pair that another thread made. */
export function ringOver(buffer: SharedArrayBuffer): RingMemory {
  return {
    buffer,
    words: new Int32Array(buffer, 0, HEADER_WORDS),
    data: new Uint8Array(buffer, DATA_OFFSET_BYTES),
  };
}
