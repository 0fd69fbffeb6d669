/** markdown: the bars of a run, and how ringwal stands to each peer, as the tables of docs/PERFORMANCE.md. */
import { doesNotSync, groupOf } from './looks.js';
import { whole } from './page/formats.js';
import type { Cell, Results } from './results.js';
import { alongAxis, ratioOf, type Spread, spreadOfValues, valuesOf } from './spread.js';
import { forbidding, verdictOf } from './verdict.js';

/** Where peers are compared. */
const IN_FLIGHT = [1, 10, 100, 1000, 10_000];

export function markdown(results: Results): string {
  return [barsTable(results), peersTable(results)].filter((table) => table !== '').join('\n');
}

function barsTable({ bars }: Results): string {
  if (bars.length === 0) return '';
  const rows = bars.map((bar) => {
    const { must, limit } = bar;
    const asked = 'atLeast' in must ? `>= ${must.atLeast}` : `<= ${must.atMost}`;
    const verdict = verdictOf(bar);
    const isBeyond = verdict === 'missed' && forbidding(bar) !== undefined;
    return [
      ...[bar.bar, bar.where, asked, text(spreadOfValues(bar.ratios)), limit?.toFixed(2) ?? ''],
      isBeyond ? 'beyond the limit; 0.95 of it missed' : verdict,
    ];
  });
  return table(['bar', 'where', 'must', 'measured', 'limit', ''], [0, 1, 5], rows);
}

/** Records/s of ringwal over each peer's and the yardstick's, in the closed loop, round by round. */
function peersTable({ systems, scenarios }: Results): string {
  const cells = alongAxis(scenarios.closed ?? [], 'inFlight');
  const columns = IN_FLIGHT.filter((x) => valuesOf(scenarios.closed ?? [], 'inFlight').includes(x));
  const at = (system: string, inFlight: number): Cell | undefined =>
    cells.find(({ x, cell }) => x === inFlight && cell.system === system)?.cell;
  const rows = systems
    .filter((system) => ['peer', 'yardstick'].includes(groupOf(system)) && !doesNotSync(system))
    .map(({ name }) => [
      name,
      ...columns.map((inFlight) => {
        const [own, other] = [at('ringwal', inFlight), at(name, inFlight)];
        return own && other ? text(ratioOf(own, other, ({ recordsPerSecond }) => recordsPerSecond)) : '';
      }),
    ])
    .filter((row) => row.slice(1).some((ratio) => ratio !== ''));
  return rows.length === 0 ? '' : table(['', ...columns.map(whole)], [0], rows);
}

function text(spread: Spread | undefined): string {
  if (spread === undefined) return '';
  const show = (ratio: number): string =>
    ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2);
  return `${show(spread.mid)} [${show(spread.low)}..${show(spread.high)}]`;
}

/** The columns in `left` to the left, the others to the right. */
function table(
  head: readonly string[],
  left: readonly number[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return [head, head.map((_, i) => (left.includes(i) ? '---' : '---:')), ...rows].map(line).join('');
}
