/** rounds: measures all cells again and again within the time there is, and takes the medians. */
import { join } from 'node:path';
import { measure, type Run } from './measure.js';
import type { Cell, Load } from './plan.js';

/** What was measured of a cell. */
export interface Figure extends Run, Load {
  readonly about: Cell['about'];
  readonly setting: string;
}

/** Part of a cell's time that is load; the rest opens and closes logs. */
const LOADED = 0.72;
const LEAST_MS = 5;
/** A cell that gets less time than this is rather measured once than twice. */
const WORTHWHILE_MS = 200;

export interface Turn {
  readonly done: number;
  readonly total: number;
  readonly cell: Cell;
}

/** `seconds` is about what it takes. Every other round goes backwards, so that what drifts favours no cell. */
export async function measureAll(
  directory: string,
  cells: readonly Cell[],
  seconds: number,
  signal: AbortSignal,
  onTurn: (turn: Turn) => void,
): Promise<Figure[]> {
  const eachMs = (seconds * 1000) / cells.length;
  const rounds = Math.max(1, Math.floor(eachMs / WORTHWHILE_MS));
  const loadMs = Math.max(LEAST_MS, (LOADED * eachMs) / rounds);
  const runs = new Map<Cell, Run[]>(cells.map((cell) => [cell, []]));
  let done = 0;
  for (let round = 0; round < rounds; round++) {
    for (const cell of round % 2 === 0 ? cells : cells.toReversed()) {
      onTurn({ done: done++, total: cells.length * rounds, cell });
      const run = await measure(join(directory, 'log'), cell.options, cell.load, loadMs, signal);
      runs.get(cell)?.push(run);
    }
  }
  return [...runs].map(([{ about, setting, load }, all]) => ({
    ...{ about, setting, ...load, syncMode: all[0]?.syncMode ?? '' },
    recordsPerSecond: median(all.map((run) => run.recordsPerSecond)),
    p50Us: median(all.map((run) => run.p50Us)),
    p99Us: median(all.map((run) => run.p99Us)),
    syncP50Us: median(all.map((run) => run.syncP50Us)),
    syncP99Us: median(all.map((run) => run.syncP99Us)),
  }));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
