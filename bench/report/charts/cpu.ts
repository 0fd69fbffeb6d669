/** cpu: what a record costs in processor time, the thread that appends apart from all others. */
import { us } from '../page/formats.js';
import type { Cell } from '../results.js';
import { spreadOf, valuesOf } from '../spread.js';
import { inFlightText, type Looks } from './closed.js';
import { type Figure, nearest } from './figure.js';
import { barsPanel, type RankedBar, rankingHeight } from './ranking.js';
import { inWords, looksIn } from './series.js';

const APP = 'thread that appends';
const OTHER = 'other threads';

export function cpu(cells: readonly Cell[], looks: Looks): Figure | undefined {
  const values = valuesOf(cells, 'inFlight');
  const views = values.flatMap((inFlight) => {
    const bars = barsOf(
      cells.filter(({ at }) => at.inFlight === inFlight),
      looks,
    );
    if (bars.length === 0) return [];
    const label = inFlightText(inFlight).replace(' in flight', '');
    return [{ inFlight, label, panels: [barsPanel('CPU time of a record', 'us', bars)], bars: bars.length }];
  });
  if (views.length === 0) return undefined;
  const firstView = nearest(
    views.map(({ inFlight }) => inFlight),
    1000,
  );
  return {
    ...{
      id: 'cpu',
      title: 'CPU of a record',
      short: 'CPU',
      viewsAre: 'Appends in flight',
      views,
      systems: [],
      firstView,
    },
    height: rankingHeight(Math.max(...views.map(({ bars }) => bars))),
    text: `Microseconds of processor time per record, which are seconds per million records. The solid part is the ${APP}: what it takes your service lacks. The light part is all ${OTHER} of the process. Short is better; a bar that reaches the edge goes on beyond it.`,
  };
}

/** Least on the appending thread first. */
function barsOf(cells: readonly Cell[], looks: Looks): RankedBar[] {
  return looksIn(cells, looks)
    .flatMap((look) => {
      const cell = cells.find(({ system }) => system === look.name);
      const app = cell && spreadOf(cell.rounds, (round) => round.appCpuUs);
      const other = cell && spreadOf(cell.rounds, (round) => round.otherCpuUs);
      if (app === undefined || other === undefined) return [];
      const bar: RankedBar = {
        look,
        parts: [
          { name: APP, spread: app, opacity: 1 },
          { name: OTHER, spread: other, opacity: 0.35 },
        ],
        text: `${us(app.mid)} + ${us(other.mid)}`,
        rows: [
          [APP, inWords(app, us)],
          [OTHER, inWords(other, us)],
        ],
      };
      return [{ bar, app: app.mid }];
    })
    .sort((a, b) => a.app - b.app)
    .map(({ bar }) => bar);
}
