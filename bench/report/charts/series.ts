/** series: a system as a line of points with the spread of their rounds, and the systems of a chart as such lines. */
import type { Look } from '../looks.js';
import { count, us } from '../page/formats.js';
import type { Cell } from '../results.js';
import { type Pick, type Spread, spreadOf } from '../spread.js';
import { colour, type Option } from './option.js';

export interface Point {
  readonly x: number;
  readonly y: Spread;
  /** Where it is, in words: "100 in flight". */
  readonly where: string;
  /** The figure, in words: for a tooltip that lists systems. */
  readonly text?: string;
  /** All figures, in words: for a tooltip of this point. */
  readonly rows?: readonly (readonly [string, string])[];
  /** Drawn as a cross: the system can't keep up here. */
  readonly isBeyond?: boolean;
}

const CROSS = 'path://M1 0L5 4L9 0L10 1L6 5L10 9L9 10L5 6L1 10L0 9L4 5L0 1Z';
const MARK_SIZE = 8;
/** How far down a whisker goes, of its median: a round that measured nothing is below every logarithmic axis. */
const LEAST = 1e-3;
/** In pixels, whatever the width of the line. */
const DASHES = { solid: 'solid', dashed: [6, 4], dotted: [2, 3] } as const;

/**
 * The line and its whiskers, under one name: a legend shows and hides all of it. `isCurve`: of many
 * points, which are bare numbers without marks.
 */
export function lineSeries(look: Look, all: readonly Point[], { isCurve = false } = {}): Option[] {
  // A logarithmic axis has no place for nothing.
  const points = all.filter(({ x, y }) => x > 0 && y.mid > 0);
  if (points.length === 0) return [];
  const spreads = points.filter(({ y }) => y.high > y.low);
  return [lineOf(look, points, isCurve), ...(spreads.length > 0 ? [whiskers(look, spreads)] : [])];
}

function lineOf(look: Look, points: readonly Point[], isCurve: boolean): Option {
  const isOwn = look.colour === 'accent';
  const paint = colour(look.colour);
  const size = isOwn ? MARK_SIZE + 2 : MARK_SIZE;
  return {
    ...{ type: 'line', name: look.name, z: isOwn ? 5 : 3, symbol: `path://${look.mark}`, symbolSize: size },
    ...{ symbolKeepAspect: true, showSymbol: !isCurve, showAllSymbol: true, color: paint },
    lineStyle: { color: paint, width: look.width, type: DASHES[look.dash], join: 'round' },
    itemStyle:
      look.isHollow && !isCurve
        ? { color: colour('surface'), borderColor: paint, borderWidth: 1.5 }
        : { color: paint, borderColor: colour('surface'), borderWidth: 1 },
    emphasis: { focus: 'series', lineStyle: { width: look.width + 1 } },
    blur: { lineStyle: { opacity: 0.15 }, itemStyle: { opacity: 0.15 } },
    data: points.map((point) => (isCurve ? [short(point.x), short(point.y.mid)] : datum(point, paint))),
  };
}

function datum({ x, y, where, text, rows, isBeyond = false }: Point, paint: string): Option {
  return {
    value: [short(x), short(y.mid)],
    ...{ where, paint },
    ...(text === undefined ? {} : { text }),
    ...(rows === undefined ? {} : { rows }),
    ...(isBeyond ? { symbol: CROSS, symbolSize: 11, itemStyle: { color: paint, borderWidth: 0 } } : {}),
  };
}

function whiskers(look: Look, points: readonly Point[]): Option {
  return {
    ...{ type: 'custom', name: look.name, renderItem: '$whisker', silent: true, z: 2 },
    ...{ color: colour(look.colour), tooltip: { show: false }, encode: { x: 0, y: [1, 2] } },
    blur: { itemStyle: { opacity: 0.1 } },
    data: points.map(({ x, y }) => [short(x), short(Math.max(y.low, y.mid * LEAST)), short(y.high)]),
  };
}

/** Four digits are more than any of these measurements has; they keep the page small. */
export function short(value: number): number {
  return Number(value.toPrecision(4));
}

/** The systems of `cells` in the order of the looks (which is that of the results), those with a look only. */
export function looksIn(cells: readonly Cell[], looks: ReadonlyMap<string, Look>): Look[] {
  return [...looks.values()].filter(({ name }) => cells.some(({ system }) => system === name));
}

/** "538 k [520 k – 578 k]": the median, and where the rounds lie. */
export function inWords(spread: Spread | undefined, show: (value: number) => string): string {
  if (spread === undefined) return '';
  if (spread.low === spread.high) return show(spread.mid);
  return `${show(spread.mid)}  [${show(spread.low)} – ${show(spread.high)}]`;
}

/** What a tooltip tells of a cell of appends. */
export function figuresOf(cell: Cell): (readonly [string, string])[] {
  const row = (label: string, pick: Pick, show: (value: number) => string): (readonly [string, string])[] => {
    const text = inWords(spreadOf(cell.rounds, pick), show);
    return text === '' ? [] : [[label, text]];
  };
  return [
    ...row('records/s', (round) => round.recordsPerSecond, count),
    ...row('records of a group', (round) => round.groupRecords, count),
    ...row('p50', (round) => round.latency.p50Us, us),
    ...row('p99', (round) => round.latency.p99Us, us),
    ...row('p99.9', (round) => round.latency.p999Us, us),
  ];
}

/** All values that the points need room for. */
export function valuesOfPoints(lines: readonly (readonly Point[])[]): { x: number[]; y: number[] } {
  const points = lines.flat();
  return { x: points.map(({ x }) => x), y: points.flatMap(({ y }) => [y.low, y.high]) };
}
