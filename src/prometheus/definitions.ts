/** definitions: what is exported of a log: name, type, help, and where in its figures each value comes from. */
import type { Distribution } from '../index.js';
import type { Figures, Scraped } from './figures.js';

/** One line of the exposition. */
export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** Where it is not the metric's: `_bucket`, `_sum` and `_count` of a histogram. */
  readonly metricName?: string;
}

export interface Definition {
  /** Without the prefix. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** `name` is the metric's, with the prefix. */
  samples(scraped: Scraped, name: string): Sample[];
}

function single(
  type: 'counter' | 'gauge',
  name: string,
  help: string,
  figureOf: (figures: Figures) => number,
): Definition {
  return {
    name,
    type,
    help,
    samples: ({ labels, figures }) => (figures === undefined ? [] : [{ labels, value: figureOf(figures) }]),
  };
}

const counter = single.bind(undefined, 'counter');
const gauge = single.bind(undefined, 'gauge');

/** Which of the powers of two, in the engine's unit, are upper bounds; and the engine's units in a base unit. */
interface Scale {
  readonly first: number;
  readonly last: number;
  readonly step: number;
  readonly perUnit: number;
}

/** 16 us to 8.4 s. */
const TIMES: Scale = { first: 4, last: 23, step: 1, perUnit: 1_000_000 };
/** 1 to 1 048 576, the most that `maxGroupRecords` can be. */
const RECORDS: Scale = { first: 0, last: 20, step: 1, perUnit: 1 };
/** 256 bytes to 64 MiB, in steps of four. */
const BYTES: Scale = { first: 8, last: 26, step: 2, perUnit: 1 };

/**
 * A histogram out of one that the engine keeps. Its bounds are always the same ones, also while they are empty: a
 * series that comes later would lose its first increase, and quantiles want the same bounds in every series.
 */
function histogram(
  name: string,
  help: string,
  { first, last, step, perUnit }: Scale,
  distributionOf: (figures: Figures) => Distribution,
): Definition {
  return {
    name,
    type: 'histogram',
    help,
    samples({ labels, figures }, metricName) {
      if (figures === undefined) return [];
      const { buckets, count, sum } = distributionOf(figures);
      const bucket = (le: number | string, value: number): Sample => ({
        labels: { ...labels, le },
        value,
        metricName: `${metricName}_bucket`,
      });
      const samples: Sample[] = [];
      let below = 0;
      for (let exponent = 0; exponent <= last; exponent++) {
        below += buckets[exponent] ?? 0;
        if (exponent >= first && (exponent - first) % step === 0)
          samples.push(bucket(2 ** exponent / perUnit, below));
      }
      return [
        ...samples,
        bucket('+Inf', count),
        { labels, value: sum / perUnit, metricName: `${metricName}_sum` },
        { labels, value: count, metricName: `${metricName}_count` },
      ];
    },
  };
}

/** Whether the log takes appends. */
const isUp = (figures: Figures | undefined): boolean => figures !== undefined && figures.ioErrors === 0;

export const UP = 'up';

export const definitions: readonly Definition[] = [
  {
    name: UP,
    type: 'gauge',
    help: 'Whether the log takes appends: 0 when it is closed, its I/O worker died or does not answer, or a write failed.',
    samples: ({ labels, figures }) => [{ labels, value: isUp(figures) ? 1 : 0 }],
  },
  {
    name: 'info',
    type: 'gauge',
    help: 'Always 1; sync_mode says how groups are made durable.',
    samples: ({ labels, figures }) =>
      figures === undefined ? [] : [{ labels: { ...labels, sync_mode: figures.syncMode }, value: 1 }],
  },

  counter('records_total', 'Records written, by all threads.', ({ records }) => records),
  counter('record_bytes_total', 'Bytes of records written, with their frames.', ({ bytes }) => bytes),
  counter('groups_total', 'Groups of records written.', ({ groups }) => groups),
  counter('syncs_total', 'Writes that were followed by a sync.', ({ syncs }) => syncs),
  histogram('sync_duration_seconds', 'Write and sync together.', TIMES, ({ syncUs }) => syncUs),
  histogram(
    'group_wait_seconds',
    "How long a group's oldest record had been published when the group was built.",
    TIMES,
    ({ waitUs }) => waitUs,
  ),
  histogram('group_records', 'Records in a group.', RECORDS, ({ groupRecords }) => groupRecords),
  histogram('group_bytes', 'Bytes of records in a group.', BYTES, ({ groupBytes }) => groupBytes),

  gauge('first_lsn', 'First LSN of the log.', ({ firstLsn }) => firstLsn),
  gauge('durable_lsn', 'Last LSN known to be on stable storage.', ({ durableLsn }) => durableLsn),
  gauge('checkpoint_lsn', 'LSN of the last checkpoint; 0: none.', ({ checkpointLsn }) => checkpointLsn),

  gauge(
    'appends_in_flight',
    'Appends of the scraped thread that are neither resolved nor rejected.',
    ({ inFlight }) => inFlight,
  ),
  gauge(
    'waiting_bytes',
    "Bytes of the scraped thread's appends that wait for room in its ring.",
    ({ waitingBytes }) => waitingBytes,
  ),
  gauge('ring_used_bytes', 'Bytes in use of the rings of all threads.', (figures) => figures.ringsUsedBytes),
  gauge('ring_capacity_bytes', 'Size of the rings of all threads.', (figures) => figures.ringsCapacityBytes),
  gauge('producers', 'Threads that can append.', ({ producers }) => producers),

  counter('rotations_total', 'Segments that were closed for a new one.', ({ rotations }) => rotations),
  counter(
    'segments_prepared_total',
    'Segments made ready from new files.',
    ({ segmentsPrepared }) => segmentsPrepared,
  ),
  counter(
    'segments_recycled_total',
    'Segments made ready from files of truncated ones.',
    ({ segmentsRecycled }) => segmentsRecycled,
  ),
  counter('segments_removed_total', 'Segment files deleted.', ({ segmentsRemoved }) => segmentsRemoved),

  counter(
    'io_errors_total',
    'Writes and syncs of groups that failed; the log takes no appends after the first.',
    ({ ioErrors }) => ioErrors,
  ),
  counter(
    'maintenance_errors_total',
    'Failures to prepare, remove or hand on segments; each is tried again.',
    ({ maintenanceErrors }) => maintenanceErrors,
  ),
  gauge(
    'maintenance_failing',
    '1 while a failure to prepare, remove or hand on segments has not been overcome.',
    ({ maintenanceError }) => (maintenanceError === undefined ? 0 : 1),
  ),
];
