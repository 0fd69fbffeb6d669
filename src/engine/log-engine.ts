/**
 * log-engine: the I/O worker's parts put together: recovery, writer, keeper and loop over one storage.
 *
 * It knows nothing of threads, ports and locks, so tests drive it with a simulated storage, step by step.
 */

import { CommitLoop, type StepOutcome } from '../commit/commit-loop.js';
import { CommitMetrics } from '../commit/commit-metrics.js';
import { type ChunkSealer, GroupBuilder } from '../commit/group-builder.js';
import { LogWriter } from '../commit/log-writer.js';
import type { EngineStats, ReadableSegment, ReadView } from '../control/contract.js';
import type { Environment } from '../environment.js';
import { describe, RingwalError } from '../errors.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { Cursors } from '../maintenance/cursors.js';
import { Cutter } from '../maintenance/cutter.js';
import type { OnFreed } from '../maintenance/freed-segments.js';
import { Retention } from '../maintenance/retention.js';
import { SegmentKeeper } from '../maintenance/segment-keeper.js';
import { Truncation } from '../maintenance/truncation.js';
import type { ResolvedOptions } from '../options.js';
import { type Recovered, recover } from '../recovery/recover.js';
import type { RecoverySummary } from '../recovery/summary.js';
import { fillOf, RingConsumer } from '../ring/consumer.js';
import { ringOver } from '../ring/layout.js';
import { CLOSED, CLOSING, type LogState, POISONED } from '../ring/log-state.js';
import { shorten } from '../segment/prepare.js';
import type { Storage } from '../storage/storage.js';

export interface EngineDependencies {
  readonly storage: Storage;
  readonly state: LogState;
  readonly environment: Environment;
  /** Shown each segment that truncation has freed, before its file is removed or reused. */
  readonly onFreed?: OnFreed | undefined;
}

/** Groups above this mean size use the disk's bandwidth: filling spares ahead would slow them down. */
const BANDWIDTH_GROUP_BYTES = 64 * 1024;

export class LogEngine {
  readonly summary: RecoverySummary;
  /** 16 bytes. */
  readonly logId: Uint8Array;
  readonly #state: LogState;
  readonly #writer: LogWriter;
  readonly #keeper: SegmentKeeper;
  readonly #loop: CommitLoop;
  readonly #group: GroupBuilder;
  readonly #metrics = new CommitMetrics();
  #rings: RingConsumer[] = [];
  readonly #truncation: Truncation;
  readonly #cursors: Cursors;
  readonly #cutter: Cutter;
  #running: Promise<void> | undefined;

  /** Recovers the log; see `recover` for what it throws. */
  static async open(options: ResolvedOptions, dependencies: EngineDependencies): Promise<LogEngine> {
    const recovered = await recover(dependencies.storage, {
      ...options,
      environment: dependencies.environment,
    });
    try {
      const { storage, state } = dependencies;
      const cursors = await Cursors.open(storage, recovered.logId, recovered.summary.lastLsn, state);
      return new LogEngine(options, dependencies, recovered, cursors);
    } catch (error) {
      await recovered.writer.segment.file.close();
      throw error;
    }
  }

  private constructor(
    options: ResolvedOptions,
    { storage, state, environment, onFreed }: EngineDependencies,
    recovered: Recovered,
    cursors: Cursors,
  ) {
    this.#state = state;
    this.#cursors = cursors;
    this.summary = recovered.summary;
    this.logId = recovered.logId;
    const limits = { bytes: options.maxGroupBytes, records: options.maxGroupRecords };
    const { epoch, firstLsn, lastLsn } = recovered.summary;
    this.#group = new GroupBuilder(limits);
    this.#keeper = new SegmentKeeper(storage, recovered, this.#metrics, {
      logId: recovered.logId,
      epoch,
      segmentBytes: options.segmentBytes,
      recycle: options.recycle,
      environment,
      onFreed,
      isLinked: () => this.#writer.active.isLinkDurable,
      mayFill: () =>
        this.#metrics.recentGroupBytes < BANDWIDTH_GROUP_BYTES &&
        this.#writer.remainingBytes > options.segmentBytes / 8,
      onSpare: () => this.#loop.wake(),
    });
    this.#writer = new LogWriter(recovered, this.#keeper, state, this.#metrics, {
      padGroups: options.padGroups,
      environment,
      epoch,
    });
    this.#loop = new CommitLoop(this.#writer, this.#group, state, {
      windowUs: options.windowUs,
      limits,
      environment,
      onTurn: () => {
        this.#keeper.nudge();
        void this.#truncation.review();
        this.#dropDetached();
        return this.#keeper.isBusy;
      },
      isStuck: () => this.#keeper.isStuck,
      onFailure: (error) => this.#poison(error),
    });
    state.setEpoch(epoch);
    state.setDurableLsn(lastLsn);
    state.setFirstLsn(firstLsn);
    state.setCheckpointLsn(recovered.checkpointLsn);
    this.#truncation = new Truncation(
      {
        state,
        writer: this.#writer,
        keeper: this.#keeper,
        group: this.#group,
        ridingRoomBytes:
          options.windowUs > 0 ? Number.POSITIVE_INFINITY : options.maxGroupBytes + BLOCK_BYTES,
        cursors,
        retention: options.retention && new Retention(options.retention, environment, recovered.closed),
        between: (attempt) => this.#request(attempt),
      },
      firstLsn,
    );
    this.#cutter = new Cutter({
      ...options,
      storage,
      state,
      environment,
      cursors,
      logId: recovered.logId,
      loop: this.#loop,
      group: this.#group,
      writer: this.#writer,
      keeper: this.#keeper,
      truncation: this.#truncation,
    });
    cursors.onMoved = () => void this.#truncation.review();
  }

  /**
   * Adds a ring; its published chunks take part from the next group on. `count` is where its counters stand: 0, but for
   * tests of their wrap.
   */
  attach(ring: SharedArrayBuffer, count = 0): RingConsumer {
    const consumer = new RingConsumer(ringOver(ring), count);
    this.#setRings([...this.#rings, consumer]);
    return consumer;
  }

  /** Has records that are to be encrypted be so; called before a ring is attached. */
  setSealer(sealer: ChunkSealer): void {
    this.#group.setSealer(sealer);
  }

  /** The ring's thread is gone without saying so: what it published is still taken, nothing after that. */
  detach(consumer: RingConsumer): void {
    consumer.abandon();
    this.#dropDetached();
  }

  /** Takes nothing more from the ring; what was taken before is completed when this resolves. */
  async withdraw(consumer: RingConsumer): Promise<void> {
    await this.#request(() => {
      this.#setRings(this.#rings.filter((ring) => ring !== consumer));
      return true;
    });
  }

  /** Commits until the log is closed or fails. */
  run(): Promise<void> {
    this.#running ??= this.#loop.run();
    return this.#running;
  }

  /** One round of the loop; for tests. */
  step(): StepOutcome {
    return this.#loop.step();
  }

  /** Maintenance that is under way has ended; for tests. */
  maintenanceIdle(): Promise<void> {
    return this.#keeper.idle();
  }

  /**
   * Seals the active segment, if it holds records, and resolves with the number of the newest closed segment
   * (0: none).
   */
  rotate(): Promise<number> {
    return this.#request(() => {
      if (this.#writer.hasRecords && !this.#writer.rotate(this.#group.openLsn)) return undefined;
      return this.#keeper.closed.at(-1)?.number ?? 0;
    });
  }

  /** See `Truncation`: both resolve, once that is durable, with the LSN that the log begins with. */
  truncateBefore(lsn: number, force = false): Promise<number> {
    return this.#truncation.before(lsn, force);
  }

  /** See `Cutter`. */
  async truncateAfter(lsn: number): Promise<void> {
    try {
      await this.#cutter.after(lsn);
    } catch (error) {
      throw error instanceof RingwalError ? error : (this.#state.refusal() ?? error);
    }
  }

  gcBefore(segmentNumber: number): Promise<number> {
    return this.#truncation.beforeSegment(segmentNumber);
  }

  /** Looks again at what holds truncation back, as the loop does by itself; for tests. */
  review(): Promise<void> {
    return this.#truncation.review();
  }

  /** Goes on with maintenance that was put off, as the loop does by itself; for tests. */
  nudge(): void {
    this.#keeper.nudge();
  }

  /** Writes a MARK, as the loop does by itself after a while without work. */
  mark(): Promise<true> {
    return this.#request(this.#loop.idleMark);
  }

  /** The named cursors. Throws when the log has ended: an ack that came later would not be written. */
  get cursors(): Cursors {
    const refusal = this.#state.refusal();
    if (refusal !== undefined) throw refusal;
    return this.#cursors;
  }

  view(): ReadView {
    const { firstLsn, durableLsn, cuts } = this.#state;
    const needed = this.#truncation.neededFrom();
    const closed = this.#keeper.closed.map((segment) => ({ ...segment, isClosed: true }));
    const active = { ...this.#writer.describeActive(), isClosed: false };
    const segments: ReadableSegment[] = [...closed, active];
    return {
      segments: segments.filter(({ firstLsn: from, lastLsn }) => lastLsn >= needed && lastLsn >= from),
      firstLsn,
      durableLsn,
      cuts,
    };
  }

  stats(): EngineStats {
    const metrics = this.#metrics;
    const { lastError } = this.#keeper;
    return {
      ...metrics.counters,
      maintenanceError: lastError === undefined ? undefined : describe(lastError),
      producers: this.#rings.length,
      ...fillOf(this.#rings),
      ...metrics.distributions,
    };
  }

  /** Ends the log between two groups, as a write that fails does; maintenance, too, writes nothing any more. */
  async fail(error: Error): Promise<void> {
    const failed = this.#request(() => {
      throw error;
    });
    await failed.catch(() => {});
    if (this.#state.state === POISONED) await this.#keeper.close();
  }

  /**
   * Commits everything published, writes a CLEAN mark, and gives the space behind it back. No append is taken
   * from the moment of the call on; who published before is served.
   */
  async close(): Promise<void> {
    this.#state.advance(CLOSING);
    this.#loop.wake();
    await this.run();
    let failure: unknown;
    let isMarked = false;
    if (this.#state.state === CLOSING) {
      try {
        isMarked = this.#writer.mark(true, 0);
        if (!isMarked) {
          await this.#keeper.idle(); // the segment is full, and a spare may be on its way
          isMarked = this.#writer.mark(true, 0);
        }
        if (!isMarked) this.#writer.syncPending(); // on a full disk the log ends without the mark
      } catch (error) {
        this.#poison(error);
        failure = this.#state.refusal() ?? error;
      }
    }
    // After this no chunk is taken any more: producers reject what has no completion yet.
    this.#state.advance(CLOSED);
    for (const ring of this.#rings) ring.ring();
    await this.#cursors.close();
    await this.#keeper.close();
    const { file, segmentBytes } = this.#writer.active.segment;
    // Best effort; and never without the mark: recovery would take it for a cut file.
    if (isMarked) await shorten(file, this.#writer.active.end, segmentBytes).catch(() => {});
    // Everything that counts is synced: a close that fails now takes nothing away.
    for (const open of [this.#writer.successor?.file, file]) await open?.close().catch(() => {});
    if (failure !== undefined) throw failure;
  }

  /** Has `attempt` run between two groups. */
  async #request<T>(attempt: () => T | undefined): Promise<T> {
    try {
      return await this.#loop.request(attempt);
    } catch (error) {
      if (error instanceof RingwalError) throw error;
      this.#poison(error);
      throw this.#state.refusal() ?? error;
    }
  }

  #poison(error: unknown): void {
    if (this.#state.state < CLOSED) this.#metrics.ioErrors++;
    this.#state.poison(error);
    for (const ring of this.#rings) ring.ring();
  }

  #setRings(rings: RingConsumer[]): void {
    this.#rings = rings;
    this.#group.setRings(rings);
  }

  #dropDetached(): void {
    // `detached` is read first: after it, nothing more is published, so "no chunks" is final.
    const gone = this.#rings.filter((ring) => ring.detached && !ring.hasChunks());
    if (gone.length > 0) this.#setRings(this.#rings.filter((ring) => !gone.includes(ring)));
  }
}
