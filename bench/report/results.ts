/** results: what a run of the bench has measured, as `--json` writes it and the report reads it. */
import type { BenchEnvironment } from '../harness/environment.js';
import type { Measurement } from '../harness/load.js';
import type { SystemKind } from '../harness/system.js';

/** One system at one point of a scenario, measured in several rounds. */
export interface Cell {
  /** Name of the system's kind. */
  readonly system: string;
  /** Where: e.g. { inFlight: 100 }, or { windowUs: 200, perSecond: 50000 }; the scenario's axes. */
  readonly at: Readonly<Record<string, number | string>>;
  readonly rounds: readonly Measurement[];
}

/** Whether a speed bar was met. */
export interface Bar {
  readonly bar: string;
  /** E.g. "100 in flight". */
  readonly where: string;
  /** Ratios, a round each. */
  readonly ratios: readonly number[];
  readonly must: { readonly atLeast: number } | { readonly atMost: number };
  /** What no engine could pass, computed from this run's floor, where that is less than the bar. */
  readonly limit?: number;
}

export interface SystemReport extends Pick<SystemKind, 'name' | 'what' | 'role'> {
  /** Why it was not measured. */
  readonly lacking?: string;
  /** Appends made one after the other, and the syncs that the disk saw meanwhile; fewer syncs than appends: it is marked. */
  readonly syncs?: { readonly appends: number; readonly syncs: number };
  /** Why they were not counted. */
  readonly uncounted?: string;
}

export interface Results {
  readonly date: string;
  readonly seconds: number;
  readonly isQuick: boolean;
  readonly environment: BenchEnvironment;
  readonly systems: readonly SystemReport[];
  /** By name of the scenario: closed, open, windows, sizes, producers, rotation, recovery, http, bulk, ... */
  readonly scenarios: Readonly<Record<string, readonly Cell[]>>;
  readonly bars: readonly Bar[];
}
