/** numbers: the table of a scenario: every cell, every figure that any of its systems has, medians with their spread. */
import { inWords } from '../charts/series.js';
import { groupOf } from '../looks.js';
import type { Cell, Results } from '../results.js';
import { type Pick, spreadOf } from '../spread.js';
import { byteRate, bytes, count, ms, share, us, whole } from './formats.js';
import type { Table } from './table.js';

const AXES: Readonly<Record<string, readonly [title: string, show: (value: number) => string]>> = {
  inFlight: ['in flight', whole],
  perSecond: ['offered/s', count],
  load: ['load', share],
  arrivals: ['arrivals', String],
  windowUs: ['window', us],
  payloadBytes: ['record', bytes],
  threads: ['threads', whole],
  segmentBytes: ['segments', bytes],
  batch: ['batch', whole],
  connections: ['connections', whole],
  what: ['what', String],
  bytes: ['log', bytes],
};

const FIGURES: readonly (readonly [title: string, pick: Pick, show: (value: number) => string])[] = [
  ['records/s', (round) => round.recordsPerSecond, count],
  ['bytes/s', (round) => round.bytesPerSecond, byteRate],
  ['group', (round) => round.groupRecords, count],
  ['p50', (round) => round.latency.p50Us, us],
  ['p90', (round) => round.latency.p90Us, us],
  ['p99', (round) => round.latency.p99Us, us],
  ['p99.9', (round) => round.latency.p999Us, us],
  ['worst', (round) => round.latency.maxUs, us],
  ['CPU, appending thread', (round) => round.appCpuUs, us],
  ['CPU, others', (round) => round.otherCpuUs, us],
  ['loop delay p99', (round) => round.loopDelayP99Ms, ms],
  ['backlog', (round) => round.backlog, whole],
];

export function numbersTable(name: string, cells: readonly Cell[], results: Results): Table {
  const axes = [...new Set(cells.flatMap(({ at }) => Object.keys(at)))];
  // A column of zeros tells nothing: no scenario measures every figure.
  const figures = FIGURES.filter(([, pick]) =>
    cells.some(({ rounds }) => (spreadOf(rounds, pick)?.high ?? 0) > 0),
  );
  const own = new Set(
    results.systems.filter((system) => groupOf(system) === 'own').map((system) => system.name),
  );
  return {
    caption: `Scenario “${name}”: median of the rounds [least – greatest]`,
    head: ['system', ...axes.map((axis) => AXES[axis]?.[0] ?? axis), ...figures.map(([title]) => title)],
    numbersFrom: 1,
    rows: cells.map((cell) => [
      cell.system,
      ...axes.map((axis) => axisText(axis, cell.at[axis])),
      ...figures.map(([, pick, show]) => inWords(spreadOf(cell.rounds, pick), show)),
    ]),
    isOwn: ([system = '']) => own.has(system),
  };
}

function axisText(axis: string, value: number | string | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  return AXES[axis]?.[1](value) ?? String(value);
}
