/** spread: the rounds of a cell as one figure: their median, with the least and the greatest. */
import type { Measurement } from '../harness/load.js';
import type { Cell } from './results.js';
import { median } from './statistics.js';

export interface Spread {
  readonly mid: number;
  readonly low: number;
  readonly high: number;
}

/** What a chart shows of a measurement; undefined: this system can't tell. */
export type Pick = (measurement: Measurement) => number | undefined;

/** Of the rounds that have the figure; undefined when none has. */
export function spreadOf(rounds: readonly Measurement[], pick: Pick): Spread | undefined {
  return spreadOfValues(rounds.map(pick));
}

export function spreadOfValues(values: readonly (number | undefined)[]): Spread | undefined {
  const known = values.filter((value): value is number => value !== undefined && Number.isFinite(value));
  if (known.length === 0) return undefined;
  return { mid: median(known), low: Math.min(...known), high: Math.max(...known) };
}

/**
 * Ratios of `above` to `below`: round by round when both were measured in the same rounds, since what disturbs a machine
 * disturbs both then; else of the medians.
 */
export function ratioOf(above: Cell, below: Cell, pick: Pick): Spread | undefined {
  const upper = above.rounds.map(pick);
  const lower = below.rounds.map(pick);
  if (upper.length === lower.length) {
    return spreadOfValues(upper.map((value, round) => divide(value, lower[round])));
  }
  return spreadOfValues([divide(spreadOfValues(upper)?.mid, spreadOfValues(lower)?.mid)]);
}

function divide(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined ? undefined : above / below;
}

/** The round in the middle by `pick`: where a whole curve is shown, and medians of points would be a curve nobody saw. */
export function middleRound(rounds: readonly Measurement[], pick: Pick): Measurement | undefined {
  const sorted = [...rounds].sort((a, b) => (pick(a) ?? 0) - (pick(b) ?? 0));
  return sorted[(sorted.length - 1) >> 1];
}

/** Cells by the value of an axis, in growing order; those without it are left out. */
export function alongAxis(
  cells: readonly Cell[],
  axis: string,
): { readonly x: number; readonly cell: Cell }[] {
  return cells
    .flatMap((cell) => {
      const x = cell.at[axis];
      return typeof x === 'number' ? [{ x, cell }] : [];
    })
    .sort((a, b) => a.x - b.x);
}

/** The different values of an axis, growing. */
export function valuesOf(cells: readonly Cell[], axis: string): number[] {
  return [...new Set(alongAxis(cells, axis).map(({ x }) => x))].sort((a, b) => a - b);
}

/** Names of the systems in the cells, each once, in the order in which they first come. */
export function systemsOf(cells: readonly Cell[]): string[] {
  return [...new Set(cells.map(({ system }) => system))];
}
