/**
 * layout: the bytes that one producer thread and the I/O worker share, and the rules both sides rely on.
 *
 * One block of shared memory holds a ring pair: a submission ring (record bytes and the chunks that describe
 * them, producer to worker) and a completion ring (worker to producer). One thread produces, one consumes.
 *
 *   word               stored by   loaded by   meaning
 *   PUBLISHED          producer    worker      chunks published since the ring was made, modulo 2^32
 *   USED_BYTES         producer    worker      bytes of the data area in use; for statistics: plain, and soon out of date
 *   COMPLETED          worker      producer    completions posted since the ring was made, modulo 2^32
 *   PRODUCER_DOORBELL  both        both        AWAKE or PARKED, see doorbell.ts
 *   DETACHED           producer    worker      1 once the producer publishes nothing more
 *
 * A *chunk* is a run of whole record frames that lie contiguously in the data area. It is the unit of
 * publishing, and a group takes whole chunks, so a batch inside one chunk is never split. What the I/O worker
 * must know about records, which it never looks at, is said of their chunk by flags; most chunks have none.
 * A *completion* says what became of the oldest `chunks` chunks not yet completed. Where chunks lie in the data
 * area is the producer's business alone (claim.ts): their descriptors say it, and completions give the space back.
 *
 *  R1  completed chunks <= taken <= published <= completed + SLOTS: slots are never overwritten unread.
 *  R2  Bytes of a published chunk, and its slot, do not change until its completion is consumed; but for records
 *      that are to be encrypted, which the worker encrypts in place before the chunk joins a group. So the checksum that
 *      a producer took of a chunk is that of the bytes that are written.
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

/** Int32 words of a chunk's slot and of a completion's: half a cache line, and a whole one. */
const CHUNK_SLOT_WORDS = 8;
const COMPLETION_SLOT_WORDS = 16;

/** Words that different threads store lie two cache lines apart: adjacent lines are prefetched in pairs. */
const LINE_WORDS = 32;

export const PUBLISHED = 0;
export const USED_BYTES = PUBLISHED + 1; // of the same writer, on the line that it has at hand
export const COMPLETED = PUBLISHED + LINE_WORDS;
export const PRODUCER_DOORBELL = COMPLETED + LINE_WORDS;
export const DETACHED = PRODUCER_DOORBELL + LINE_WORDS;

const CHUNK_SLOTS = DETACHED + LINE_WORDS;
const COMPLETION_SLOTS = CHUNK_SLOTS + SLOTS * CHUNK_SLOT_WORDS;
const HEADER_WORDS = COMPLETION_SLOTS + SLOTS * COMPLETION_SLOT_WORDS;

/** The data area starts here; a multiple of 8, as every chunk's offset within it is. */
const DATA_OFFSET_BYTES = HEADER_WORDS * 4;

/** First word of the slot of chunk number `n`. */
export function chunkSlot(n: number): number {
  return CHUNK_SLOTS + (n & (SLOTS - 1)) * CHUNK_SLOT_WORDS;
}

/** Words of a chunk's slot. */
export const CHUNK_OFFSET = 0;
export const CHUNK_BYTES = 1;
export const CHUNK_RECORDS = 2;
export const CHUNK_FLAGS = 3;
/** With CONDITIONAL: the LSN that the chunk's first record must get, low and high half. */
export const CHUNK_EXPECTED_LOW = 4;
export const CHUNK_EXPECTED_HIGH = 5;
/** With CHECKSUMMED, which goes with neither CONDITIONAL nor ENCRYPT: the CRC-32 of the chunk's bytes. */
export const CHUNK_CHECKSUM = CHUNK_EXPECTED_LOW;
/** With SPANS: the number of the chunk in which the oldest span that is open behind this chunk began. */
export const CHUNK_OLDEST_SPAN = 6;
/** When it was published, see clock.ts. */
export const CHUNK_PUBLISHED_US = 7;

/** Flags of a chunk. */
/** Refuse the chunk unless its first record gets the LSN that is expected. */
export const CONDITIONAL = 1;
/** The records may be completed when they are written; nobody waits for their sync. */
export const UNSYNCED = 2;
/** No records: complete it when all that was published before is durable. */
export const SYNC = 4;
/**
 * A span begins in this chunk: records that a reader must see together, up to one in a later chunk (the fragments
 * of a large record, a transaction).
 */
export const BEGINS_SPAN = 8;
/** Spans are open behind this chunk. */
export const SPANS = 16;
/** The chunk's only record is a checkpoint. */
export const CHECKPOINT = 32;
/** Records of this chunk are to be encrypted. */
export const ENCRYPT = 64;
/** The producer has taken the CRC-32 of the chunk's bytes. */
export const CHECKSUMMED = 128;

/** First word of the slot of completion number `n`. */
export function completionSlot(n: number): number {
  return COMPLETION_SLOTS + (n & (SLOTS - 1)) * COMPLETION_SLOT_WORDS;
}

/** Words of a completion's slot. */
/** LSN of the first record; for a refused chunk, the one that it would have got. */
export const COMPLETION_LSN_LOW = 0;
export const COMPLETION_LSN_HIGH = 1;
export const COMPLETION_RECORDS = 2;
export const COMPLETION_CHUNKS = 3;
export const COMPLETION_OUTCOME = 4;
/** Of the group: its records and bytes, what its write and sync took, and its segment's number, low and high. */
export const COMPLETION_GROUP_RECORDS = 5;
export const COMPLETION_GROUP_BYTES = 6;
export const COMPLETION_SYNC_US = 7;
export const COMPLETION_SEGMENT_LOW = 8;
export const COMPLETION_SEGMENT_HIGH = 9;
/** How many completions of the same group follow this one in its ring: they become visible together. */
export const COMPLETION_MORE = 10;

/** What became of chunks. */
/** They are in a group, durable unless they were UNSYNCED. */
export const COMMITTED = 0;
/** The chunk, a SYNC, is done: all before it is durable. */
export const SYNCED = 1;
/** The chunk, CONDITIONAL, was refused; nothing of it was written. */
export const CONFLICT = 2;
/** The chunk, ENCRYPT, could not be encrypted; nothing of it was written. */
export const NOT_ENCRYPTED = 3;

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
