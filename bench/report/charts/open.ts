/** open: appends that come at a rate of their own: latency from the moment at which each was due, by the rate. */
import { count, share } from '../page/formats.js';
import type { Cell } from '../results.js';
import { alongAxis, spreadOf, systemsOf } from '../spread.js';
import { type Looks, PERCENTILES } from './closed.js';
import type { Figure, Panel } from './figure.js';
import { chart, logAxis } from './option.js';
import { figuresOf, lineSeries, looksIn, type Point, valuesOfPoints } from './series.js';

/** Appends that were due and not durable at the end, of all that were due: with more than this it can't keep up. */
const MOST_BACKLOG = 0.02;

const ARRIVALS = [
  ['poisson', 'at random (Poisson)'],
  ['constant', 'evenly'],
] as const;

/** `closed`: for a cell that tells only its share of the highest rate, that rate is taken from there. */
export function open(cells: readonly Cell[], looks: Looks, closed: readonly Cell[] = []): Figure | undefined {
  const saturation = new Map(systemsOf(cells).map((name) => [name, highestRate(name, closed)]));
  const views = ARRIVALS.flatMap(([arrivals, label]) => {
    const own = cells.filter(({ at }) => at.arrivals === arrivals);
    if (own.length === 0) return [];
    return [{ label, panels: panelsOf(own, looks, saturation) }];
  });
  if (views.length === 0) return undefined;
  return {
    ...{
      id: 'open-loop',
      title: 'Latency at a given rate',
      short: 'Open loop',
      viewsAre: 'Appends arrive',
      views,
    },
    ...{ firstView: 0, height: 380 },
    text:
      'Appends that come whether or not the log is ready, as requests do: 10 to 95 % of the highest rate that the system ' +
      'reached with callers that wait. Latency counts from the moment at which each append was due, so a stall is seen in ' +
      'all that should have come meanwhile. A cross marks a rate that the system can’t keep up with: its backlog grows, ' +
      'and latency says only how long the measurement was.',
    systems: looksIn(cells, looks).map(({ name }) => name),
  };
}

function panelsOf(
  cells: readonly Cell[],
  looks: Looks,
  saturation: ReadonlyMap<string, number | undefined>,
): Panel[] {
  const sets = PERCENTILES.map(([label, pick]) => {
    const lines = looksIn(cells, looks).map((look) => {
      const own = cells.filter(({ system }) => system === look.name);
      const points = own.flatMap((cell): Point[] => {
        const x = offeredRate(cell, saturation.get(look.name));
        const y = spreadOf(cell.rounds, pick);
        if (x === undefined || y === undefined) return [];
        const isBeyond = canNotKeepUp(cell);
        return [{ x, y, where: whereOf(cell, x, isBeyond), isBeyond, rows: figuresOf(cell) }];
      });
      return [look, points.sort((a, b) => a.x - b.x)] as const;
    });
    return { label, lines };
  });
  const all = valuesOfPoints(sets.flatMap(({ lines }) => lines.map(([, points]) => points)));
  return sets.map(
    ({ label, lines }): Panel => ({
      label: `Offered rate against ${label} latency, a line for each system`,
      option: chart({
        xAxis: logAxis('x', { name: 'offered records/s', format: 'count', values: all.x }),
        yAxis: logAxis('y', { name: `latency, ${label}`, format: 'us', values: all.y }),
        series: lines.flatMap(([look, points]) => lineSeries(look, points)),
      }),
    }),
  );
}

function whereOf({ at }: Cell, rate: number, isBeyond: boolean): string {
  const load = typeof at.load === 'number' ? `${share(at.load)} load, ` : '';
  return `${load}${count(rate)}/s${isBeyond ? ': can’t keep up' : ''}`;
}

export function offeredRate({ at, rounds }: Cell, saturation: number | undefined): number | undefined {
  if (typeof at.perSecond === 'number') return at.perSecond;
  if (typeof at.load === 'number' && saturation !== undefined) return at.load * saturation;
  return spreadOf(rounds, (round) => round.recordsPerSecond)?.mid;
}

export function canNotKeepUp({ rounds }: Cell): boolean {
  const backlog = spreadOf(rounds, ({ backlog = 0, records }) => backlog / Math.max(1, backlog + records));
  return (backlog?.mid ?? 0) > MOST_BACKLOG;
}

function highestRate(system: string, closed: readonly Cell[]): number | undefined {
  const rates = alongAxis(
    closed.filter((cell) => cell.system === system),
    'inFlight',
  ).flatMap(({ cell }) => spreadOf(cell.rounds, (round) => round.recordsPerSecond)?.mid ?? []);
  return rates.length === 0 ? undefined : Math.max(...rates);
}
