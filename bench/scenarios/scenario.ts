/** scenario: one question to the systems: what it measures, how long that takes, and what came of it. */

import type { Progress } from '../harness/progress.js';
import { measureCells, type Planned, roundMs } from '../harness/rounds.js';
import type { SystemKind } from '../harness/system.js';
import type { Cell } from '../report/results.js';
import { KINDS } from '../systems/index.js';

export interface Context {
  /** Empty, and the scenario's own. */
  readonly directory: string;
  readonly isQuick: boolean;
  /** The kinds that can be measured here. */
  readonly kinds: readonly SystemKind[];
  readonly progress: Progress;
  /** What other scenarios of the run have measured before. */
  readonly before: Readonly<Record<string, readonly Cell[]>>;
}

export interface Scenario {
  readonly name: string;
  /** A line of the help. */
  readonly what: string;
  /** Whether peers are measured too, and not only ringwal, limits and the yardstick. */
  readonly hasPeers: boolean;
  /** About how long it takes, in milliseconds: for the progress bar, and what it advances it by. */
  estimateMs(context: Pick<Context, 'isQuick' | 'kinds'>): number;
  run(context: Context): Promise<Cell[]>;
}

/** A scenario that is a number of cells, measured in so many rounds. */
export function scenarioOfCells(
  name: string,
  what: string,
  hasPeers: boolean,
  plan: (context: Pick<Context, 'isQuick' | 'kinds'>) => {
    readonly cells: readonly Planned[];
    readonly rounds: number;
  },
): Scenario {
  return {
    ...{ name, what, hasPeers },
    estimateMs(context) {
      const { cells, rounds } = plan(context);
      return roundMs(cells) * rounds;
    },
    run(context) {
      const { cells, rounds } = plan(context);
      return measureCells(cells, rounds, context.directory, context.progress);
    },
  };
}

/** Those of `names` that can be measured here. */
export function present(names: readonly string[], kinds: readonly SystemKind[]): string[] {
  return names.filter((name) => kinds.some((kind) => kind.name === name));
}

/** Names of the kinds with a role, of those that can be measured here. */
export function ofRole(role: SystemKind['role'], kinds: readonly SystemKind[] = KINDS): string[] {
  return kinds.filter((kind) => kind.role === role).map(({ name }) => name);
}
