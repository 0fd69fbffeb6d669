/**
 * group-builder: decides which published chunks make up the next group.
 *
 * Rings are visited in turn, each group starting with the ring behind the one that the group before started
 * with, so no ring waits for more groups than there are rings. A ring gives all it has, up to the limits;
 * its chunks stay together in the group, so each ring gets one completion, a contiguous range of LSNs.
 */
import { sharedUs } from '../ring/clock.js';
import type { Chunk, GroupOutcome, RingConsumer } from '../ring/consumer.js';
import {
  CHECKPOINT,
  CONDITIONAL,
  CONFLICT,
  ENCRYPT,
  NOT_ENCRYPTED,
  SPANS,
  SYNC,
  SYNCED,
  UNSYNCED,
} from '../ring/layout.js';

export interface GroupLimits {
  readonly bytes: number;
  readonly records: number;
}

/** Encrypts the records of a chunk in place, the first of them being `firstLsn`. Throws when it can't. */
export interface ChunkSealer {
  /** `ring`: of which it is the next chunk; `hasOpenSpans`: whether spans are open in that behind the chunk. */
  seal(frames: Uint8Array, firstLsn: number, ring: object, hasOpenSpans: boolean): void;
}

const NO_SEALER: ChunkSealer = {
  seal: () => {
    throw new Error('no key: nothing can be encrypted');
  },
};

export class GroupBuilder {
  readonly #limits: GroupLimits;
  #rings: readonly RingConsumer[] = [];
  #first = 0;
  #sealer = NO_SEALER;
  /** Views of the chunks taken, in LSN order. */
  readonly views: Uint8Array[] = [];
  /** The CRC-32 of each, or UNKNOWN_CHECKSUM. */
  readonly checksums: number[] = [];
  /** Rings that have a part in the group, in LSN order of their records. */
  readonly contributors: RingConsumer[] = [];
  bytes = 0;
  records = 0;
  /** Whether somebody waits for the group to be durable, and not only written. */
  mustSync = false;
  /** LSN of the last checkpoint in the group, 0: none. */
  checkpointLsn = 0;
  /** How long the chunk of the group that waited longest had been published when the group was built. */
  waitUs = 0;
  /** Whether a chunk was left behind because `room` was short, not because of the limits. */
  lackedRoom = false;
  /** Whether a chunk was left behind at all. */
  leftOver = false;

  constructor(limits: GroupLimits) {
    this.#limits = limits;
  }

  /** For the records that are to be encrypted. */
  setSealer(sealer: ChunkSealer): void {
    this.#sealer = sealer;
  }

  /** Rings may come and go between any two groups; whose turn is next stays as it is. */
  setRings(rings: readonly RingConsumer[]): void {
    const inTurn = [...this.#rings.slice(this.#first), ...this.#rings];
    const next = inTurn.find((ring) => rings.includes(ring));
    this.#rings = rings;
    this.#first = next === undefined ? 0 : rings.indexOf(next);
  }

  hasChunks(): boolean {
    for (const ring of this.#rings) if (ring.hasChunks()) return true;
    return false;
  }

  /** What all rings have published and is not yet taken. */
  pending(): { bytes: number; records: number } {
    const sum = { bytes: 0, records: 0 };
    for (const ring of this.#rings) ring.addPending(sum);
    return sum;
  }

  /**
   * Takes chunks for one group of at most `room` bytes, its first record to be `firstLsn`; may take none when the
   * first is larger than that.
   */
  build(room: number, firstLsn: number): void {
    this.views.length = 0;
    this.checksums.length = 0;
    this.contributors.length = 0;
    this.bytes = 0;
    this.records = 0;
    this.mustSync = false;
    this.checkpointLsn = 0;
    this.waitUs = 0;
    this.lackedRoom = false;
    this.leftOver = false;
    const rings = this.#rings;
    for (let i = 0; i < rings.length && (!this.leftOver || this.lackedRoom); i++) {
      const ring = rings[(this.#first + i) % rings.length] as RingConsumer;
      this.#takeFrom(ring, room, firstLsn);
    }
    if (this.contributors.length > 0) this.#first = (this.#first + 1) % rings.length;
  }

  #takeFrom(ring: RingConsumer, room: number, firstLsn: number): void {
    for (let chunk = ring.peek(); chunk !== undefined; chunk = ring.peek()) {
      const bytes = this.bytes + chunk.bytes;
      const records = this.records + chunk.records;
      if (bytes > this.#limits.bytes || records > this.#limits.records) {
        this.leftOver = true;
        return;
      }
      // A SYNC has no bytes, and passes also where there is less than no room: in a segment that is full. So it does behind
      // another ring's chunk that waits for room, on a full disk for ever.
      if ((bytes > room || this.lackedRoom) && chunk.bytes > 0) {
        this.leftOver = true;
        this.lackedRoom = true;
        return;
      }
      if (!ring.isInGroup) {
        this.contributors.push(ring);
        this.waitUs = Math.max(this.waitUs, (sharedUs() - chunk.publishedUs) | 0); // the ring's oldest chunk
      }
      const lsn = firstLsn + this.records;
      if (chunk.flags !== 0 && this.#settles(ring, chunk, lsn)) continue;
      if ((chunk.flags & UNSYNCED) === 0) this.mustSync = true;
      this.views.push(ring.take(lsn));
      this.checksums.push(chunk.checksum);
      this.bytes = bytes;
      this.records = records;
    }
  }

  /** Settles a chunk that gets no place in the group, its first record being `lsn` if it had one. */
  #settles(ring: RingConsumer, chunk: Chunk, lsn: number): boolean {
    if ((chunk.flags & SYNC) !== 0) {
      this.mustSync = true;
      ring.settle(SYNCED, lsn - 1);
      return true;
    }
    if ((chunk.flags & CONDITIONAL) !== 0 && chunk.expectedLsn !== lsn) {
      ring.settle(CONFLICT, lsn);
      return true;
    }
    if ((chunk.flags & ENCRYPT) !== 0 && !this.#seals(ring, chunk, lsn)) {
      ring.settle(NOT_ENCRYPTED, lsn);
      return true;
    }
    if ((chunk.flags & CHECKPOINT) !== 0) this.checkpointLsn = lsn;
    return false;
  }

  #seals(ring: RingConsumer, chunk: Chunk, lsn: number): boolean {
    const hasOpenSpans = (chunk.flags & SPANS) !== 0;
    try {
      this.#sealer.seal(ring.view(), lsn, ring, hasOpenSpans);
      return true;
    } catch (error) {
      // A later chunk may hold the commit of the transaction that this one belongs to: nothing more may be written.
      if (hasOpenSpans) throw error;
      return false;
    }
  }

  /** Tells all contributors what became of their part in the group, whose first record got `firstLsn`. */
  complete(firstLsn: number, group: GroupOutcome): void {
    let lsn = firstLsn;
    for (const ring of this.contributors) lsn = ring.complete(lsn, group);
  }

  /** The LSN that must be kept for spans that are open, in any ring; 0: none is. */
  get openLsn(): number {
    let least = 0;
    for (const { spans } of this.#rings) {
      if (spans.lsn > 0) least = least === 0 ? spans.lsn : Math.min(least, spans.lsn);
    }
    return least;
  }
}
