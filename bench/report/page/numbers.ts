/** numbers: the table of a scenario: every cell, every figure that any of its systems has, medians with their spread. */

import type { Measurement } from '../../harness/load.js';
import { inWords, short } from '../charts/series.js';
import { groupOf } from '../looks.js';
import type { Cell, Results } from '../results.js';
import { type Pick, spreadOf } from '../spread.js';
import { byteRate, bytes, count, ms, share, us, whole } from './formats.js';
import type { Numbers, Table } from './table.js';

const AXES: Readonly<Record<string, readonly [title: string, show: (value: number) => string]>> = {
  inFlight: ['in flight', whole],
  perSecond: ['offered/s', count],
  load: ['load', share],
  arrivals: ['arrivals', String],
  windowUs: ['window', us],
  payloadBytes: ['record', bytes],
  threads: ['threads', whole],
  inFlightEach: ['in flight each', whole],
  segmentBytes: ['segments', bytes],
  batch: ['batch', whole],
  connections: ['connections', whole],
  what: ['what', String],
  bytes: ['log', bytes],
};

/** `unit`: of the values in a file, where the text has its own. */
interface Figure {
  readonly title: string;
  readonly unit?: string;
  readonly pick: Pick;
  readonly show: (value: number) => string;
}

const FIGURES: readonly Figure[] = [
  { title: 'records/s', pick: (round) => round.recordsPerSecond, show: count },
  { title: 'bytes/s', pick: (round) => round.bytesPerSecond, show: byteRate },
  { title: 'group', pick: (round) => round.groupRecords, show: count },
  { title: 'p50', unit: 'us', pick: (round) => round.latency.p50Us, show: us },
  { title: 'p90', unit: 'us', pick: (round) => round.latency.p90Us, show: us },
  { title: 'p99', unit: 'us', pick: (round) => round.latency.p99Us, show: us },
  { title: 'p99.9', unit: 'us', pick: (round) => round.latency.p999Us, show: us },
  { title: 'worst', unit: 'us', pick: (round) => round.latency.maxUs, show: us },
  { title: 'CPU, appending thread', unit: 'us', pick: (round) => round.appCpuUs, show: us },
  { title: 'CPU, others', unit: 'us', pick: (round) => round.otherCpuUs, show: us },
  { title: 'loop delay p99', unit: 'ms', pick: (round) => round.loopDelayP99Ms, show: ms },
  { title: 'backlog', pick: (round) => round.backlog, show: whole },
];

/** Figures of a scenario's own, by name and unit. */
type WithExtra = Measurement & { readonly extra?: Readonly<Record<string, number>> };

function extraFigures(cells: readonly Cell[]): Figure[] {
  const rounds: readonly WithExtra[] = cells.flatMap((cell) => cell.rounds);
  const names = new Set(rounds.flatMap(({ extra = {} }) => Object.keys(extra)));
  return [...names].map((title) => ({
    title,
    pick: (round: WithExtra) => round.extra?.[title],
    show: count,
  }));
}

export function numbersTable(name: string, cells: readonly Cell[], results: Results): Table {
  const axes = [...new Set(cells.flatMap(({ at }) => Object.keys(at)))];
  // A column of zeros tells nothing: no scenario measures every figure.
  const figures = [...FIGURES, ...extraFigures(cells)].filter(({ pick }) =>
    cells.some(({ rounds }) => (spreadOf(rounds, pick)?.high ?? 0) > 0),
  );
  const own = results.systems.filter((system) => groupOf(system) === 'own').map((system) => system.name);
  return {
    caption: `Scenario “${name}”: median of the rounds [least – greatest]`,
    head: ['system', ...axes.map(axisTitle), ...figures.map(figureTitle)],
    numbersFrom: 1,
    rows: cells.map((cell) => [
      cell.system,
      ...axes.map((axis) => axisCell(axis, cell.at[axis])),
      ...figures.map((figure) => figureCell(figure, cell)),
    ]),
    isOwn: ([system]) => typeof system === 'string' && own.includes(system),
  };
}

function axisTitle(axis: string): Numbers {
  return { text: AXES[axis]?.[0] ?? axis, values: [axis] };
}

function axisCell(axis: string, value: number | string | undefined): string | Numbers {
  if (value === undefined || typeof value === 'string') return value ?? '';
  return { text: AXES[axis]?.[1](value) ?? String(value), values: [value] };
}

function figureTitle({ title, unit }: Figure): Numbers {
  const name = unit === undefined ? title : `${title} (${unit})`;
  return { text: title, values: [name, `${name} least`, `${name} greatest`] };
}

function figureCell({ pick, show }: Figure, { rounds }: Cell): Numbers {
  const spread = spreadOf(rounds, pick);
  const values = spread === undefined ? ['', '', ''] : [spread.mid, spread.low, spread.high].map(short);
  return { text: inWords(spread, show), values };
}
