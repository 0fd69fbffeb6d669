/** fake-log: a log that counts how often it is asked, and tells that number as its records. */
import type { ShownLog } from '../../dist/src/dashboard/index.js';
import type { Distribution, LogStats, SegmentInfo } from '../../dist/src/index.js';

export class FakeLog implements ShownLog {
  directory = '/no/such/directory';
  readonly checkpointLsn = 0;
  statsCalls = 0;
  segmentsCalls = 0;
  shown: SegmentInfo[] = [segment(1, true), segment(2, false)];
  /** What is told besides. */
  more: Partial<LogStats> = {};
  /** What is asked is answered after this. */
  answering: Promise<void> = Promise.resolve();

  async stats(): Promise<LogStats> {
    this.statsCalls++;
    await this.answering;
    return statsOf({ records: this.statsCalls, ...this.more });
  }

  async segments(): Promise<SegmentInfo[]> {
    this.segmentsCalls++;
    await this.answering;
    return this.shown;
  }
}

export function segment(number: number, isClosed: boolean): SegmentInfo {
  return {
    number,
    file: `${number}.wal`,
    firstLsn: number * 10,
    lastLsn: number * 10 + 9,
    bytes: 4096,
    isClosed,
  };
}

export function distribution(buckets: readonly number[] = [], sum = 0): Distribution {
  const count = buckets.reduce((total, number) => total + number, 0);
  return { count, sum, mean: 0, p50: 0, p99: 0, max: 0, buckets };
}

export function statsOf(stats: Partial<LogStats>): LogStats {
  return {
    ...{ groups: 0, records: 0, bytes: 0, syncs: 0, rotations: 0, ioErrors: 0, producers: 1, syncUsTotal: 0 },
    ...{ segmentsPrepared: 0, segmentsRecycled: 0, segmentsRemoved: 0, maintenanceErrors: 0 },
    ...{ maintenanceError: undefined, ringsUsedBytes: 0, ringsCapacityBytes: 0, syncMode: 'fdatasync' },
    ...{
      groupRecords: distribution(),
      groupBytes: distribution(),
      waitUs: distribution(),
      syncUs: distribution(),
    },
    ...{ firstLsn: 1, durableLsn: 0, inFlight: 0, ringBytes: 0, ringCapacityBytes: 0, waitingBytes: 0 },
    ...stats,
  };
}
