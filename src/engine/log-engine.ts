/**
 * log-engine: the I/O worker's parts put together: recovery, writer, keeper and loop over one storage.
 *
 * It knows nothing of threads, ports and locks, so tests drive it with a simulated storage, step by step.
 */

import { CommitLoop, type StepOutcome } from '../commit/commit-loop.js';
import { CommitMetrics } from '../commit/commit-metrics.js';
import { GroupBuilder } from '../commit/group-builder.js';
import { LogWriter } from '../commit/log-writer.js';
import type { EngineStats, ReadableSegment, ReadView } from '../control/contract.js';
import type { Environment } from '../environment.js';
import { describe, OutOfRangeError, RingwalError } from '../errors.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { SegmentKeeper } from '../maintenance/segment-keeper.js';
import type { ResolvedOptions } from '../options.js';
import { type Recovered, recover } from '../recovery/recover.js';
import type { RecoverySummary } from '../recovery/summary.js';
import { RingConsumer } from '../ring/consumer.js';
import { ringOver } from '../ring/layout.js';
import { CLOSED, CLOSING, type LogState } from '../ring/log-state.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import type { Storage } from '../storage/storage.js';

export interface EngineDependencies {
  readonly storage: Storage;
  readonly state: LogState;
  readonly environment: Environment;
}

/** Groups above this mean size use the disk's bandwidth: filling spares ahead would slow them down. */
const BANDWIDTH_GROUP_BYTES = 64 * 1024;

export class LogEngine {
  readonly summary: RecoverySummary;
  readonly #state: LogState;
  readonly #writer: LogWriter;
  readonly #keeper: SegmentKeeper;
  readonly #loop: CommitLoop;
  readonly #group: GroupBuilder;
  readonly #metrics = new CommitMetrics();
  #rings: RingConsumer[] = [];
  /** The highest truncation mark that is durable. */
  #durableMark: number;
  /** With so much room, the next group needs no other segment. */
  readonly #ridingRoomBytes: number;
  #running: Promise<void> | undefined;

  /** Recovers the log; see `recover` for what it throws. */
  static async open(options: ResolvedOptions, dependencies: EngineDependencies): Promise<LogEngine> {
    const recovered = await recover(dependencies.storage, {
      ...options,
      environment: dependencies.environment,
    });
    return new LogEngine(options, dependencies, recovered);
  }

  private constructor(
    options: ResolvedOptions,
    { storage, state, environment }: EngineDependencies,
    recovered: Recovered,
  ) {
    this.#state = state;
    this.summary = recovered.summary;
    this.#ridingRoomBytes =
      options.windowUs > 0 ? Number.POSITIVE_INFINITY : options.maxGroupBytes + BLOCK_BYTES;
    const limits = { bytes: options.maxGroupBytes, records: options.maxGroupRecords };
    const { epoch, firstLsn, lastLsn } = recovered.summary;
    this.#group = new GroupBuilder(limits);
    this.#keeper = new SegmentKeeper(storage, recovered, this.#metrics, {
      logId: recovered.logId,
      epoch,
      segmentBytes: options.segmentBytes,
      recycle: options.recycle,
      environment,
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
        this.#dropDetached();
        return this.#keeper.isBusy;
      },
      onFailure: (error) => this.#poison(error),
    });
    state.setEpoch(epoch);
    state.setDurableLsn(lastLsn);
    state.setFirstLsn(firstLsn);
    state.setCheckpointLsn(recovered.checkpointLsn);
    this.#durableMark = firstLsn;
  }

  /** Adds a ring; its published chunks take part from the next group on. */
  attach(ring: SharedArrayBuffer): RingConsumer {
    const consumer = new RingConsumer(ringOver(ring));
    this.#setRings([...this.#rings, consumer]);
    return consumer;
  }

  /** The ring's thread is gone without saying so: what it published is still taken, nothing after that. */
  detach(consumer: RingConsumer): void {
    consumer.abandon();
    this.#dropDetached();
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

  /**
   * Records below `lsn` are no longer part of the log: for readers at once, on disk once the mark is durable,
   * which is when this resolves; their files are freed behind that.
   */
  async truncateBefore(lsn: number): Promise<void> {
    const { durableLsn } = this.#state;
    if (lsn > durableLsn + 1) {
      throw new OutOfRangeError(
        `The log ends with LSN ${durableLsn}; it can be truncated before ${durableLsn + 1} at most, not ${lsn}.`,
      );
    }
    if (lsn <= this.#durableMark) return;
    if (lsn > this.#state.firstLsn) this.#state.setFirstLsn(lsn);
    await this.#request(() => {
      if (lsn > this.#writer.truncatedBefore) this.#writer.setTruncatedBefore(lsn);
      if (this.#writer.isMarkDurable) return true;
      // A group that is certain to be written at once takes the mark along; else it gets a write of its own.
      if (this.#group.hasChunks() && this.#writer.remainingBytes > this.#ridingRoomBytes) return undefined;
      return this.#writer.mark(false, this.#group.openLsn) || undefined;
    });
    this.#durableMark = Math.max(this.#durableMark, lsn);
    this.#keeper.collect(this.#neededFrom()); // G1
  }

  /**
   * The first LSN whose file must stay: the truncation mark, or what lies before it of records and transactions
   * that end behind it.
   */
  #neededFrom(): number {
    let needed = this.#durableMark;
    const openLsn = this.#group.openLsn;
    if (openLsn > 0) needed = Math.min(needed, openLsn);
    const segments = [...this.#keeper.closed, this.#writer.describeActive()];
    for (let i = segments.length - 1; i >= 0; i--) {
      const { lastLsn, openLsn: from } = segments[i] as ClosedSegment;
      if (i < segments.length - 1 && lastLsn < needed) break;
      if (from > 0) needed = Math.min(needed, from);
    }
    return needed;
  }

  /** Writes a MARK, as the loop does by itself after a while without work. */
  mark(): Promise<true> {
    return this.#request(this.#loop.idleMark);
  }

  view(): ReadView {
    const { firstLsn, durableLsn } = this.#state;
    const needed = this.#neededFrom();
    const closed = this.#keeper.closed.map((segment) => ({ ...segment, isClosed: true }));
    const active = { ...this.#writer.describeActive(), isClosed: false };
    const segments: ReadableSegment[] = [...closed, active];
    return {
      segments: segments.filter(({ firstLsn: from, lastLsn }) => lastLsn >= needed && lastLsn >= from),
      firstLsn,
      durableLsn,
    };
  }

  stats(): EngineStats {
    const metrics = this.#metrics;
    const { lastError } = this.#keeper;
    return {
      groups: metrics.groups,
      records: metrics.records,
      bytes: metrics.bytes,
      syncs: metrics.writes,
      rotations: metrics.rotations,
      segmentsPrepared: metrics.segmentsPrepared,
      segmentsRecycled: metrics.segmentsRecycled,
      segmentsRemoved: metrics.segmentsRemoved,
      maintenanceErrors: metrics.maintenanceErrors,
      maintenanceError: lastError === undefined ? undefined : describe(lastError),
      producers: this.#rings.length,
      writeUs: metrics.writeUs,
      syncUsTotal: metrics.syncUs,
      ...metrics.distributions,
    };
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
    if (this.#state.state === CLOSING) {
      try {
        await this.#request(() => this.#writer.mark(true, 0) || undefined, true);
      } catch (error) {
        failure = error;
      }
    }
    // After this no chunk is taken any more: producers reject what has no completion yet.
    this.#state.advance(CLOSED);
    for (const ring of this.#rings) ring.ring();
    await this.#keeper.close();
    const { file, segmentBytes } = this.#writer.active.segment;
    if (failure === undefined && this.#state.state === CLOSED) await this.#shrink(segmentBytes);
    await file.close();
    if (failure !== undefined) throw failure;
  }

  /** Best effort: bytes behind the CLEAN mark mean nothing, so it does not matter whether this becomes durable. */
  async #shrink(segmentBytes: number): Promise<void> {
    const bytes = Math.ceil(this.#writer.active.end / BLOCK_BYTES) * BLOCK_BYTES;
    if (bytes < segmentBytes) await this.#writer.active.segment.file.truncate(bytes).catch(() => {});
  }

  /** Has `attempt` run between two groups; when the loop has ended already, right now. */
  async #request<T>(attempt: () => T | undefined, ended = false): Promise<T> {
    try {
      if (!ended) return await this.#loop.request(attempt);
      const value = attempt();
      if (value === undefined)
        throw new OutOfRangeError('The log closed without a mark: no segment has room for it.');
      return value;
    } catch (error) {
      if (error instanceof RingwalError) throw error;
      this.#poison(error);
      throw this.#state.refusal() ?? error;
    }
  }

  #poison(error: unknown): void {
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
