/** console: the results as tables on stdout. */
import type { Cell, Results } from './results.js';
import { median } from './statistics.js';
import { verdictOf } from './verdict.js';

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** Prints rows under a head; the first column to the left, the others to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ');
  say(line(head));
  for (const row of rows) say(line(row));
  say();
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US').replaceAll(',', ' ');
}

/** Median with the least and the greatest value. */
function spread(values: readonly number[], show: (value: number) => string): string {
  return `${show(median(values))} [${show(Math.min(...values))}..${show(Math.max(...values))}]`;
}

export function printResults({ environment, systems, scenarios, bars, seconds }: Results): void {
  table(
    ['environment', ''],
    Object.entries(environment).map(([key, value]) => [key, String(value)]),
  );
  table(
    ['system', 'syncs of appends', ''],
    systems.map(({ name, what, lacking, syncs }) => [
      name,
      syncs
        ? `${syncs.syncs} / ${syncs.appends}${syncs.syncs < syncs.appends ? ' DOES NOT SYNC EACH' : ''}`
        : '',
      lacking === undefined ? what : `not measured: ${lacking}`,
    ]),
  );
  for (const [name, cells] of Object.entries(scenarios)) printScenario(name, cells);
  if (bars.length > 0)
    table(
      ['bar', '', 'must be', 'is', '', 'physical limit'],
      bars.map((one) => [
        ...[one.bar, one.where, 'atLeast' in one.must ? `>= ${one.must.atLeast}` : `<= ${one.must.atMost}`],
        ...[spread(one.ratios, (ratio) => ratio.toFixed(2)), verdictOf(one)],
        one.limit === undefined ? '' : one.limit.toFixed(2),
      ]),
    );
  say(`${(seconds / 60).toFixed(1)} minutes`);
}

function printScenario(name: string, cells: readonly Cell[]): void {
  say(`${name}: medians [least..greatest] of ${cells[0]?.rounds.length ?? 0} rounds`);
  const axes = [...new Set(cells.flatMap(({ at }) => Object.keys(at)))];
  table(
    ['system', ...axes, 'records/s', 'MB/s', 'group', 'p50 us', 'p99 us', 'p99.9 us', 'CPU us: app', 'other'],
    cells.map(({ system, at, rounds }) => {
      const of = (figure: (round: Cell['rounds'][number]) => number | undefined): number =>
        median(rounds.map((round) => figure(round) ?? Number.NaN));
      const show = (value: number, digits = 0): string =>
        Number.isNaN(value) ? '' : digits ? value.toFixed(digits) : count(value);
      return [
        ...[system, ...axes.map((axis) => String(at[axis] ?? ''))],
        spread(
          rounds.map(({ recordsPerSecond }) => recordsPerSecond),
          count,
        ),
        show(
          of(({ bytesPerSecond }) => bytesPerSecond / 1e6),
          1,
        ),
        show(
          of(({ groupRecords }) => groupRecords),
          1,
        ),
        spread(
          rounds.map(({ latency }) => latency.p50Us),
          count,
        ),
        show(of(({ latency }) => latency.p99Us)),
        show(of(({ latency }) => latency.p999Us)),
        show(
          of(({ appCpuUs }) => appCpuUs),
          2,
        ),
        show(
          of(({ otherCpuUs }) => otherCpuUs),
          2,
        ),
      ];
    }),
  );
}
