/** percentiles: the whole distribution of latencies, out to the slowest one of many thousands. */

import type { Cell } from '../results.js';
import { middleRound, valuesOf } from '../spread.js';
import { inFlightText, type Looks } from './closed.js';
import { type Figure, nearest, type Panel } from './figure.js';
import { chart, logAxis } from './option.js';
import { lineSeries, looksIn, type Point, valuesOfPoints } from './series.js';

/** Where the axis is labelled: 0, 50, 90, 99, 99.9, 99.99 and 99.999 %. */
const TICKS = [1, 2, 10, 100, 1000, 10_000, 100_000];
const MOST_POINTS = 48;

export function percentiles(cells: readonly Cell[], looks: Looks): Figure | undefined {
  const values = valuesOf(cells, 'inFlight');
  if (values.length === 0) return undefined;
  const views = values.map((inFlight) => ({
    label: inFlightText(inFlight).replace(' in flight', ''),
    panels: [
      percentilePanel(
        cells.filter(({ at }) => at.inFlight === inFlight),
        looks,
        inFlightText(inFlight),
      ),
    ],
  }));
  return {
    ...{
      id: 'percentiles',
      title: 'Percentiles of latency',
      short: 'Percentiles',
      viewsAre: 'Appends in flight',
      views,
      height: 460,
    },
    firstView: nearest(values, 100),
    text: 'How long all but the slowest 1 %, 0.1 %, 0.01 % waited: of the round in the middle by p99. Down is better; a line that stays flat to the right has no stalls.',
    systems: looksIn(cells, looks).map(({ name }) => name),
  };
}

/** Cells of one load, each a line. */
export function percentilePanel(cells: readonly Cell[], looks: Looks, where: string): Panel {
  const lines = looksIn(cells, looks).flatMap((look) => {
    const cell = cells.find(({ system }) => system === look.name);
    return cell === undefined ? [] : [[look, curvePoints(cell)] as const];
  });
  const { x, y } = valuesOfPoints(lines.map(([, points]) => points));
  return {
    label: `Percentile against latency with ${where}, a line for each system`,
    option: chart(
      {
        xAxis: logAxis('x', { name: 'percentile', format: 'percentile', values: [1, ...x], ticks: TICKS }),
        yAxis: logAxis('y', { name: 'latency', format: 'us', values: y }),
        series: lines.flatMap(([look, points]) => lineSeries(look, points, { isCurve: true })),
      },
      'tipPercentile',
    ),
  };
}

/** The curve as points of [1 / (1 - p), latency], as far as there were enough appends to tell, and not too many. */
export function curvePoints({ rounds }: Cell): Point[] {
  const round = middleRound(rounds, ({ latency }) => latency.p99Us);
  if (round === undefined) return [];
  const points = round.latency.curve.flatMap(([percentile, latencyUs]): Point[] => {
    const x = 1 / (1 - percentile / 100);
    // The slowest of 1000 appends says nothing of the slowest of a million.
    if (!(latencyUs > 0) || !(x <= round.records)) return [];
    return [{ x, y: { mid: latencyUs, low: latencyUs, high: latencyUs }, where: '' }];
  });
  return thin(points);
}

/** At most so many points, evenly on the logarithmic axis, the first and the last among them. */
function thin(points: readonly Point[]): Point[] {
  const last = points.at(-1);
  if (points.length <= MOST_POINTS || last === undefined) return [...points];
  const step = Math.log(last.x / (points[0]?.x ?? 1)) / (MOST_POINTS - 1);
  const kept: Point[] = [];
  for (const point of points) {
    const before = kept.at(-1);
    if (before === undefined || Math.log(point.x / before.x) >= step) kept.push(point);
  }
  return kept.at(-1) === last ? kept : [...kept, last];
}
