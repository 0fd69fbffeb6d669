/**
 * rounds: measures cells, in several rounds: at each point all systems one after the other, in another order each round,
 * so that what drifts (the disk, the machine's neighbours) meets all alike; ratios are taken within a round.
 */
import { join } from 'node:path';
import type { Cell } from '../report/results.js';
import { HostedSystem } from './hosted-system.js';
import { kindOf } from './kinds.js';
import type { Load, Measurement } from './load.js';
import type { Progress } from './progress.js';

/** What is to be measured: one system at one point. */
export interface Planned {
  readonly system: string;
  /** What it is opened with; cells of a system with the same options share one process. */
  readonly options?: unknown;
  readonly at: Cell['at'];
  /** Cells with the same are measured side by side, to be compared. Default: `at`. */
  readonly beside?: unknown;
  readonly load: Load;
}

/** A load of this share of the time goes before each, and is not counted: code gets compiled, files get their blocks. */
const WARM_UP = 0.25;

/** How long a round of these takes, in milliseconds, without the opening. */
export function roundMs(cells: readonly Planned[]): number {
  return cells.reduce((sum, { load }) => sum + load.ms * (1 + WARM_UP), 0);
}

export async function measureCells(
  cells: readonly Planned[],
  rounds: number,
  directory: string,
  progress: Progress,
): Promise<Cell[]> {
  const hosts = new Map<string, HostedSystem>();
  const results = cells.map(({ system, at }) => ({ system, at, rounds: [] as Measurement[] }));
  const points = pointsOf(cells);
  try {
    for (const cell of cells) {
      const key = keyOf(cell);
      if (hosts.has(key)) continue;
      progress.say(`opening ${cell.system}`);
      const path = join(directory, `${hosts.size}`);
      hosts.set(key, await HostedSystem.open(kindOf(cell.system), path, cell.options));
    }
    for (let round = 0; round < rounds; round++) {
      for (const point of points) {
        for (let i = 0; i < point.length; i++) {
          const at = point[(i + round) % point.length] as number;
          const { system, load, at: where } = cells[at] as Planned;
          progress.say(
            `${system}, ${Object.entries(where)
              .map(([name, value]) => `${name} ${value}`)
              .join(', ')}`,
          );
          const host = hosts.get(keyOf(cells[at] as Planned)) as HostedSystem;
          await host.measure({ ...load, ms: load.ms * WARM_UP });
          results[at]?.rounds.push(await host.measure(load));
          progress.advance(load.ms * (1 + WARM_UP));
        }
      }
    }
    for (const host of hosts.values()) await host.close();
    return results;
  } finally {
    for (const host of hosts.values()) host.kill();
  }
}

function keyOf({ system, options }: Planned): string {
  return JSON.stringify([system, options ?? null]);
}

/** Indices of the cells at each point, in the order in which the points come first. */
function pointsOf(cells: readonly Planned[]): number[][] {
  const points = new Map<string, number[]>();
  for (const [i, { at, beside = at }] of cells.entries()) {
    const key = JSON.stringify(beside);
    points.set(key, [...(points.get(key) ?? []), i]);
  }
  return [...points.values()];
}
