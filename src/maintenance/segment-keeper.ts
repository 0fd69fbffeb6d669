/**
 * segment-keeper: everything about segment files that is not the commit path: keeps a spare ready, takes in
 * sealed segments, and removes or recycles those that truncation has freed.
 *
 * All of it runs on the I/O worker's event loop, one task after the other (p-queue, concurrency 1), with
 * asynchronous file operations: commits go on meanwhile.
 *
 * Where a spare comes from: a freed segment is recycled if there is one. Otherwise a new file is made, at
 * full size, and zero-filled slice by slice as long as `mayFill` sees bandwidth to spare; it can be taken
 * between any two slices, the rest of it then being sparse. Measured (64 MiB segments, records/s at 10 / 100 /
 * 1000 / 10 000 in flight): recycled 51k / 276k / 1.75M / 2.15M, zero-filled 50k / 279k / 1.29M / 1.24M,
 * sparse 41k / 203k / 860k / 1.27M.
 *
 *   G1  A segment is removed or reused only when all its records are below a truncation mark that is durable, or
 *       behind a cut that is; and the last closed one only when the LINK of the active one is durable: else a crash
 *       would leave no segment that is part of the log.
 *   G2  What fails is counted, kept and tried again; maintenance never poisons the log. Without a spare the
 *       commit path waits, so a full disk shows as back-pressure and not as a failed group.
 */
import PQueue from 'p-queue';
import { assert } from '../assert.js';
import type { CommitMetrics } from '../commit/commit-metrics.js';
import type { SegmentSupply } from '../commit/log-writer.js';
import type { Environment } from '../environment.js';
import { BLOCK_BYTES, preparedName, segmentName } from '../format/segment-header.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import {
  FILL_SLICE_BYTES,
  layOutSegment,
  publishSegment,
  reuseSegment,
  zeroFill,
} from '../segment/prepare.js';
import type { PreparedSegment } from '../segment/segment-writer.js';
import type { Storage, StorageFile } from '../storage/storage.js';
import { type FreedOptions, FreedSegments, type OnFreed } from './freed-segments.js';
import { SpentFiles } from './spent-files.js';

export interface KeeperOptions {
  readonly logId: Uint8Array;
  readonly epoch: number;
  readonly segmentBytes: number;
  readonly recycle: boolean;
  readonly environment: Environment;
  /** Shown each segment that truncation has freed, before its file is removed or reused. */
  readonly onFreed?: OnFreed | undefined;
  /** Whether the LINK of the active segment is durable. */
  readonly isLinked: () => boolean;
  /** Whether the disk has bandwidth to spare for filling a segment that is not needed yet. */
  readonly mayFill: () => boolean;
  /** Called when a spare can be taken, and when none can be made for now. */
  readonly onSpare: () => void;
}

/** How recovery leaves the directory. */
export interface KeeperStart {
  readonly closed: readonly ClosedSegment[];
  readonly leftovers: readonly { readonly name: string; readonly fileBytes: number }[];
  readonly abandoned: readonly string[];
  /** Leftovers that truncation has freed, oldest first. */
  readonly freed?: readonly ClosedSegment[];
  /** Names of files that are evidence under a second name: never reused. */
  readonly kept?: ReadonlySet<string>;
  readonly nextNumber: number;
}

const RETRY_MS = 250;

export class SegmentKeeper implements SegmentSupply {
  readonly #storage: Storage;
  readonly #options: KeeperOptions;
  readonly #metrics: CommitMetrics;
  readonly #queue = new PQueue({ concurrency: 1 });
  /** The log's closed segments, oldest first. */
  #closed: ClosedSegment[];
  readonly #spent: SpentFiles;
  readonly #freed: FreedSegments | undefined;
  #nextNumber: number;
  #epoch: number;
  #spare: PreparedSegment | undefined;
  #preparing = false;
  #isStuck = false;
  #filling = false;
  /** Up to where segments were to be freed, when one of them had to wait; else 0. */
  #putOff = 0;
  #stopped = false;
  /** Why the last attempt to make or fill a spare failed; undefined once there is one. */
  #spareFailure: unknown;

  constructor(storage: Storage, start: KeeperStart, metrics: CommitMetrics, options: KeeperOptions) {
    this.#storage = storage;
    this.#options = options;
    this.#metrics = metrics;
    this.#closed = [...start.closed];
    this.#nextNumber = start.nextNumber;
    this.#epoch = options.epoch;
    const { onFreed, environment } = options;
    const freed = onFreed === undefined ? [] : (start.freed ?? []);
    this.#freed = onFreed && new FreedSegments(freed, this.#freedOptions(onFreed, environment));
    const shown = new Set(freed.map(({ name }) => name));
    // First of all the files under preparation: they may be second names of leftovers.
    this.#spent = new SpentFiles(storage, start, metrics, options);
    this.#run(() => this.#spent.remove());
    this.#run(async () => {
      for (const { name, fileBytes } of start.leftovers)
        if (!shown.has(name)) this.#spent.add(name, fileBytes);
      await this.#spent.remove();
    });
    this.#prepareSpare();
  }

  get closed(): readonly ClosedSegment[] {
    return this.#closed;
  }

  get spare(): PreparedSegment | undefined {
    return this.#spare;
  }

  peek(): PreparedSegment | undefined {
    return this.#filling ? undefined : this.#spare;
  }

  take(): PreparedSegment | undefined {
    const spare = this.peek();
    if (spare === undefined) return undefined;
    this.#spare = undefined;
    this.#prepareSpare();
    return spare;
  }

  retire(closed: ClosedSegment, file: StorageFile): void {
    // Space behind the end of a segment that was sealed early goes back to the file system. Nothing is lost
    // if this is: the bytes behind the end mean nothing. Not of a file that somebody keeps under another name.
    const bytes = Math.ceil(closed.end / BLOCK_BYTES) * BLOCK_BYTES;
    const isShortened = bytes < closed.fileBytes / 2;
    // Of the smaller size from now on, even if shortening fails: a file of doubtful size is not for reuse.
    this.#closed.push(isShortened ? { ...closed, fileBytes: bytes } : closed);
    this.#run(async () => {
      try {
        if (isShortened && (await file.links()) === 1) await file.truncate(bytes);
      } finally {
        await file.close();
      }
    });
  }

  /** Frees the segments whose records are all below `neededFrom`, which is no higher than a durable mark (G1). */
  collect(neededFrom: number): void {
    this.#run(async () => {
      const last = this.#closed.at(-1);
      const isEarly = last !== undefined && last.lastLsn < neededFrom && !this.#options.isLinked();
      this.#putOff = isEarly ? neededFrom : 0;
      const freed = this.#closed.filter((one) => one.lastLsn < neededFrom && !(isEarly && one === last));
      const kept = this.#closed.slice(freed.length);
      assert(
        kept.every((segment) => segment.lastLsn >= neededFrom || (isEarly && segment === last)),
        'G1 truncation frees the oldest segments only',
      );
      this.#closed = kept;
      if (this.#freed !== undefined) this.#freed.add(freed);
      else await this.#release(freed);
    });
  }

  /**
   * Runs `task` while nothing else of maintenance does, with the number of a segment that it makes: higher than that
   * of every other file. When it fails, what is left of that under its name of preparation is removed.
   */
  async exclusively(task: (number: number) => Promise<void>): Promise<void> {
    await this.#queue.add(async () => {
      const number = this.#nextNumber++;
      try {
        await task(number);
      } catch (error) {
        this.#spent.doom(preparedName(number));
        throw error;
      }
    });
  }

  /**
   * The log was cut, durably: `closed` are its closed segments now, and `gone` those it has no more; `active` is the
   * file that was written last. The spare has a lower number than the segment behind the cut, so it goes too.
   */
  adopt(
    closed: readonly ClosedSegment[],
    gone: readonly ClosedSegment[],
    active: StorageFile,
    epoch: number,
  ): void {
    const spare = this.#spare;
    this.#spare = undefined;
    this.#closed = [...closed];
    this.#epoch = epoch;
    this.#run(async () => {
      for (const file of [active, spare?.file])
        await file?.close().catch(() => this.#metrics.maintenanceErrors++);
      if (spare !== undefined) this.#spent.add(segmentName(spare.number), spare.segmentBytes);
      await this.#release(gone);
    });
  }

  /** Goes on with what was put off: filling the spare, the last freed segment, and removals that failed. Called from time to time. */
  nudge(): void {
    this.#freed?.nudge();
    if (this.#stopped || this.isBusy) return;
    if (this.#putOff > 0 && this.#options.isLinked()) this.collect(this.#putOff);
    else if (this.#canFill()) this.#run(() => this.#fillSlice());
    else if (this.#spent.isRemovalDue) this.#run(() => this.#spent.remove());
  }

  /** A failure that is not overcome, if there is one; before all, why there is no spare. */
  get lastError(): unknown {
    return this.#spareFailure ?? this.#spent.failure ?? this.#freed?.failure;
  }

  /** Whether a task is under way or waits. */
  get isBusy(): boolean {
    return this.#queue.size + this.#queue.pending > 0;
  }

  /** Whether the last attempt to make a spare failed: on a full disk, one that is asked for does not come. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** Resolves once no task is under way. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }

  /** Ends maintenance; resolves when no file operation is under way and the spare's file is closed. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#freed?.stop();
    await this.#queue.onIdle();
    const spare = this.#spare;
    this.#spare = undefined;
    await spare?.file.close().catch(() => {}); // nobody asks any more what failed
  }

  #run(task: () => Promise<void>): void {
    void this.#queue.add(() => task().catch(() => this.#metrics.maintenanceErrors++));
  }

  #freedOptions(onFreed: OnFreed, environment: Environment): FreedOptions {
    const release = (segment: ClosedSegment): void => this.#run(() => this.#release([segment]));
    return { onFreed, environment, release, onError: () => this.#metrics.maintenanceErrors++ };
  }

  /** Gives segments that nobody needs any more to their next use. */
  async #release(segments: readonly ClosedSegment[]): Promise<void> {
    for (const { name, fileBytes } of segments) this.#spent.add(name, fileBytes);
    try {
      await this.#spent.remove();
    } finally {
      // Whatever became of the removals: a cut takes the spare along, and rotation waits for the next one.
      if (this.#spare === undefined) this.#prepareSpare();
    }
  }

  #prepareSpare(): void {
    // A retry may come due when there is one by another way: over it, that one would stay open, and its file unused.
    if (this.#preparing || this.#stopped || this.#spare !== undefined) return;
    this.#preparing = true;
    this.#run(async () => {
      try {
        this.#spare = await this.#prepare();
        this.#spareFailure = undefined;
        this.#isStuck = false;
      } catch (error) {
        this.#spareFailure = error;
        this.#isStuck = true;
        this.#options.onSpare();
        // Later, and behind other tasks: a truncation may free the space that was missing.
        void this.#options.environment.pause(RETRY_MS).then(() => this.#prepareSpare());
        throw error;
      } finally {
        this.#preparing = false;
      }
      this.#options.onSpare();
      if (this.#canFill()) this.#run(() => this.#fillSlice());
    });
  }

  async #prepare(): Promise<PreparedSegment> {
    const number = this.#nextNumber++;
    const layout = { ...this.#options, epoch: this.#epoch, number };
    const reused = this.#spent.takeRecyclable();
    let draft: PreparedSegment | undefined;
    let isReused = false;
    try {
      if (reused !== undefined) draft = await reuseSegment(this.#storage, reused, layout);
      isReused = draft !== undefined;
      const prepared = reused === undefined ? [] : [preparedName(number)]; // where a file is that can't be reused
      draft ??= await layOutSegment(this.#storage, { ...layout, prepared });
      await publishSegment(this.#storage, number);
    } catch (error) {
      await draft?.file.close().catch(() => {});
      // Whatever is left of it under any name holds no records; the names are tried, and gone at the next open. But a file
      // that had its name before it is somebody's.
      this.#spent.doom(preparedName(number));
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') this.#spent.doom(segmentName(number));
      if (reused !== undefined) this.#spent.doom(reused);
      throw error;
    }
    if (isReused) this.#metrics.segmentsRecycled++;
    else this.#metrics.segmentsPrepared++;
    return draft;
  }

  #canFill(): boolean {
    const spare = this.#spare;
    return (
      !this.#stopped &&
      spare !== undefined &&
      spare.backedBytes < spare.segmentBytes &&
      this.#options.mayFill()
    );
  }

  async #fillSlice(): Promise<void> {
    const spare = this.#spare;
    if (spare === undefined || !this.#canFill()) return;
    this.#filling = true; // the spare can't be taken while zeros are on their way into it
    try {
      const bytes = Math.min(FILL_SLICE_BYTES, spare.segmentBytes - spare.backedBytes);
      await zeroFill(spare.file, spare.backedBytes, bytes);
      this.#spare = { ...spare, backedBytes: spare.backedBytes + bytes };
    } catch (error) {
      // Its file is in an unknown state after a failed write (S4): never use it, give its space back, make another.
      this.#spare = undefined;
      this.#spareFailure = error;
      await spare.file.close().catch(() => {});
      this.#spent.doom(segmentName(spare.number));
      void this.#options.environment.pause(RETRY_MS).then(() => this.#prepareSpare());
      throw error;
    } finally {
      this.#filling = false;
      this.#options.onSpare();
    }
    if (this.#canFill()) this.#run(() => this.#fillSlice());
  }
}
