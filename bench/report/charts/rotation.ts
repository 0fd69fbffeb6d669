/** rotation: the worst latency of each slice of time while segments rotate often, beside a log that hardly rotates. */

import type { Look } from '../looks.js';
import { bytes, us } from '../page/formats.js';
import type { Cell } from '../results.js';
import { alongAxis, middleRound, spreadOf } from '../spread.js';
import type { Figure, Panel } from './figure.js';
import { chart, colour, linearAxis, logAxis, logExtent, type Option } from './option.js';
import { percentilePanel } from './percentiles.js';
import { short } from './series.js';

interface Line {
  readonly name: string;
  readonly cell: Cell;
  readonly segmentBytes: number;
}

export function rotation(cells: readonly Cell[]): Figure | undefined {
  const lines = alongAxis(cells, 'segmentBytes').map(
    ({ x, cell }): Line => ({ name: `${cell.system}, ${bytes(x)} segments`, cell, segmentBytes: x }),
  );
  const timelines = lines.flatMap((line) => {
    const round = middleRound(line.cell.rounds, ({ latency }) => latency.p999Us);
    return round?.timeline === undefined ? [] : [{ line, timeline: round.timeline }];
  });
  if (lines.length === 0) return undefined;
  const shared = timelines.flatMap(({ timeline }) => timeline.map(([, worst]) => worst));
  const [min, max] = logExtent(shared);
  const looks = rotationLooks(cells);
  const panels = timelines.map(({ line, timeline }) => timelinePanel(line, timeline, [min, max]));
  const renamed = lines.map(({ name, cell }) => ({ ...cell, system: name }));
  const all = [
    ...panels,
    percentilePanel(renamed, new Map(looks.map((look) => [look.name, look])), 'both sizes of segments'),
  ];
  return {
    ...{ id: 'rotation', title: 'Rotation', views: [{ label: '', panels: all }], firstView: 0, height: 260 },
    text:
      'The worst latency of each slice of time, of the round in the middle by p99.9: what those feel who append while the ' +
      'log goes over to its next segment. Below, the percentiles of both. Drag the strip under a timeline to look closer.',
    systems: [],
    isStacked: true,
  };
}

/** The line of the smallest segments is the one to look at. */
export function rotationLooks(cells: readonly Cell[]): Look[] {
  return alongAxis(cells, 'segmentBytes').map(
    ({ x, cell }, i): Look => ({
      ...{
        name: `${cell.system}, ${bytes(x)} segments`,
        group: 'own',
        dash: 'solid',
        isHollow: false,
        isHidden: false,
      },
      ...{
        colour: i === 0 ? 'accent' : 'yardstick',
        width: i === 0 ? 3 : 2,
        mark: 'M5 0A5 5 0 1 1 5 10A5 5 0 1 1 5 0Z',
      },
    }),
  );
}

function timelinePanel(
  { name, cell, segmentBytes }: Line,
  timeline: readonly (readonly [number, number])[],
  extent: readonly [number, number],
): Panel {
  const rate = spreadOf(cell.rounds, (round) => round.bytesPerSecond)?.mid ?? 0;
  // Headers and padding make it a little sooner.
  const everyMs = (segmentBytes / rate) * 1000;
  const title = `${name}: a new one about every ${us(everyMs * 1000)}`;
  const times = timeline.map(([at]) => at);
  return {
    label: `${title}; worst latency over time, at most ${us(Math.max(...timeline.map(([, worst]) => worst)))}`,
    option: chart(
      {
        grid: { left: 8, right: 16, top: 4, bottom: 36, outerBoundsMode: 'same', outerBoundsContain: 'all' },
        xAxis: {
          ...linearAxis('x', { name: '', format: 'ms', values: times }),
          max: Math.max(...times),
          splitLine: { show: false },
        },
        yAxis: logAxis('y', { name: title, format: 'us', values: extent }),
        dataZoom: [zoomStrip()],
        series: [
          {
            ...{ type: 'line', name, showSymbol: false, sampling: 'max', color: colour('accent'), z: 3 },
            lineStyle: { width: 1, color: colour('accent') },
            data: timeline.map(([at, worst]) => [Math.round(at * 10) / 10, short(worst)]),
          },
        ],
      },
      'tipTime',
    ),
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
