/**
 * truncation: where the log begins: the mark that callers ask for, what holds it back, and the one that is durable.
 *
 * `truncateBefore` records a wish. The effective mark is the least of the wish and of what others still need; it is
 * looked at anew as the log rotates and time passes, and it only advances. Readers see it at once; it is in the log
 * before the call resolves; and files are freed behind what is durable (G1). The wish itself is not stored: after a
 * restart it has to be repeated, which costs nothing as long as it is not yet due.
 */
import type { GroupBuilder } from '../commit/group-builder.js';
import type { LogWriter } from '../commit/log-writer.js';
import { OutOfRangeError } from '../errors.js';
import type { LogState } from '../ring/log-state.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import type { Cursors } from './cursors.js';
import type { Retention } from './retention.js';
import type { SegmentKeeper } from './segment-keeper.js';

export interface TruncationParts {
  readonly state: LogState;
  readonly writer: LogWriter;
  readonly keeper: SegmentKeeper;
  readonly group: GroupBuilder;
  readonly retention: Retention | undefined;
  readonly cursors: Cursors;
  /** With so much room, the next group needs no other segment. */
  readonly ridingRoomBytes: number;
  /** Has an attempt run between two groups, again until it does not return undefined. */
  readonly between: <T>(attempt: () => T | undefined) => Promise<T>;
}

export class Truncation {
  readonly #parts: TruncationParts;
  /** The highest truncation mark that was asked for, and the highest that is durable. */
  #wish: number;
  /** The highest mark that was asked for whatever cursors need. */
  #forced = 0;
  #durableMark: number;
  /** Where the log is being cut: what comes behind can't be truncated before. */
  #ceiling = Number.POSITIVE_INFINITY;
  #reviewing = false;

  /** `firstLsn` is where the log begins now. */
  constructor(parts: TruncationParts, firstLsn: number) {
    this.#parts = parts;
    this.#wish = firstLsn;
    this.#durableMark = firstLsn;
  }

  /**
   * Records below `lsn` are no longer needed; with `force`, not by cursors either. Resolves with the LSN that the log
   * begins with, once that is durable.
   * Throws OutOfRangeError for an LSN that lies beyond the log.
   */
  async before(lsn: number, force: boolean): Promise<number> {
    const lastLsn = Math.min(this.#parts.state.durableLsn, this.#ceiling);
    if (lsn > lastLsn + 1) {
      throw new OutOfRangeError(
        `The log ends with LSN ${lastLsn}; it can be truncated before ${lastLsn + 1} at most, not ${lsn}.`,
      );
    }
    this.#wish = Math.max(this.#wish, lsn);
    if (force) this.#forced = Math.max(this.#forced, lsn);
    await this.#settle();
    return this.#durableMark;
  }

  /** Looks again at what holds the mark back. Called at every turn of the event loop. Never rejects. */
  async review(): Promise<void> {
    this.#parts.retention?.observe(this.#parts.keeper.closed);
    if (this.#wish <= this.#durableMark || this.#reviewing) return;
    this.#reviewing = true;
    // The log has ended then; whoever still appends is told.
    await this.#settle().catch(() => {});
    this.#reviewing = false;
  }

  /** Frees the segments with a number below `number`; as `before` the first LSN of those that are left. */
  async beforeSegment(number: number): Promise<number> {
    const segments = this.#segments();
    const first = segments.find((segment) => segment.number >= number);
    if (first !== undefined) return this.before(first.firstLsn, false);
    throw new OutOfRangeError(
      `The log goes on in segment ${segments.at(-1)?.number}; there is no segment with the number ${number} or a higher one.`,
    );
  }

  /** The log is about to be cut behind `lsn`: the mark stays below that until `cutIsOver`. */
  cutting(lsn: number): void {
    this.#ceiling = lsn;
  }

  cutIsOver(): void {
    this.#ceiling = Number.POSITIVE_INFINITY;
  }

  /** The log ends with `lsn` now: nobody wishes away what comes behind. */
  cut(lsn: number): void {
    this.#wish = Math.min(this.#wish, lsn + 1);
    this.#forced = Math.min(this.#forced, lsn + 1);
  }

  /**
   * The first LSN whose file must stay with this mark: the mark, or what lies before it of records and transactions
   * that end behind it.
   */
  neededFrom(mark = this.#durableMark): number {
    let needed = mark;
    const { openLsn } = this.#parts.group;
    if (openLsn > 0) needed = Math.min(needed, openLsn);
    const segments = this.#segments();
    for (let i = segments.length - 1; i >= 0; i--) {
      const { lastLsn, openLsn: from } = segments[i] as ClosedSegment;
      if (i < segments.length - 1 && lastLsn < needed) break;
      if (from > 0) needed = Math.min(needed, from);
    }
    return needed;
  }

  /** Advances the mark as far as it may now. */
  async #settle(): Promise<void> {
    const mark = Math.min(this.#wish, this.#held(), this.#ceiling + 1);
    if (mark > this.#durableMark && !this.#isInVain(mark)) await this.#advance(mark);
  }

  /**
   * Whether `mark` would take the room of the last MARK in a full segment (W3) and free nothing, when no other segment is
   * to be had: the mark that would free one then had none, and waited for what it alone could bring. Such a mark goes
   * later, by itself.
   */
  #isInVain(mark: number): boolean {
    const { keeper, writer } = this.#parts;
    if (!keeper.isStuck || writer.active.hasRoomForIdleMark) return false;
    const oldest = keeper.closed[0];
    return oldest === undefined || oldest.lastLsn >= this.neededFrom(mark);
  }

  /** The first LSN that others than the callers of `before` still need. */
  #held(): number {
    const { retention, cursors, keeper, writer } = this.#parts;
    const heldFrom = Math.max(cursors.heldFrom(), this.#forced);
    if (retention === undefined) return heldFrom;
    return Math.min(heldFrom, retention.heldFrom(keeper.closed, writer.describeActive()));
  }

  /** Makes `lsn` the mark: for readers at once, on disk when this resolves. */
  async #advance(lsn: number): Promise<void> {
    const { state, writer, group, keeper, ridingRoomBytes, between } = this.#parts;
    if (lsn > state.firstLsn) state.setFirstLsn(lsn);
    await between(() => {
      if (lsn > writer.truncatedBefore) writer.setTruncatedBefore(lsn);
      if (writer.isMarkDurable) return true;
      // A group that is certain to be written at once takes the mark along; else it gets a write of its own.
      if (group.hasChunks() && writer.remainingBytes > ridingRoomBytes) return undefined;
      return writer.mark(false, group.openLsn) || undefined;
    });
    this.#durableMark = Math.max(this.#durableMark, lsn);
    keeper.collect(this.neededFrom()); // G1
  }

  #segments(): ClosedSegment[] {
    return [...this.#parts.keeper.closed, this.#parts.writer.describeActive()];
  }
}
