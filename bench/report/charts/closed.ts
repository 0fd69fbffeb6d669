/** closed: callers that wait for their records: group size against latency, throughput, and latency against throughput. */
import { FLOOR } from '../floor.js';
import type { Look } from '../looks.js';
import { count, times, us, whole } from '../page/formats.js';
import type { Cell } from '../results.js';
import { alongAxis, type Pick, ratioOf, spreadOf, valuesOf } from '../spread.js';
import type { Figure, Panel } from './figure.js';
import { chart, type FormatName, logAxis } from './option.js';
import { figuresOf, inWords, lineSeries, looksIn, type Point, valuesOfPoints } from './series.js';

export type Looks = ReadonlyMap<string, Look>;
type Line = readonly [Look, Point[]];

const rate: Pick = (round) => round.recordsPerSecond;
export const PERCENTILES: readonly (readonly [label: string, pick: Pick])[] = [
  ['p50', (round) => round.latency.p50Us],
  ['p99', (round) => round.latency.p99Us],
  ['p99.9', (round) => round.latency.p999Us],
];

export function inFlightText(inFlight: number): string {
  return `${whole(inFlight)} in flight`;
}

/** Lines of all systems whose `x` and `y` are known, a point for each number in flight. */
function linesOf(cells: readonly Cell[], looks: Looks, x: Pick | 'inFlight', y: Pick): Line[] {
  return looksIn(cells, looks).flatMap((look): Line[] => {
    const own = cells.filter(({ system }) => system === look.name);
    const points = alongAxis(own, 'inFlight').flatMap(({ x: inFlight, cell }): Point[] => {
      const at = x === 'inFlight' ? inFlight : spreadOf(cell.rounds, x)?.mid;
      const spread = spreadOf(cell.rounds, y);
      if (at === undefined || spread === undefined) return [];
      return [{ x: at, y: spread, where: inFlightText(inFlight), rows: figuresOf(cell) }];
    });
    return points.length === 0 ? [] : [[look, points]];
  });
}

/** Group size against latency, p50 beside p99, on the same scales. */
export function groupSize(all: readonly Cell[], looks: Looks): Figure | undefined {
  // Of the limits only the disk: without syncs a group means nothing.
  const cells = all.filter(({ system }) => looks.get(system)?.group !== 'limit' || system === FLOOR);
  const size: Pick = (round) => round.groupRecords;
  const sets = PERCENTILES.slice(0, 2).map(([label, pick]) => ({
    label,
    lines: linesOf(cells, looks, size, pick),
  }));
  const extent = valuesOfPoints(sets.flatMap(({ lines }) => lines.map(([, points]) => points)));
  const systems = sets[0]?.lines.map(([{ name }]) => name) ?? [];
  if (systems.length === 0) return undefined;
  const panels = sets.map(
    ({ label, lines }): Panel => ({
      label: `Records of a group against ${label} latency, a line for each system`,
      option: chart({
        xAxis: logAxis('x', { name: 'records of a group', format: 'count', values: extent.x }),
        yAxis: logAxis('y', { name: `latency, ${label}`, format: 'us', values: extent.y }),
        series: lines.flatMap(([look, points]) => lineSeries(look, points)),
      }),
    }),
  );
  return {
    ...{
      id: 'group-size',
      title: 'Group size against latency',
      short: 'Group size',
      systems,
      height: 440,
      firstView: 0,
    },
    text:
      'Each point is one number of appends in flight: the more callers wait, the larger the group that one write and one ' +
      'sync make durable, and the longer a caller waits. Down and to the right is better. The dotted floor is the disk ' +
      'itself: one thread that writes and syncs groups of that size, and does nothing else. Only systems that can tell ' +
      'their groups are here.',
    views: [{ label: '', panels }],
  };
}

export function throughput(cells: readonly Cell[], looks: Looks): Figure | undefined {
  const lines = linesOf(cells, looks, 'inFlight', rate).map(
    ([look, points]): Line => [look, points.map((point) => ({ ...point, text: inWords(point.y, count) }))],
  );
  if (lines.length === 0) return undefined;
  const views = [{ label: 'records/s', panels: [ratePanel(lines, 'records/s', 'count')] }];
  const yardstick = [...looks.values()].find(({ group }) => group === 'yardstick');
  const ratios = yardstick === undefined ? [] : ratioLines(cells, looks, yardstick.name);
  if (ratios.length > 1) {
    views.push({
      label: 'beside the yardstick',
      panels: [ratePanel(ratios, 'times the yardstick', 'ratio')],
    });
  }
  return {
    ...{ id: 'throughput', title: 'Throughput', viewsAre: 'Scale', views, firstView: 0, height: 460 },
    text: 'Records per second by appends in flight, both scales logarithmic. Up is better. Thin uprights are the spread of the rounds.',
    systems: lines.map(([{ name }]) => name),
  };
}

function ratePanel(lines: readonly Line[], name: string, format: FormatName): Panel {
  const { x, y } = valuesOfPoints(lines.map(([, points]) => points));
  return {
    label: `Appends in flight against ${name}, a line for each system`,
    option: chart(
      {
        xAxis: logAxis('x', { name: 'appends in flight', format: 'count', values: x }),
        yAxis: logAxis('y', { name, format, values: y }),
        series: lines.flatMap(([look, points]) => lineSeries(look, points)),
      },
      'tipAxis',
    ),
  };
}

function ratioLines(cells: readonly Cell[], looks: Looks, yardstick: string): Line[] {
  const below = new Map(
    alongAxis(
      cells.filter(({ system }) => system === yardstick),
      'inFlight',
    ).map(({ x, cell }) => [x, cell]),
  );
  return looksIn(cells, looks).flatMap((look): Line[] => {
    // What no log can reach would leave the logs no room on the scale.
    if (look.group === 'limit') return [];
    const own = alongAxis(
      cells.filter(({ system }) => system === look.name),
      'inFlight',
    );
    const points = own.flatMap(({ x, cell }): Point[] => {
      const other = below.get(x);
      const ratio = other === undefined ? undefined : ratioOf(cell, other, rate);
      if (ratio === undefined) return [];
      return [{ x, y: ratio, where: inFlightText(x), text: inWords(ratio, times) }];
    });
    return points.length === 0 ? [] : [[look, points]];
  });
}

/** What a higher rate costs in latency; a line is a system, its points are numbers in flight. */
export function latencyThroughput(cells: readonly Cell[], looks: Looks): Figure | undefined {
  const views = PERCENTILES.map(([label, pick]) => {
    const lines = linesOf(cells, looks, rate, pick);
    const { x, y } = valuesOfPoints(lines.map(([, points]) => points));
    const panel: Panel = {
      label: `Records per second against ${label} latency, a line for each system`,
      option: chart({
        xAxis: logAxis('x', { name: 'records/s', format: 'count', values: x }),
        yAxis: logAxis('y', { name: `latency, ${label}`, format: 'us', values: y }),
        series: lines.flatMap(([look, points]) => lineSeries(look, points)),
      }),
    };
    return { label, panels: [panel], lines };
  });
  const systems = views[0]?.lines.map(([{ name }]) => name) ?? [];
  if (systems.length === 0) return undefined;
  return {
    ...{
      id: 'latency-throughput',
      title: 'Latency against throughput',
      short: 'Latency',
      systems,
      viewsAre: 'Percentile',
      views,
    },
    ...{ firstView: 0, height: 460 },
    text: 'A line is a system, a point a number of appends in flight. Down and to the right is better; where a line turns upwards, more callers only wait longer.',
  };
}

/** One sentence of the own system's groups, with this run's figures. */
export function groupSentence(cells: readonly Cell[], own: string): string | undefined {
  const points = alongAxis(
    cells.filter(({ system }) => system === own),
    'inFlight',
  );
  const parts = [1, 100, 10_000].flatMap((wanted) => {
    const cell = points.find(({ x }) => x === wanted)?.cell;
    const size = cell && spreadOf(cell.rounds, (round) => round.groupRecords)?.mid;
    const p50 = cell && spreadOf(cell.rounds, (round) => round.latency.p50Us)?.mid;
    if (size === undefined || p50 === undefined) return [];
    return [`${whole(wanted)} in flight make groups of ${count(size)} that are durable after ${us(p50)}`];
  });
  return parts.length === 0 ? undefined : `Here, with ${own}: ${parts.join('; ')} (medians).`;
}

export function inFlightValues(cells: readonly Cell[]): number[] {
  return valuesOf(cells, 'inFlight');
}
