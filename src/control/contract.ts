/**
 * contract: what a thread that uses the log and the I/O worker say to each other besides the rings: types only.
 *
 * These are calls over comlink, some tens of microseconds each: the control plane. No append goes this way.
 */
import type { MessagePort } from 'node:worker_threads';
import type { EncryptionKey } from '../codec/encryption.js';
import type { Distribution } from '../commit/commit-metrics.js';
import type { ResolvedOptions } from '../options.js';
import type { RecoverySummary } from '../recovery/summary.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import type { LogPlace } from '../storage/open-directory.js';
import type { SyncMode } from '../storage/sync-mode.js';
import type { CursorInfo } from './cursor-info.js';
import type { SegmentInfo } from './segment-info.js';

/** What the worker is started with (`workerData`). */
export interface WorkerInput {
  readonly directory: string;
  readonly options: ResolvedOptions;
  /** Memory of the LogState. */
  readonly state: SharedArrayBuffer;
  /** The key for what is appended, if records are encrypted. */
  readonly encryptionKey: EncryptionKey | undefined;
  /** The opener's end of its control channel. */
  readonly port: MessagePort;
  /** Where the opener serves `FreedApi`, if it does. */
  readonly freedPort: MessagePort | undefined;
}

/** A segment that was freed: its file is there until the call of `onSegmentFreed` for it has ended. */
export interface FreedSegment extends SegmentInfo {
  /** Absolute path of the file. */
  readonly path: string;
}

/** What the worker calls of the opener. */
export interface FreedApi {
  freed(segment: FreedSegment): Promise<void>;
}

/** What a thread that attaches must know before it can make its ring. */
export interface LogTerms {
  readonly options: ResolvedOptions;
  readonly state: SharedArrayBuffer;
  /** 16 bytes. */
  readonly logId: Uint8Array;
}

/** What a thread gets once its ring takes part. */
export interface Attachment {
  readonly place: LogPlace;
}

/** One segment as a reader needs it: where its groups lie and what the first one is chained to. */
export interface ReadableSegment extends ClosedSegment {
  /** False for the segment that is being written; its `end`, `lastLsn` and `lastChecksum` are those of now. */
  readonly isClosed: boolean;
}

/** The log at one moment: what can be read. */
export interface ReadView {
  /** Segments that hold records, oldest first. */
  readonly segments: readonly ReadableSegment[];
  readonly firstLsn: number;
  readonly durableLsn: number;
  /** How often the log had been cut; see R6 in ring/log-state. */
  readonly cuts: number;
}

/** Counters of the engine since the log was opened, and distributions over its groups. */
export interface EngineStats {
  /** Groups committed. */
  readonly groups: number;
  /** Records in them. */
  readonly records: number;
  /** Bytes of records in groups, with their frames. */
  readonly bytes: number;
  /** Writes, each followed by one sync; more than groups by the marks. */
  readonly syncs: number;
  /** How often the log went over to a new segment. */
  readonly rotations: number;
  /** Segments made ready from new files. */
  readonly segmentsPrepared: number;
  /** Segments made ready from files that were reused. */
  readonly segmentsRecycled: number;
  /** Files deleted. */
  readonly segmentsRemoved: number;
  /** Writes and syncs of groups that failed: 0, or 1 when the log is poisoned. */
  readonly ioErrors: number;
  /** Failures of maintenance (preparing, freeing, archiving segments), each of which is tried again. */
  readonly maintenanceErrors: number;
  /**
   * An error of maintenance that has not been overcome, if there is one: why no segment can be prepared; or else why one that
   * was freed can't be removed or archived.
   */
  readonly maintenanceError: string | undefined;
  /** Rings attached: threads that append. */
  readonly producers: number;
  /** Bytes in use of all their rings together. */
  readonly ringsUsedBytes: number;
  /** Bytes of all their rings together. */
  readonly ringsCapacityBytes: number;
  /** Microseconds spent in writes and their syncs. */
  readonly syncUsTotal: number;
  /** Records of a group. */
  readonly groupRecords: Distribution;
  /** Bytes of a group. */
  readonly groupBytes: Distribution;
  /** How long a group's oldest record had been published when the group was built, microseconds. */
  readonly waitUs: Distribution;
  /** Write and sync of a group together, microseconds; with direct writes they are one call. */
  readonly syncUs: Distribution;
}

/** What the I/O worker tells. */
export interface WorkerStats extends EngineStats {
  /** How groups are made durable: what the option says, or what `auto` found to be fastest. */
  readonly syncMode: SyncMode;
}

/** A cursor as who uses it gets to know it. */
export interface UsedCursor {
  readonly position: number;
  /** Of two cursors of one name, of which the first was deleted, each has its own. */
  readonly making: number;
}

/** Calls that every thread with a handle can make. Each rejects with a RingwalError. */
export interface ProducerApi {
  options(): LogTerms;
  /** Adds the calling thread's ring. */
  attach(ring: SharedArrayBuffer): Attachment;
  /** Takes nothing more from the calling thread's ring; what was taken is completed when this resolves. */
  withdraw(): Promise<void>;
  rotate(): Promise<number>;
  /** Resolves with the LSN that the log begins with, as does `gcBefore`. */
  truncateBefore(lsn: number, force: boolean): Promise<number>;
  gcBefore(segmentNumber: number): Promise<number>;
  truncateAfter(lsn: number): Promise<void>;
  /** A named cursor, which is made if need be. */
  cursor(name: string): Promise<UsedCursor>;
  /** Resolves with the position that is durable. `making` is of the cursor that is meant. */
  ackCursor(name: string, lsn: number, making: number): Promise<number>;
  /** Deletes the cursor, or, if it is told, none of another `making`. */
  deleteCursor(name: string, making?: number): Promise<void>;
  cursors(): CursorInfo[];
  view(): ReadView;
  stats(): WorkerStats;
  /** Serves another thread through `port`. */
  adopt(port: MessagePort): void;
}

/** Calls of the thread that opened the log. */
export interface OpenerApi extends ProducerApi {
  /** Locks the directory and recovers the log; the first call. */
  open(): Promise<RecoverySummary>;
  /** Encrypts what is appended from now on with another key. */
  rotateKey(key: EncryptionKey): void;
  /** Commits what is published, marks the log as closed, and ends the worker. */
  close(): Promise<void>;
}
