/**
 * cutter: cuts the log behind a record while it is open, for users that replicate it: `truncateAfter`.
 *
 * The commit loop stands still meanwhile, between two groups: what was taken before is in the log and may be cut off;
 * what was not gets LSNs behind the cut. Then, each step durable before the next:
 *
 *   1. everything that was written is synced, so that what stays is proven durable;
 *   2. the new segment is built under a name of its own (cut-segment);
 *   3. cursors that are farther are set back, so that none is ever behind the end of the log;
 *   4. the segment is published: this is the cut. Its number and its epoch are higher than those of all other files,
 *      so the next opening finds it (C1) and takes what was cut off for leftovers (C5);
 *   5. the engine goes on in it, and what was cut off is freed.
 *
 * A crash before 4 is durable leaves the log as it was, one after it leaves it cut. What fails before 4 leaves the
 * log open and as it was; what fails in 1 or 4 poisons it, as nobody knows then what is on disk.
 */
import type { CommitLoop } from '../commit/commit-loop.js';
import type { GroupBuilder } from '../commit/group-builder.js';
import type { LogWriter } from '../commit/log-writer.js';
import type { Environment } from '../environment.js';
import { BusyError, OutOfRangeError, RingwalError } from '../errors.js';
import type { LogState } from '../ring/log-state.js';
import { publishSegment } from '../segment/prepare.js';
import type { Storage } from '../storage/storage.js';
import type { Cursors } from './cursors.js';
import { buildCut } from './cut-segment.js';
import type { SegmentKeeper } from './segment-keeper.js';
import type { Truncation } from './truncation.js';

export interface CutterParts {
  readonly storage: Storage;
  readonly state: LogState;
  readonly loop: CommitLoop;
  readonly group: GroupBuilder;
  readonly writer: LogWriter;
  readonly keeper: SegmentKeeper;
  readonly cursors: Cursors;
  readonly truncation: Truncation;
  readonly logId: Uint8Array;
  readonly segmentBytes: number;
  readonly padGroups: boolean;
  readonly environment: Environment;
}

export class Cutter {
  readonly #parts: CutterParts;
  #last: Promise<void> = Promise.resolve();

  constructor(parts: CutterParts) {
    this.#parts = parts;
  }

  /**
   * Ends the log with `lsn`; resolves when that is durable. Throws OutOfRangeError for an LSN that is not in the log
   * and BusyError when a span is open; CorruptError and IoError when it can't be done; nothing was cut then.
   */
  after(lsn: number): Promise<void> {
    // One after the other, whatever became of the one before.
    this.#last = this.#last.catch(() => {}).then(() => this.#after(lsn));
    return this.#last;
  }

  async #after(lsn: number): Promise<void> {
    const { loop, state, writer, group, cursors, truncation } = this.#parts;
    const refusal = state.refusal();
    if (refusal !== undefined) throw refusal;
    await loop.pause();
    let failure: unknown;
    try {
      writer.syncPending();
      truncation.cutting(lsn);
      this.#check(lsn);
      if (lsn === writer.lastLsn) return;
      if (group.openLsn > 0) throw new BusyError(group.openLsn);
      await this.#cut(lsn);
    } catch (error) {
      if (!(error instanceof RingwalError)) failure = error;
      throw error;
    } finally {
      cursors.cutIsOver();
      truncation.cutIsOver();
      loop.resume(failure);
    }
  }

  #check(lsn: number): void {
    const { firstLsn, durableLsn } = this.#parts.state;
    if (lsn >= firstLsn - 1 && lsn <= durableLsn) return;
    throw new OutOfRangeError(
      `The log has LSNs ${firstLsn} to ${durableLsn}; it can be cut after ${firstLsn - 1} to ${durableLsn}, not after ${lsn}.`,
    );
  }

  #cut(lsn: number): Promise<void> {
    const { storage, state, writer, keeper, cursors, truncation } = this.#parts;
    const epoch = writer.epoch + 1;
    return keeper.exclusively(async (number) => {
      const segments = [...keeper.closed, writer.describeActive()];
      const { truncatedBefore } = writer;
      const cut = await buildCut(storage, segments, lsn, { ...this.#parts, number, epoch, truncatedBefore });
      try {
        await cursors.setBack(lsn);
        await publishSegment(storage, number);
      } catch (error) {
        await cut.writer.segment.file.close().catch(() => {});
        throw error;
      }
      // All at once, for readers and for whoever looks at the log next.
      const staying = new Set(cut.closed.map((segment) => segment.number));
      const left = writer.continueIn(cut, epoch);
      state.cut(lsn, cut.checkpointLsn);
      truncation.cut(lsn);
      keeper.adopt(
        cut.closed,
        segments.filter((segment) => !staying.has(segment.number)),
        left.segment.file,
        epoch,
      );
      keeper.collect(truncation.neededFrom()); // the last one that stays may hold truncated records only
    });
  }
}
