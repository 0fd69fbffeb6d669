/** ranked: the scenarios that are shown as bars: an HTTP server, bulk appends, recovery and scans. */
import { byteRate, bytes, count, ms, us, whole } from '../page/formats.js';
import type { Cell } from '../results.js';
import { spreadOf, systemsOf, valuesOf } from '../spread.js';
import type { Looks } from './closed.js';
import { type Figure, nearest, type Panel } from './figure.js';
import {
  barsPanel,
  type Ranked,
  type RankedBar,
  rankingHeight,
  rankingOrder,
  rankingPanel,
} from './ranking.js';
import { inWords } from './series.js';

const BYTES: Ranked = {
  ...{ name: 'payload bytes/s', format: 'byteRate', show: byteRate },
  pick: (round) => round.bytesPerSecond,
};
const records = (name: string): Ranked => ({
  ...{ name, format: 'count', show: count },
  pick: (round) => round.recordsPerSecond,
});
const P99: Ranked = {
  ...{ name: 'p99 of a request', format: 'us', show: us, isLessBetter: true },
  pick: (round) => round.latency.p99Us,
};
const LOOP_DELAY: Ranked = {
  ...{ name: 'event-loop delay, p99', format: 'ms', show: ms, isLessBetter: true },
  pick: (round) => round.loopDelayP99Ms,
};

interface Text {
  readonly id: string;
  readonly title: string;
  readonly short?: string;
  readonly text: string;
  readonly viewsAre: string;
}

/** A view for each value of an axis, a panel for each figure. */
function rankedBy(
  cells: readonly Cell[],
  looks: Looks,
  { axis, show, wanted }: { axis: string; show: (value: number) => string; wanted: number },
  ranked: readonly Ranked[],
  text: Text,
): Figure | undefined {
  const values = valuesOf(cells, axis);
  const [first] = ranked;
  if (values.length === 0 || first === undefined) return undefined;
  const views = values.map((value) => {
    const own = cells.filter(({ at }) => at[axis] === value);
    const order = rankingOrder(own, looks, first);
    return { label: show(value), panels: ranked.map((one) => rankingPanel(own, looks, one, order)) };
  });
  const most = Math.max(
    ...values.map((value) => systemsOf(cells.filter(({ at }) => at[axis] === value)).length),
  );
  return {
    ...{ ...text, views, firstView: nearest(values, wanted), systems: [], hasNamesOnce: true },
    height: rankingHeight(most),
  };
}

export function http(cells: readonly Cell[], looks: Looks): Figure | undefined {
  const axis = { axis: 'connections', show: whole, wanted: 100 };
  return rankedBy(cells, looks, axis, [records('requests/s'), P99, LOOP_DELAY], {
    ...{ id: 'http', title: 'An HTTP server', short: 'HTTP', viewsAre: 'Connections' },
    text: 'The same server, which answers a POST when its record is durable, in each of the stores; “no durability” answers at once. How late the event loop’s timers are tells what all other requests feel. A bar that reaches the edge goes on beyond it.',
  });
}

/** A panel for each kind of load: so many records of a batch, or a load with a name of its own. */
export function bulk(cells: readonly Cell[], looks: Looks): Figure | undefined {
  const loadOf = ({ at }: Cell): string => String(at.what ?? `batches of ${at.batch}`);
  const loads = [...new Set(cells.map(loadOf))];
  const places = loads.map((load) => cells.filter((cell) => loadOf(cell) === load));
  if (places.length === 0) return undefined;
  const panels = places.map((own, i) => {
    const ranked = { ...BYTES, name: `${loads[i]}: payload bytes/s` };
    return rankingPanel(own, looks, ranked, rankingOrder(own, looks, ranked));
  });
  return {
    ...{ id: 'bulk', title: 'Bulk', views: [{ label: '', panels }], firstView: 0, systems: [] },
    height: rankingHeight(Math.max(...places.map((own) => systemsOf(own).length))),
    text: 'Many bytes at once: batches, which are durable as a whole or not at all, and large records.',
  };
}

/** What is done with a log on disk: how many bytes a second, or, where none are counted, how long it takes. */
export function recovery(cells: readonly Cell[], looks: Looks): Figure | undefined {
  if (cells.length === 0) return undefined;
  const isOne = systemsOf(cells).length === 1;
  const sizes = valuesOf(cells, 'bytes');
  const views = (sizes.length === 0 ? [undefined] : sizes).map((size) => {
    const own = cells.filter(({ at }) => at.bytes === size);
    const isCounted = (cell: Cell): boolean => (spreadOf(cell.rounds, BYTES.pick)?.mid ?? 0) > 0;
    const panels = [
      tasksPanel(own.filter(isCounted), looks, isOne, { ...BYTES, name: 'bytes/s' }),
      tasksPanel(
        own.filter((cell) => !isCounted(cell)),
        looks,
        isOne,
        TIME,
      ),
    ];
    return { label: size === undefined ? '' : bytes(size), panels: panels.flatMap((panel) => panel ?? []) };
  });
  return {
    ...{ id: 'recovery', title: 'Recovery and scans', short: 'Recovery', viewsAre: 'Size of the log', views },
    ...{
      firstView: views.length - 1,
      systems: [],
      height: rankingHeight(Math.max(2, cells.length / views.length)),
    },
    text: 'How fast a large log that is there already is opened, verified with all its checksums, and read.',
  };
}

const TIME: Ranked = {
  ...{ name: 'time', format: 'us', show: us, isLessBetter: true },
  pick: (round) => round.seconds * 1e6,
};

/** A bar for each task; what another program does with the files is what no log can pass. */
function tasksPanel(
  cells: readonly Cell[],
  looks: Looks,
  isOne: boolean,
  { name, format, pick, show }: Ranked,
): Panel | undefined {
  const bars = cells.flatMap((cell): RankedBar[] => {
    const look = looks.get(cell.system);
    const spread = spreadOf(cell.rounds, pick);
    if (look === undefined || spread === undefined) return [];
    const what = String(cell.at.what ?? '');
    const label = isOne ? what : `${cell.system}, ${what}`;
    const rows = [[name, inWords(spread, show)] as const];
    const group = what.startsWith('cat ') ? 'limit' : look.group;
    return [
      {
        look: { ...look, name: label, group },
        parts: [{ name, spread, opacity: 1 }],
        text: show(spread.mid),
        rows,
      },
    ];
  });
  return bars.length === 0 ? undefined : barsPanel(name, format, bars);
}
