/**
 * completion-slots: the producer's end of the completion ring: reads what the I/O worker has told, in order.
 */
import {
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
  completionSlot,
} from './layout.js';

/** The group that the completion at hand belongs to. */
export interface CompletedGroup {
  records: number;
  /** Bytes of its records, with their frames. */
  bytes: number;
  /** What its write and sync took. */
  syncUs: number;
  segment: number;
  /** How many completions of the same group, with records of this thread, are consumed right after this one. */
  more: number;
}

export class CompletionSlots {
  readonly #words: Int32Array;
  /** Completions read, modulo 2^32 as in shared memory. */
  #read: number;
  /** Of the completion at hand: what became of how many records, from which LSN on, in how many chunks. */
  firstLsn = 0;
  records = 0;
  chunks = 0;
  outcome = 0;
  readonly group: CompletedGroup = { records: 0, bytes: 0, syncUs: 0, segment: 0, more: 0 };

  /** `count` is where the ring's counter stands. */
  constructor(words: Int32Array, count: number) {
    this.#words = words;
    this.#read = count;
  }

  /** The count of those posted so far, up to which `next` may read: their slots are visible from here on (R3). */
  posted(): number {
    return Atomics.load(this.#words, COMPLETED);
  }

  hasAny(): boolean {
    return this.posted() !== this.#read;
  }

  /** Brings the next one to hand; false when all up to `posted` were. */
  next(posted: number): boolean {
    if (this.#read === posted) return false;
    const words = this.#words;
    const slot = completionSlot(this.#read);
    this.firstLsn = longAt(words, slot + COMPLETION_LSN_LOW, slot + COMPLETION_LSN_HIGH);
    this.records = words[slot + COMPLETION_RECORDS] as number;
    this.chunks = words[slot + COMPLETION_CHUNKS] as number;
    this.outcome = words[slot + COMPLETION_OUTCOME] as number;
    const { group } = this;
    group.records = words[slot + COMPLETION_GROUP_RECORDS] as number;
    group.bytes = words[slot + COMPLETION_GROUP_BYTES] as number;
    group.syncUs = words[slot + COMPLETION_SYNC_US] as number;
    group.segment = longAt(words, slot + COMPLETION_SEGMENT_LOW, slot + COMPLETION_SEGMENT_HIGH);
    group.more = words[slot + COMPLETION_MORE] as number;
    this.#read = (this.#read + 1) | 0;
    return true;
  }
}

function longAt(words: Int32Array, low: number, high: number): number {
  return ((words[high] as number) >>> 0) * 0x1_0000_0000 + ((words[low] as number) >>> 0);
}
