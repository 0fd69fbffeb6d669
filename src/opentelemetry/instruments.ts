/** instruments: what is observed of a log: kind, name, unit, description, and where in its figures each value comes from. */
import { type Attributes, type Meter, type Observable, ValueType } from '@opentelemetry/api';
import type { LogAppender, LogStats } from '../index.js';

/** What is needed of a log. */
export type ObservedLog = Pick<LogAppender, 'directory' | 'checkpointLsn' | 'stats'>;

export interface Figures extends LogStats {
  readonly checkpointLsn: number;
}

export interface Definition {
  /** An up-down counter is what can be added up over logs, a gauge what can't. */
  readonly kind: 'counter' | 'upDownCounter' | 'gauge';
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly valueType?: ValueType;
  valueOf(figures: Figures): number;
  readonly attributesOf?: (figures: Figures) => Attributes;
}

const syncMode = ({ syncMode }: Figures): Attributes => ({ 'ringwal.sync.mode': syncMode });

const definitions: readonly Definition[] = [
  {
    kind: 'counter',
    name: 'ringwal.records',
    unit: '{record}',
    description: 'Records written, by all threads.',
    valueOf: ({ records }) => records,
  },
  {
    kind: 'counter',
    name: 'ringwal.record.io',
    unit: 'By',
    description: 'Bytes of records written, with their frames.',
    valueOf: ({ bytes }) => bytes,
  },
  {
    kind: 'counter',
    name: 'ringwal.groups',
    unit: '{group}',
    description: 'Groups of records written.',
    valueOf: ({ groups }) => groups,
  },
  {
    kind: 'counter',
    name: 'ringwal.syncs',
    unit: '{sync}',
    description: 'Writes that were followed by a sync.',
    valueOf: ({ syncs }) => syncs,
    attributesOf: syncMode,
  },
  {
    kind: 'counter',
    name: 'ringwal.sync.time',
    unit: 's',
    description: 'Time spent in writes and their syncs.',
    valueType: ValueType.DOUBLE,
    valueOf: ({ syncUsTotal }) => syncUsTotal / 1_000_000,
    attributesOf: syncMode,
  },
  {
    kind: 'counter',
    name: 'ringwal.group.wait.time',
    unit: 's',
    description:
      "How long the groups' oldest records had been published when their groups were built, added up.",
    valueType: ValueType.DOUBLE,
    valueOf: ({ waitUs }) => waitUs.sum / 1_000_000,
  },
  {
    kind: 'gauge',
    name: 'ringwal.lsn.first',
    unit: '{lsn}',
    description: 'First LSN of the log.',
    valueOf: ({ firstLsn }) => firstLsn,
  },
  {
    kind: 'gauge',
    name: 'ringwal.lsn.durable',
    unit: '{lsn}',
    description: 'Last LSN known to be on stable storage.',
    valueOf: ({ durableLsn }) => durableLsn,
  },
  {
    kind: 'gauge',
    name: 'ringwal.lsn.checkpoint',
    unit: '{lsn}',
    description: 'LSN of the last checkpoint; 0: none.',
    valueOf: ({ checkpointLsn }) => checkpointLsn,
  },
  {
    kind: 'upDownCounter',
    name: 'ringwal.append.in_flight',
    unit: '{append}',
    description: 'Appends of the observing thread that are neither resolved nor rejected.',
    valueOf: ({ inFlight }) => inFlight,
  },
  {
    kind: 'upDownCounter',
    name: 'ringwal.append.waiting',
    unit: 'By',
    description: "Bytes of the observing thread's appends that wait for room in its ring.",
    valueOf: ({ waitingBytes }) => waitingBytes,
  },
  {
    kind: 'upDownCounter',
    name: 'ringwal.ring.usage',
    unit: 'By',
    description: 'Bytes in use of the rings of all threads.',
    valueOf: ({ ringsUsedBytes }) => ringsUsedBytes,
  },
  {
    kind: 'upDownCounter',
    name: 'ringwal.ring.limit',
    unit: 'By',
    description: 'Size of the rings of all threads.',
    valueOf: ({ ringsCapacityBytes }) => ringsCapacityBytes,
  },
  {
    kind: 'upDownCounter',
    name: 'ringwal.producer.count',
    unit: '{thread}',
    description: 'Threads that can append.',
    valueOf: ({ producers }) => producers,
  },
  {
    kind: 'counter',
    name: 'ringwal.segment.rotations',
    unit: '{rotation}',
    description: 'Segments that were closed for a new one.',
    valueOf: ({ rotations }) => rotations,
  },
  {
    kind: 'counter',
    name: 'ringwal.segment.prepared',
    unit: '{segment}',
    description: 'Segments made ready from new files.',
    valueOf: ({ segmentsPrepared }) => segmentsPrepared,
  },
  {
    kind: 'counter',
    name: 'ringwal.segment.recycled',
    unit: '{segment}',
    description: 'Segments made ready from files of truncated ones.',
    valueOf: ({ segmentsRecycled }) => segmentsRecycled,
  },
  {
    kind: 'counter',
    name: 'ringwal.segment.removed',
    unit: '{segment}',
    description: 'Segment files deleted.',
    valueOf: ({ segmentsRemoved }) => segmentsRemoved,
  },
  {
    kind: 'counter',
    name: 'ringwal.io.errors',
    unit: '{error}',
    description: 'Writes and syncs of groups that failed; the log takes no appends after the first.',
    valueOf: ({ ioErrors }) => ioErrors,
  },
  {
    kind: 'counter',
    name: 'ringwal.maintenance.errors',
    unit: '{error}',
    description: 'Failures to prepare, remove or hand on segments; each is tried again.',
    valueOf: ({ maintenanceErrors }) => maintenanceErrors,
  },
];

/** The instrument of each definition. A meter gives instruments of one name the same stream, however many logs there are. */
export function createInstruments(meter: Meter): Map<Definition, Observable> {
  const create = {
    counter: meter.createObservableCounter,
    upDownCounter: meter.createObservableUpDownCounter,
    gauge: meter.createObservableGauge,
  };
  return new Map(
    definitions.map((definition) => {
      const { kind, name, unit, description, valueType = ValueType.INT } = definition;
      return [definition, create[kind].call(meter, name, { unit, description, valueType })];
    }),
  );
}
