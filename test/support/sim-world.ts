/** sim-world: what outlives the processes of a scenario: the machine, the clock, and what is known of the log. */
import type { ResolvedOptions } from '../../dist/src/options.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import type { CursorModel } from './cursor-model.js';
import type { OracleRelay } from './io-relay.js';
import type { LogHistory } from './log-history.js';
import type { SimMachine } from './sim-machine.js';
import type { StepClock } from './step-clock.js';

/** What outlives the process. */
export interface SimWorld {
  readonly machine: SimMachine;
  readonly clock: StepClock;
  readonly oracle: OracleRelay;
  readonly history: LogHistory;
  readonly cursors: CursorModel;
  readonly options: ResolvedOptions;
  readonly ringCount: number;
  /** Cursors do not hold back what was truncated with `force`: up to this LSN. */
  forced: number;
  /** Makes payloads differ. */
  payloads: number;
  /** The first thing that went wrong where nothing waits for it. */
  failure: unknown;
}

/** Tells of a cut as it takes effect. */
export class SimState extends LogState {
  onCut: (lsn: number) => void = () => {};

  override cut(lsn: number, checkpointLsn: number): void {
    this.onCut(lsn);
    super.cut(lsn, checkpointLsn);
  }
}

/** An error with what caused it, in a line. */
export function said(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined
    ? `${error.name}: ${error.message}`
    : `${error.name}: ${error.message} <- ${said(error.cause)}`;
}
