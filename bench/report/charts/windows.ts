/** windows: the same load with every setting of the commit window: what a group gains by waiting for company, and what it costs. */
import type { Look } from '../looks.js';
import { count, us, whole } from '../page/formats.js';
import type { Theme } from '../page/theme.js';
import type { Cell } from '../results.js';
import { type Pick, spreadOf, systemsOf, valuesOf } from '../spread.js';
import { PERCENTILES } from './closed.js';
import type { Figure, Panel } from './figure.js';
import { chart, logAxis } from './option.js';
import { figuresOf, lineSeries, type Point, valuesOfPoints } from './series.js';

interface Load {
  readonly name: string;
  readonly cells: readonly Cell[];
}

const COLOURS = ['p3', 'p0', 'p6', 'p2', 'p7', 'p4', 'p1', 'p5'] as const satisfies (keyof Theme)[];
const MARK = 'M5 0A5 5 0 1 1 5 10A5 5 0 1 1 5 0Z';
/** Kinds of loads: callers that wait, appends that come at a rate, and many at once; how a kind is named and drawn. */
const KINDS = [
  { axis: 'inFlight', nameOf: (value: number) => `${whole(value)} in flight`, dash: 'solid' },
  { axis: 'perSecond', nameOf: (value: number) => `${count(value)} records/s`, dash: 'dashed' },
  { axis: 'burst', nameOf: (value: number) => `bursts of ${whole(value)}`, dash: 'dotted' },
] as const;

function loadsOf(cells: readonly Cell[], { axis, nameOf }: (typeof KINDS)[number]): Load[] {
  const systems = systemsOf(cells);
  return systems.flatMap((system) => {
    const prefix = systems.length > 1 ? `${system}, ` : '';
    const own = cells.filter((cell) => cell.system === system);
    return valuesOf(own, axis).map(
      (value): Load => ({
        name: prefix + nameOf(value),
        cells: own.filter(({ at }) => at[axis] === value),
      }),
    );
  });
}

/** The looks of the loads: they are no systems, but a legend shows them as it shows those. */
export function loadLooks(cells: readonly Cell[]): Look[] {
  return KINDS.flatMap((kind) =>
    loadsOf(cells, kind).map(
      ({ name }, i): Look => ({
        ...{ name, group: 'own', dash: kind.dash, width: 2, mark: MARK },
        ...{ colour: COLOURS[i % COLOURS.length] ?? 'p0', isHollow: kind.dash !== 'solid', isHidden: false },
      }),
    ),
  );
}

export function windows(cells: readonly Cell[]): Figure | undefined {
  const looks = loadLooks(cells);
  if (looks.length === 0) return undefined;
  const loads = KINDS.flatMap((kind) => loadsOf(cells, kind));
  const views = PERCENTILES.map(([label, pick]) => ({ label, panels: [panelOf(loads, looks, label, pick)] }));
  return {
    ...{
      id: 'windows',
      title: 'Commit window',
      short: 'Window',
      viewsAre: 'Percentile',
      views,
      firstView: 0,
      height: 440,
    },
    text:
      'Each line is one load, each point one setting of the window (windowUs): how long the first record of a group waits ' +
      'for company. A line that goes right gains size of groups; one that goes up pays for it in latency.',
    systems: looks.map(({ name }) => name),
  };
}

function panelOf(loads: readonly Load[], looks: readonly Look[], label: string, pick: Pick): Panel {
  const lines = loads.flatMap((load) => {
    const look = looks.find(({ name }) => name === load.name);
    return look === undefined ? [] : [[look, pointsOf(load, pick)] as const];
  });
  const { x, y } = valuesOfPoints(lines.map(([, points]) => points));
  return {
    label: `Records of a group against ${label} latency at each window, a line for each load`,
    option: chart({
      xAxis: logAxis('x', { name: 'records of a group', format: 'count', values: x }),
      yAxis: logAxis('y', { name: `latency, ${label}`, format: 'us', values: y }),
      series: lines.flatMap(([look, points]) => lineSeries(look, points)),
    }),
  };
}

/** By growing window. */
function pointsOf({ cells }: Load, pick: Pick): Point[] {
  return [...cells]
    .sort((a, b) => Number(a.at.windowUs) - Number(b.at.windowUs))
    .flatMap((cell): Point[] => {
      const size = spreadOf(cell.rounds, (round) => round.groupRecords)?.mid;
      const y = spreadOf(cell.rounds, pick);
      if (size === undefined || y === undefined) return [];
      return [{ x: size, y, rows: figuresOf(cell), where: `window ${us(Number(cell.at.windowUs))}` }];
    });
}
