/**
 * commit-window: whether the group that is waiting is written now, or waits for company, and how long.
 *
 * Without a window (`windowUs` 0) the answer is always "now": what arrives during one sync is the next group,
 * which batches by itself as soon as callers outrun the disk. A window trades the latency of the first record
 * in a group for fewer syncs.
 */
import type { GroupLimits } from './group-builder.js';

export class CommitWindow {
  readonly #windowUs: number;
  readonly #limits: GroupLimits;
  /** When the oldest waiting chunk was first seen; undefined when none waits. */
  #openedUs: number | undefined;

  constructor(windowUs: number, limits: GroupLimits) {
    this.#windowUs = windowUs;
    this.#limits = limits;
  }

  /** Microseconds to go on waiting with `pending` published; 0: write the group now. */
  remainingUs(nowUs: number, pending: { bytes: number; records: number }, hurried: boolean): number {
    this.#openedUs ??= nowUs;
    if (hurried || pending.bytes >= this.#limits.bytes || pending.records >= this.#limits.records) return 0;
    return Math.max(0, this.#openedUs + this.#windowUs - nowUs);
  }

  /** The group was taken; the next chunk opens a new window. */
  close(): void {
    this.#openedUs = undefined;
  }
}
