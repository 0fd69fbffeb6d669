/** rotation: the worst latency of each slice of time while segments rotate often, beside a log that hardly rotates. */

import type { Look } from '../looks.js';
import { bytes, us } from '../page/formats.js';
import type { Cell } from '../results.js';
import { alongAxis, middleRound, spreadOf, systemsOf } from '../spread.js';
import type { Figure, Panel } from './figure.js';
import { chart, colour, linearAxis, logAxis, type Option } from './option.js';
import { percentilePanel } from './percentiles.js';
import { short } from './series.js';

interface Measured {
  readonly timeline: readonly (readonly [ms: number, us: number])[];
  readonly rotationsMs: readonly number[];
}

interface Line {
  readonly look: Look;
  readonly cell: Cell;
  readonly segmentBytes: number;
}

const MARK = 'M5 0A5 5 0 1 1 5 10A5 5 0 1 1 5 0Z';

/** A line for each size of segments; that of the smallest is the one to look at. */
function linesOf(cells: readonly Cell[]): Line[] {
  const isOne = systemsOf(cells).length === 1;
  return alongAxis(cells, 'segmentBytes').map(({ x, cell }, i): Line => {
    const name = `${isOne ? '' : `${cell.system}, `}${bytes(x)} segments`;
    const look: Look = {
      ...{ name, group: 'own', dash: 'solid', mark: MARK, isHollow: false, isHidden: false },
      ...{ colour: i === 0 ? 'accent' : 'yardstick', width: i === 0 ? 3 : 2 },
    };
    return { look, cell, segmentBytes: x };
  });
}

/** The looks of the lines: they are no systems, but a legend shows them as it shows those. */
export function rotationLooks(cells: readonly Cell[]): Look[] {
  return linesOf(cells).map(({ look }) => look);
}

export function rotation(cells: readonly Cell[]): Figure | undefined {
  const lines = linesOf(cells);
  if (lines.length === 0) return undefined;
  const timelines = lines.flatMap((line) => {
    const round = middleRound(line.cell.rounds, ({ latency }) => latency.p999Us);
    // A slice in which nothing became durable has no worst latency; the one after it tells.
    const timeline = round?.timeline?.filter(([, worst]) => worst > 0) ?? [];
    return timeline.length === 0 ? [] : [{ line, timeline, rotationsMs: round?.rotationsMs ?? [] }];
  });
  const shared = timelines.flatMap(({ timeline }) => timeline.map(([, worst]) => worst));
  const looks = new Map(lines.map(({ look }) => [look.name, look]));
  const named = lines.map(({ look, cell }) => ({ ...cell, system: look.name }));
  const panels = [
    ...timelines.map(({ line, ...measured }) => timelinePanel(line, measured, shared)),
    percentilePanel(named, looks, 'each size of segments'),
  ];
  return {
    ...{ id: 'rotation', title: 'Rotation', views: [{ label: '', panels }], firstView: 0, height: 260 },
    text:
      'The worst latency of each slice of time, of the round in the middle by p99.9: what those feel who append while the ' +
      'log goes over to its next segment; uprights: the first record in a new one became durable. Below, the percentiles of both. Drag the strip under a timeline to look closer.',
    systems: [...looks.keys()],
    isStacked: true,
  };
}

/** `shared`: the values of all timelines, which have one scale. */
function timelinePanel(
  { look, cell, segmentBytes }: Line,
  { timeline, rotationsMs }: Measured,
  shared: readonly number[],
): Panel {
  const rate = spreadOf(cell.rounds, (round) => round.bytesPerSecond)?.mid ?? 0;
  // Headers and padding make it a little sooner.
  const everyUs = (segmentBytes / rate) * 1e6;
  const title = `${look.name}: a new one about every ${us(everyUs)}`;
  const times = timeline.map(([at]) => at);
  const paint = colour(look.colour);
  return {
    label: `${title}: worst latency over time, at most ${us(Math.max(...timeline.map(([, worst]) => worst)))}`,
    option: chart(
      {
        grid: { left: 4, right: 16, top: 4, bottom: 36, outerBoundsMode: 'same', outerBoundsContain: 'all' },
        xAxis: {
          ...linearAxis('x', { name: '', format: 'ms', values: times }),
          max: Math.max(...times),
          splitLine: { show: false },
        },
        yAxis: logAxis('y', { name: title, format: 'us', values: shared }),
        dataZoom: [zoomStrip()],
        series: [
          {
            ...{ type: 'line', name: look.name, showSymbol: false, sampling: 'max', color: paint, z: 3 },
            lineStyle: { width: 1, color: paint, join: 'round' },
            data: timeline.map(([at, worst]) => [Math.round(at * 10) / 10, short(worst)]),
            markLine: uprights(rotationsMs),
          },
        ],
      },
      'tipTime',
    ),
  };
}

function uprights(atMs: readonly number[]): Option {
  return {
    ...{ silent: true, symbol: 'none', animation: false, label: { show: false } },
    lineStyle: { color: colour('faint'), width: 1, type: 'solid', opacity: 0.55 },
    data: atMs.map((ms) => ({ xAxis: Math.round(ms * 10) / 10 })),
  };
}

function zoomStrip(): Option {
  return {
    ...{ type: 'slider', height: 16, bottom: 6, brushSelect: false, showDetail: false, filterMode: 'none' },
    ...{ borderColor: 'transparent', backgroundColor: colour('grid'), fillerColor: colour('rule') },
    handleStyle: { color: colour('surface'), borderColor: colour('faint') },
    moveHandleStyle: { color: colour('faint') },
    dataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
    selectedDataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
    emphasis: {
      handleStyle: { borderColor: colour('accent') },
      moveHandleStyle: { color: colour('accent') },
    },
  };
}
