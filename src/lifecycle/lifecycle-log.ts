/**
 * lifecycle-log: what every thread can ask of the log as a whole: its segments, where one ends, and where the log
 * begins. Calls over the control channel, some tens of microseconds each.
 */
import { checkOptions } from '../check-options.js';
import type { CursorInfo } from '../control/cursor-info.js';
import { type SegmentInfo, segmentInfo } from '../control/segment-info.js';
import { cutChannel, truncateChannel } from '../diagnostics.js';
import { InvalidArgumentError, shown } from '../errors.js';
import { checkLsn } from '../read/read-options.js';
import type { LogThread } from '../thread.js';
import { checkCursorName, LogCursor } from './log-cursor.js';

/** All of these reject with RINGWAL_CLOSED, RINGWAL_POISONED or RINGWAL_WORKER_DIED when the log has ended. */
export interface LogLifecycle {
  /**
   * Closes the active segment and goes on in a new one. Resolves with the number of the newest closed segment
   * (0: there is none); an active segment without records stays.
   */
  rotate(): Promise<number>;

  /**
   * Drops the records before `lsn`: readers see it at once, and it is durable when this resolves, with the LSN that
   * the log begins with now. Files are freed in the background, a whole segment at a time. At most one more than
   * the last durable LSN (RINGWAL_OUT_OF_RANGE); a mark at or below the present one changes nothing. What option
   * `retention` or a cursor holds back goes later, by itself, unless the log is closed before; so does what would free no
   * segment while the disk is full and the active one too, which has room for one more mark alone. `force` (default
   * false) passes cursors; they are overtaken then.
   */
  truncateBefore(lsn: number, options?: { readonly force?: boolean }): Promise<number>;

  /**
   * Frees the segments with a number below `segmentNumber`: as `truncateBefore` the first LSN of the first segment
   * with that number or a higher one. After `rotate()` resolved with `n`, `gcBefore(n + 1)` frees everything that
   * was appended before. RINGWAL_OUT_OF_RANGE for a number above the active segment's.
   */
  gcBefore(segmentNumber: number): Promise<number>;

  /**
   * Ends the log with `lsn`, for users that replicate it: the records behind it are gone when this resolves, durably,
   * and their LSNs are given out anew. A crash meanwhile leaves the log cut or as it was. From the log's first LSN
   * less one (nothing stays) to the last durable one; else RINGWAL_OUT_OF_RANGE.
   *
   * Appends that this thread made before the call are written before the cut; those of others that are in flight may
   * come before or behind it. `durableLsn` goes back; `checkpointLsn` too. Reading what was cut off ends with
   * RINGWAL_OUT_OF_RANGE, cursors that are farther are set back, and transactions that were not committed up to `lsn`
   * never are. Rejects with RINGWAL_BUSY while a transaction or a large record of any thread is open, and with
   * RINGWAL_IO or RINGWAL_CORRUPT when it can't be done: nothing was cut then.
   */
  truncateAfter(lsn: number): Promise<void>;

  /** The segments that hold records, oldest first. */
  segments(): Promise<SegmentInfo[]>;

  /**
   * The cursor of this name, 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`: a consumer's position, kept in the log
   * directory. One that is not there yet is made, and stands before the log's first record. Rejects with
   * RINGWAL_CORRUPT when its file is damaged, or says more than the log holds, and with RINGWAL_IO. What may be left on
   * the disk of one that could not be made is among `cursors()`, until it is made or deleted.
   */
  cursor(name: string): Promise<LogCursor>;

  /** All cursors by name, those without a position being damaged or left over: they hold back all truncation. */
  cursors(): Promise<CursorInfo[]>;

  /** Deletes a cursor, also a damaged one; there may be none of this name. Rejects with RINGWAL_IO. */
  deleteCursor(name: string): Promise<void>;
}

const truncateOptions = new Set(['force']);

export abstract class LifecycleLog implements LogLifecycle {
  protected readonly thread: LogThread;

  constructor(thread: LogThread) {
    this.thread = thread;
  }

  rotate(): Promise<number> {
    return this.thread.held(() => this.thread.control.call('rotate'));
  }

  async truncateBefore(lsn: number, options: { readonly force?: boolean } = {}): Promise<number> {
    checkLsn('The truncation mark', lsn);
    checkOptions('truncateBefore', options, truncateOptions);
    const { force = false } = options;
    if (typeof force !== 'boolean') throw new InvalidArgumentError('Option "force" must be true or false.');
    return this.#truncated(this.thread.held(() => this.thread.control.call('truncateBefore', lsn, force)));
  }

  async truncateAfter(lsn: number): Promise<void> {
    if (lsn !== 0) checkLsn('The last LSN', lsn); // 0: nothing stays of a log that begins with 1
    const { thread } = this;
    await thread.held(async () => {
      await thread.submitter.sync();
      await thread.control.call('truncateAfter', lsn);
    });
    cutChannel.publish({ directory: thread.directory, lastLsn: lsn });
  }

  async cursor(name: string): Promise<LogCursor> {
    checkCursorName(name);
    const { thread } = this;
    const { cuts } = thread.state;
    const used = await thread.held(() => thread.control.call('cursor', name));
    return new LogCursor(thread, name, used, cuts);
  }

  cursors(): Promise<CursorInfo[]> {
    return this.thread.held(() => this.thread.control.call('cursors'));
  }

  async deleteCursor(name: string): Promise<void> {
    checkCursorName(name);
    await this.thread.held(() => this.thread.control.call('deleteCursor', name));
  }

  async gcBefore(segmentNumber: number): Promise<number> {
    if (!Number.isSafeInteger(segmentNumber) || segmentNumber < 1) {
      throw new InvalidArgumentError(
        `A segment number must be an integer from 1, not ${shown(segmentNumber)}.`,
      );
    }
    return this.#truncated(this.thread.held(() => this.thread.control.call('gcBefore', segmentNumber)));
  }

  async segments(): Promise<SegmentInfo[]> {
    const { segments } = await this.thread.held(() => this.thread.control.call('view'));
    return segments.map(segmentInfo);
  }

  async #truncated(truncation: Promise<number>): Promise<number> {
    const firstLsn = await truncation;
    truncateChannel.publish({ directory: this.thread.directory, firstLsn });
    return firstLsn;
  }
}
