/** load: what a system is put under, and what is measured meanwhile: plain data, which crosses the border of a process. */

interface AnyLoad {
  readonly ms: number;
  readonly payloadBytes: number;
}

/** So many callers, each of which appends its next record when its last one is durable. */
export interface ClosedLoad extends AnyLoad {
  readonly kind: 'closed';
  readonly inFlight: number;
  /** Records of one call of `appendBatch`; 1: `append`. */
  readonly batch: number;
  /** Appended through another ring of the same log meanwhile, and not measured. */
  readonly beside?: { readonly inFlight: number; readonly payloadBytes: number };
  /** Whether a timeline is wanted, and when new segments began. */
  readonly hasTimeline?: boolean;
}

/** So many appends a second, whatever becomes of them; latency counts from the moment at which each was due. */
export interface OpenLoad extends AnyLoad {
  readonly kind: 'open';
  readonly arrivals: 'constant' | 'poisson';
  readonly perSecond: number;
}

/** So many appends at once, again and again. */
export interface BurstLoad extends AnyLoad {
  readonly kind: 'bursts';
  readonly records: number;
  readonly everyMs: number;
}

export type Load = ClosedLoad | OpenLoad | BurstLoad;

export interface Latency {
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  /** Percentile (0 to 100) and latency in microseconds, both growing. */
  readonly curve: readonly (readonly [percentile: number, us: number])[];
}

export interface Measurement {
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** Of payload. */
  readonly bytesPerSecond: number;
  readonly latency: Latency;
  /** Mean records of a group, of a system that can tell. */
  readonly groupRecords?: number;
  /**
   * CPU time of a record, microseconds: of the thread that appends, and of all other threads of the process. Not of open
   * loads, nor where the system does not tell threads apart.
   */
  readonly appCpuUs?: number;
  readonly otherCpuUs?: number;
  /** How late the event loop was, at worst of 99 %, in ms; of a web service. To look at it costs a millisecond's timer: not of others. */
  readonly loopDelayP99Ms?: number;
  /** Open loads: appends that were due before the end and not durable then; far more than usual in flight: the system can't keep up. */
  readonly backlog?: number;
  /** Figures of a scenario's own, by name and unit. */
  readonly extra?: Readonly<Record<string, number>>;
  /** Worst latency of the appends of each slice of time, in order: [ms since the start, us]. Only where a scenario asks. */
  readonly timeline?: readonly (readonly [ms: number, us: number])[];
  /** With a timeline: when the first record in each new segment became durable, in ms since the start. */
  readonly rotationsMs?: readonly number[];
}
