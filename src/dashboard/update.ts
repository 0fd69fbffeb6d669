/** update: what the page is told at each moment: plain figures, and never a byte of a record. */
import type { LogStats } from '../index.js';
import type { Interval } from './interval.js';
import type { Ending, Look } from './shown-log.js';

/** As many segments are drawn; of the older ones only their number is told. */
const DRAWN_SEGMENTS = 256;

/** `[number, firstLsn, lastLsn, bytes, isClosed]`: there are many, several times a second. */
export type SegmentRow = readonly [number, number, number, number, boolean];

/** The log as it is. */
export interface Figures
  extends Pick<
    LogStats,
    | 'durableLsn'
    | 'firstLsn'
    | 'inFlight'
    | 'waitingBytes'
    | 'producers'
    | 'ringsUsedBytes'
    | 'ringsCapacityBytes'
    | 'syncMode'
    | 'records'
    | 'groups'
    | 'syncs'
    | 'rotations'
    | 'segmentsPrepared'
    | 'segmentsRecycled'
    | 'segmentsRemoved'
    | 'ioErrors'
    | 'maintenanceErrors'
  > {
  readonly checkpointLsn: number;
  /** Empty when there is none. */
  readonly maintenanceError: string;
  /** Size of a segment file; 0 when that isn't known. */
  readonly segmentCapacity: number;
  /** All segments: how many, and their bytes. */
  readonly segmentCount: number;
  readonly segmentBytes: number;
  /** The newest of them, oldest first. */
  readonly segments: readonly SegmentRow[];
}

export interface Update {
  /** Milliseconds of the dashboard's clock. */
  readonly at: number;
  readonly state: 'starting' | 'open' | Ending['state'];
  readonly code: string;
  /** What has ended the log; empty while it is open. */
  readonly message: string;
  /** For how long the log has not answered, when that is longer than it should be; else 0. */
  readonly silentMs: number;
  readonly figures: Figures | null;
  /** What happened since the update before; null when that isn't known. */
  readonly interval: Interval | null;
}

/** What a page is told when it comes, and when it missed updates. */
export interface History {
  readonly directory: string;
  readonly intervalMs: number;
  readonly intervals: readonly Interval[];
  readonly update: Update;
}

export function figuresOf({ stats, checkpointLsn, segments }: Look, segmentCapacity: number): Figures {
  return {
    durableLsn: stats.durableLsn,
    firstLsn: stats.firstLsn,
    checkpointLsn,
    inFlight: stats.inFlight,
    waitingBytes: stats.waitingBytes,
    producers: stats.producers,
    ringsUsedBytes: stats.ringsUsedBytes,
    ringsCapacityBytes: stats.ringsCapacityBytes,
    syncMode: stats.syncMode,
    records: stats.records,
    groups: stats.groups,
    syncs: stats.syncs,
    rotations: stats.rotations,
    segmentsPrepared: stats.segmentsPrepared,
    segmentsRecycled: stats.segmentsRecycled,
    segmentsRemoved: stats.segmentsRemoved,
    ioErrors: stats.ioErrors,
    maintenanceErrors: stats.maintenanceErrors,
    maintenanceError: stats.maintenanceError ?? '',
    segmentCapacity,
    segmentCount: segments.length,
    segmentBytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    segments: segments
      .slice(-DRAWN_SEGMENTS)
      .map(({ number, firstLsn, lastLsn, bytes, isClosed }) => [number, firstLsn, lastLsn, bytes, isClosed]),
  };
}
