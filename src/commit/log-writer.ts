/**
 * log-writer: turns one group into one write and one sync of the active segment, and moves on to the next
 * segment when the active one is full.
 *
 *   L1  LSNs are given out here and nowhere else: the records of a group follow those of the group before, or those
 *       that a cut has left.
 *   L2  A group is completed (its callers hear of it) only after the sync of its write returned; or, when all of
 *       them asked for no more, after the write.
 *   L3  A SEAL is written only when its successor is published and durable; the successor gets its first
 *       group only after the sync of the SEAL returned. So at every moment the chain is whole on disk.
 *   L4  After a write or sync threw, nothing is written any more (fail-stop): the caller poisons the log.
 *
 * Rotation costs no write and no sync of its own in the usual case: the SEAL rides in the write of the last
 * group, the LINK in the write of the first.
 */
import { assert } from '../assert.js';
import type { Environment } from '../environment.js';
import { BLOCK_BYTES, segmentName } from '../format/segment-header.js';
import type { GroupOutcome } from '../ring/consumer.js';
import type { LogState } from '../ring/log-state.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import { MARK_BYTES, type PreparedSegment, SegmentWriter } from '../segment/segment-writer.js';
import type { StorageFile } from '../storage/storage.js';
import type { CommitMetrics } from './commit-metrics.js';
import type { GroupBuilder } from './group-builder.js';

/** Where the next segment comes from. */
export interface SegmentSupply {
  /** The spare, if it can be used right now; it then belongs to the caller. */
  take(): PreparedSegment | undefined;
  /** Looks at what `take` would give. */
  peek(): PreparedSegment | undefined;
  /** A segment was sealed: it is durable, and will never be written again. */
  retire(closed: ClosedSegment, file: StorageFile): void;
}

export interface LogWriterOptions {
  readonly padGroups: boolean;
  readonly environment: Environment;
  readonly epoch: number;
}

/** Where a log goes on. */
export interface LogStart {
  readonly writer: SegmentWriter;
  /** LSN of the first record in the writer's segment, or of the next one. */
  readonly firstLsn: number;
  readonly openLsn: number;
  /** Header checksum of the group before the writer's segment. */
  readonly previousChecksum: number;
  readonly checkpointLsn: number;
}

/** What `commit` did: a group became durable; there was nothing to do; or there is no segment to write to. */
export type CommitOutcome = 'committed' | 'idle' | 'no-segment';
export class LogWriter {
  readonly #supply: SegmentSupply;
  readonly #state: LogState;
  readonly #options: LogWriterOptions;
  readonly #metrics: CommitMetrics;
  #active: SegmentWriter;
  /** LSN of the active segment's first record, and the checksum of the group before its first. */
  #activeFirstLsn: number;
  #activePreviousChecksum: number;
  /** Whether the active segment's LINK is staged and not yet written. */
  #linkStaged = false;
  #activeOpenLsn: number;
  #truncatedBefore: number;
  /** The truncation mark that was staged last, and the one that is durable. */
  #stagedMark: number;
  #durableMark: number;
  #checkpointLsn: number;
  #epoch: number;
  #failed = false;
  /** Taken and not yet written to: it is left here when the write of the SEAL before it fails. */
  successor: PreparedSegment | undefined;
  readonly #outcome: GroupOutcome = { records: 0, bytes: 0, syncUs: 0, segment: 0 };

  constructor(
    from: LogStart & { readonly truncatedBefore: number },
    supply: SegmentSupply,
    state: LogState,
    metrics: CommitMetrics,
    options: LogWriterOptions,
  ) {
    this.#active = from.writer;
    this.#activeFirstLsn = from.firstLsn;
    this.#activePreviousChecksum = from.previousChecksum;
    this.#activeOpenLsn = from.openLsn;
    this.#truncatedBefore = from.truncatedBefore;
    this.#stagedMark = from.truncatedBefore;
    this.#durableMark = from.truncatedBefore;
    this.#checkpointLsn = from.checkpointLsn;
    this.#supply = supply;
    this.#state = state;
    this.#metrics = metrics;
    this.#options = options;
    this.#epoch = options.epoch;
  }

  get active(): SegmentWriter {
    return this.#active;
  }

  get lastLsn(): number {
    return this.#active.lastLsn;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get truncatedBefore(): number {
    return this.#truncatedBefore;
  }

  /** Bytes that can be written before the next segment is needed. */
  get remainingBytes(): number {
    return this.#active.room;
  }

  /** Has the metrics count what they noted. */
  tally(): void {
    this.#metrics.tally();
  }

  /** The active segment as it stands: what it will be once it is closed, if nothing more is written to it. */
  describeActive(): ClosedSegment {
    const { segment, lastLsn, end, sealOffset, lastChecksum } = this.#active;
    return {
      name: segmentName(segment.number),
      number: segment.number,
      epoch: this.#epoch,
      salt: segment.salt,
      fileBytes: segment.segmentBytes,
      firstLsn: this.#activeFirstLsn,
      lastLsn,
      end,
      sealOffset,
      openLsn: this.#activeOpenLsn,
      previousChecksum: this.#activePreviousChecksum,
      lastChecksum,
    };
  }

  /** Whether the active segment holds records. */
  get hasRecords(): boolean {
    return this.#activeFirstLsn <= this.lastLsn;
  }

  /** Commits the next group of what the rings hold. */
  commit(group: GroupBuilder): CommitOutcome {
    const openLsn = group.openLsn;
    const markBytes = this.#options.padGroups ? BLOCK_BYTES : MARK_BYTES;
    const isMarking = this.#truncatedBefore > this.#stagedMark;
    group.build(this.#active.room - (isMarking ? markBytes : 0), this.lastLsn + 1);
    if (group.records === 0 && group.contributors.length === 0) {
      if (!group.lackedRoom) return 'idle';
      if (!this.rotate(openLsn)) return 'no-segment'; // the new segment's LINK carries the mark
      group.build(this.#active.room, this.lastLsn + 1);
      assert(group.contributors.length > 0, 'W3 the largest chunk fits into an empty segment');
    }
    const firstLsn = this.lastLsn + 1;
    assert(Number.isSafeInteger(firstLsn + group.records), 'L1 LSNs are safe integers');
    const outcome = this.#outcome;
    outcome.records = group.records;
    outcome.bytes = group.bytes;
    outcome.syncUs = 0;
    outcome.segment = this.#active.segment.number;
    let successor: PreparedSegment | undefined;
    if (group.records > 0) {
      const hasCheckpoint = group.checkpointLsn > 0;
      const rides = this.#truncatedBefore > this.#stagedMark; // unless a LINK has taken it meanwhile
      if (rides) this.#active.stageRidingMark(this.#truncatedBefore);
      this.#stagedMark = this.#truncatedBefore;
      const { views, checksums } = group;
      this.#active.stageData(views, group.bytes, group.records, { openLsn, hasCheckpoint, checksums });
      successor = group.lackedRoom || this.#outrunsBacking() ? this.#supply.take() : undefined;
      this.successor = successor;
      if (successor !== undefined) this.#active.stageSeal(successor);
      if (group.mustSync || rides || successor !== undefined)
        outcome.syncUs = this.#writeAndSync(group.bytes, group.records, group.waitUs);
      else this.#writeOnly(group.bytes, group.records, group.waitUs);
    } else if (group.mustSync && this.#active.hasUnsynced) {
      outcome.syncUs = this.#syncOnly();
    }
    if (group.checkpointLsn > 0) {
      this.#checkpointLsn = group.checkpointLsn;
      this.#state.setCheckpointLsn(group.checkpointLsn);
    }
    group.complete(firstLsn, outcome); // L2
    if (successor !== undefined) this.#switchTo(successor, group.openLsn);
    return 'committed';
  }

  /**
   * Seals the active segment and goes on in the next; false when there is none. Durable when it returns. `openLsn`
   * is where the oldest open span begins; 0: none is open.
   */
  rotate(openLsn: number): boolean {
    if (this.#linkStaged) this.#writeAndSync(0, 0);
    const successor = this.#supply.take();
    if (successor === undefined) return false;
    this.successor = successor;
    this.#active.stageSeal(successor);
    this.#writeAndSync(0, 0);
    this.#switchTo(successor, openLsn);
    return true;
  }

  /** Sets the truncation mark for what is written from now on. The caller checked that it only grows. */
  setTruncatedBefore(lsn: number): void {
    assert(lsn >= this.#truncatedBefore && lsn <= this.lastLsn + 1, 'R6 the truncation mark only advances');
    this.#truncatedBefore = lsn;
  }

  /**
   * Whether the truncation mark is durable. It rides with the next group; `mark` is for when there is none.
   */
  get isMarkDurable(): boolean {
    return this.#durableMark >= this.#truncatedBefore;
  }

  /** Makes the marks durable: all LSNs so far, the truncation mark, and whether the log is closed here. */
  mark(clean: boolean, openLsn: number): boolean {
    if (!this.#active.hasRoomForMark && !this.rotate(openLsn)) return false;
    if (this.#linkStaged) this.#writeAndSync(0, 0); // a MARK has a write of its own
    if (this.#active.hasUnsynced) this.#syncOnly(); // it states what is durable before it
    this.#active.stageMark(this.#truncatedBefore, clean);
    this.#stagedMark = this.#truncatedBefore;
    this.#writeAndSync(0, 0);
    return true;
  }

  /**
   * The same for the LSNs alone, when nothing else is to do. In a segment that is about full the SEAL is the proof;
   * false when there is no successor to be had: they are durable then, and nothing says so.
   */
  idleMark(openLsn: number): boolean {
    if (this.#active.hasRoomForIdleMark) return this.mark(false, openLsn);
    const isSealed = this.rotate(openLsn);
    if (!isSealed) this.syncPending();
    return isSealed;
  }

  /** Makes everything durable that is written or staged, if anything is. */
  syncPending(): void {
    if (this.#linkStaged) this.#writeAndSync(0, 0);
    else if (this.#active.hasUnsynced) this.#syncOnly();
  }

  /** The log was cut, durably: goes on behind the cut, in the segment that made it. Returns the one that was active. */
  continueIn(cut: LogStart, epoch: number): SegmentWriter {
    assert(!this.#linkStaged && !this.#failed, 'L4 the log is cut behind writes that were durable');
    const left = this.#active;
    this.#active = cut.writer;
    this.#activeFirstLsn = cut.firstLsn;
    this.#activePreviousChecksum = cut.previousChecksum;
    this.#activeOpenLsn = cut.openLsn;
    this.#checkpointLsn = cut.checkpointLsn;
    this.#stagedMark = this.#truncatedBefore; // in the LINK
    this.#durableMark = this.#truncatedBefore;
    this.#epoch = epoch;
    return left;
  }

  /**
   * Whether the active segment is past the part of it whose blocks were written before, and a spare is ready
   * that was written throughout: a sync into fresh blocks also commits the file system's journal, and takes
   * 200 us instead of 130. Happens after opening, whose segment is laid out in a hurry.
   */
  #outrunsBacking(): boolean {
    if (this.#active.end <= this.#active.segment.backedBytes) return false;
    const spare = this.#supply.peek();
    return spare !== undefined && spare.backedBytes >= spare.segmentBytes;
  }

  #switchTo(successor: PreparedSegment, openLsn: number): void {
    const sealed = this.#active;
    this.successor = undefined;
    const { lastLsn, lastChecksum, segment } = sealed;
    const closed = this.describeActive();
    this.#active = new SegmentWriter(successor, { end: BLOCK_BYTES, lastLsn, lastChecksum }, this.#options);
    this.#activeFirstLsn = lastLsn + 1;
    this.#activeOpenLsn = openLsn;
    this.#activePreviousChecksum = lastChecksum;
    this.#active.stageLink({
      predecessorSalt: segment.salt,
      predecessorNumber: segment.number,
      predecessorLastLsn: lastLsn,
      predecessorEnd: sealed.end,
      predecessorSealOffset: sealed.sealOffset,
      truncatedBefore: this.#truncatedBefore,
      openLsn,
      checkpointLsn: this.#checkpointLsn,
    });
    this.#linkStaged = true;
    this.#stagedMark = this.#truncatedBefore;
    this.#metrics.rotations++;
    this.#supply.retire(closed, segment.file);
  }

  /** Writes what is staged and makes it durable; returns what that took, in whole microseconds. */
  #writeAndSync(bytes: number, records: number, waitUs = 0): number {
    const { environment } = this.#options;
    const start = environment.monotonicUs();
    this.#guarded(() => {
      this.#active.write();
      this.#active.sync();
    });
    const tookUs = environment.monotonicUs() - start;
    this.#metrics.group(bytes, records, waitUs, tookUs);
    this.#state.setDurableLsn(this.lastLsn);
    this.#durableMark = this.#stagedMark;
    this.#linkStaged = false;
    return Math.round(tookUs);
  }

  /** Writes what is staged; that is all. */
  #writeOnly(bytes: number, records: number, waitUs: number): void {
    this.#guarded(() => this.#active.write(false));
    this.#state.setWrittenLsn(this.lastLsn);
    this.#metrics.unsynced(bytes, records, waitUs);
    this.#linkStaged = false;
  }

  /** Makes durable what was written and not synced. */
  #syncOnly(): number {
    const { environment } = this.#options;
    const start = environment.monotonicUs();
    this.#guarded(() => this.#active.sync());
    const tookUs = environment.monotonicUs() - start;
    this.#metrics.group(0, 0, 0, tookUs);
    this.#state.setDurableLsn(this.lastLsn);
    return Math.round(tookUs);
  }

  #guarded<T>(task: () => T): T {
    assert(!this.#failed, 'L4 nothing is written after a failed write or sync');
    this.#failed = true;
    const value = task();
    this.#failed = false;
    return value;
  }
}
