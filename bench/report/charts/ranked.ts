/** ranked: the scenarios that are shown as bars: an HTTP server, bulk appends, recovery and scans. */
import { byteRate, bytes, count, ms, us, whole } from '../page/formats.js';
import type { Cell } from '../results.js';
import { systemsOf, valuesOf } from '../spread.js';
import type { Looks } from './closed.js';
import { type Figure, nearest } from './figure.js';
import { type Ranked, rankingHeight, rankingOrder, rankingPanel } from './ranking.js';

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

export function bulk(cells: readonly Cell[], looks: Looks): Figure | undefined {
  const axis = { axis: 'batch', show: whole, wanted: 100 };
  return rankedBy(cells, looks, axis, [BYTES, records('records/s')], {
    ...{ id: 'bulk', title: 'Bulk', viewsAre: 'Records of a batch' },
    text: 'Batches that are durable as a whole or not at all: appendBatch of ringwal, a transaction or a batch of a store.',
  });
}

const WHAT: Readonly<Record<string, string>> = {
  open: 'opening after a crash',
  verify: 'verifying',
  scan: 'reading all records',
};

/** A panel for each thing that is done with a log on disk. */
export function recovery(cells: readonly Cell[], looks: Looks): Figure | undefined {
  const kinds = [...new Set(cells.map(({ at }) => String(at.what ?? '')))];
  const sizes = valuesOf(cells, 'bytes');
  const groups = sizes.length === 0 ? [undefined] : sizes;
  const panelsFor = (size: number | undefined) =>
    kinds.map((what) => {
      const own = cells.filter(({ at }) => String(at.what ?? '') === what && at.bytes === size);
      const ranked = { ...BYTES, name: `${WHAT[what] ?? what}, bytes/s` };
      return rankingPanel(own, looks, ranked, rankingOrder(own, looks, ranked));
    });
  const views = groups.map((size) => ({
    label: size === undefined ? '' : bytes(size),
    panels: panelsFor(size),
  }));
  if (kinds.length === 0) return undefined;
  const most = Math.max(
    ...kinds.flatMap((what) =>
      groups.map(
        (size) => cells.filter(({ at }) => String(at.what ?? '') === what && at.bytes === size).length,
      ),
    ),
  );
  return {
    ...{
      id: 'recovery',
      title: 'Recovery and scans',
      short: 'Recovery',
      viewsAre: 'Size of the log',
      views,
      systems: [],
    },
    ...{ firstView: views.length - 1, height: rankingHeight(most) },
    text: 'How fast a log that is there already is opened after a crash, verified with all checksums, and read, in bytes per second.',
  };
}
