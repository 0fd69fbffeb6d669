/** rounds: measures all cells again and again within the time there is, and takes the medians. */
import { join } from 'node:path';
import { measure, type Run } from './measure.js';
import type { Cell, Load } from './plan.js';

/** What was measured of a cell. */
export interface Figure extends Run, Load {
  readonly about: Cell['about'];
  readonly setting: string;
  /** Records per second of the slowest and of the fastest round. */
  readonly slowest: number;
  readonly fastest: number;
}

/** Shorter turns are mostly opening and closing; rather fewer rounds. */
const WORTHWHILE_MS = 290;
/** What a turn takes besides its load, to begin with. */
const GUESSED_OVERHEAD_MS = 80;
/** Part of a turn's time that is load, at least. */
const LEAST_LOADED = 0.3;
const LEAST_MS = 3;

export interface Turn {
  readonly done: number;
  readonly total: number;
  readonly leftMs: number;
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
  const rounds = Math.max(1, Math.floor((seconds * 1000) / cells.length / WORTHWHILE_MS));
  const turns = Array.from({ length: rounds }, (_, i) => (i % 2 === 0 ? cells : cells.toReversed())).flat();
  const runs = new Map<Cell, Run[]>(cells.map((cell) => [cell, []]));
  const endMs = performance.now() + seconds * 1000;
  let overheadMs = Math.min(GUESSED_OVERHEAD_MS, (seconds * 500) / turns.length);
  for (const [done, cell] of turns.entries()) {
    const fromMs = performance.now();
    const leftMs = Math.max(0, endMs - fromMs);
    const turnMs = leftMs / (turns.length - done);
    const loadMs = Math.max(LEAST_MS, LEAST_LOADED * turnMs, turnMs - overheadMs);
    onTurn({ done, total: turns.length, leftMs, cell });
    const run = await measure(join(directory, 'log'), cell.options, cell.load, loadMs, signal);
    runs.get(cell)?.push(run);
    overheadMs += (performance.now() - fromMs - loadMs - overheadMs) / 8;
  }
  return [...runs].map(([{ about, setting, load }, all]) => ({
    ...{ about, setting, ...load, syncMode: all[0]?.syncMode ?? '' },
    slowest: Math.min(...all.map((run) => run.recordsPerSecond)),
    fastest: Math.max(...all.map((run) => run.recordsPerSecond)),
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
