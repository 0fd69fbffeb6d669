/** along: systems along an axis of a scenario (size of a record, threads that append), higher is better. */

import type { Look } from '../looks.js';
import { byteRate, bytes, count, whole } from '../page/formats.js';
import type { Cell } from '../results.js';
import { alongAxis, type Pick, spreadOf, systemsOf, valuesOf } from '../spread.js';
import type { Looks } from './closed.js';
import type { Figure, Panel } from './figure.js';
import { chart, type FormatName, linearAxis, logAxis } from './option.js';
import { inWords, lineSeries, looksIn, type Point, valuesOfPoints } from './series.js';

interface Along {
  readonly axis: string;
  readonly xName: string;
  readonly xFormat: FormatName;
  readonly where: (x: number) => string;
  readonly yName: string;
  readonly yFormat: FormatName;
  readonly pick: Pick;
  readonly show: (value: number) => string;
  readonly scale: 'log' | 'linear';
}

function panel(cells: readonly Cell[], looks: Looks, along: Along): Panel {
  const lines = looksIn(cells, looks).map((look) => {
    const own = alongAxis(
      cells.filter(({ system }) => system === look.name),
      along.axis,
    );
    const points = own.flatMap(({ x, cell }): Point[] => {
      const y = spreadOf(cell.rounds, along.pick);
      return y === undefined ? [] : [{ x, y, where: along.where(x), text: inWords(y, along.show) }];
    });
    return [look, points] as const;
  });
  const { y } = valuesOfPoints(lines.map(([, points]) => points));
  const ticks = valuesOf(cells, along.axis);
  const yAxis = { name: along.yName, format: along.yFormat, values: y };
  return {
    label: `${along.xName} against ${along.yName}, a line for each system`,
    option: chart(
      {
        xAxis: logAxis('x', { name: along.xName, format: along.xFormat, values: ticks, ticks }),
        yAxis: along.scale === 'log' ? logAxis('y', yAxis) : linearAxis('y', yAxis),
        series: lines.flatMap(([look, points]) => lineSeries(look, points)),
      },
      'tipAxis',
    ),
  };
}

export function sizes(cells: readonly Cell[], looks: Looks): Figure {
  const shared = {
    axis: 'payloadBytes',
    xName: 'size of a record',
    xFormat: 'bytes',
    where: bytes,
    scale: 'log',
  } as const;
  return {
    ...{ id: 'sizes', title: 'Size of a record', short: 'Sizes', firstView: 0, height: 420 },
    text: 'Small records are limited by what a record costs, large ones by what the disk takes: records per second fall where bytes per second no longer rise.',
    systems: looksIn(cells, looks).map(({ name }) => name),
    views: [
      {
        label: '',
        panels: [
          panel(cells, looks, {
            ...{ ...shared, yName: 'records/s', yFormat: 'count', show: count },
            pick: (round) => round.recordsPerSecond,
          }),
          panel(cells, looks, {
            ...{ ...shared, yName: 'payload bytes/s', yFormat: 'byteRate', show: byteRate },
            pick: (round) => round.bytesPerSecond,
          }),
        ],
      },
    ],
  };
}

/** As many appends in flight in all, however many threads, beside as many in each. */
interface Threads {
  readonly look: Look;
  readonly cells: readonly Cell[];
}

const MARK = 'M5 0A5 5 0 1 1 5 10A5 5 0 1 1 5 0Z';

function threadLines(cells: readonly Cell[], looks: Looks): Threads[] {
  const most = Math.max(...valuesOf(cells, 'inFlightEach'));
  const lines = systemsOf(cells).flatMap((system): Threads[] => {
    const look = looks.get(system);
    const own = cells.filter((cell) => cell.system === system);
    if (look === undefined) return [];
    if (!Number.isFinite(most)) return [{ look, cells: own }];
    const each = own.filter(({ at }) => at.inFlightEach === most);
    // Rounded up, so that no thread has none.
    const inAll = own.filter(({ at }) => at.inFlightEach === Math.ceil(most / Number(at.threads)));
    const named = (name: string, rest: Partial<Look>): Look => ({
      ...look,
      name: `${system}, ${name}`,
      ...rest,
    });
    return [
      { look: named(`${whole(most)} in flight each`, {}), cells: each },
      {
        look: named(`${whole(most)} in all`, { colour: 'accentSoft', mark: MARK, isHollow: true }),
        cells: inAll,
      },
    ];
  });
  return lines.filter((line) => line.cells.length > 0);
}

/** The looks of the lines: they are no systems, but a legend shows them as it shows those. */
export function threadLooks(cells: readonly Cell[], looks: Looks): Look[] {
  return threadLines(cells, looks).map(({ look }) => look);
}

export function producers(cells: readonly Cell[], looks: Looks): Figure {
  const lines = threadLines(cells, looks);
  const named = lines.flatMap((line) => line.cells.map((cell) => ({ ...cell, system: line.look.name })));
  return {
    ...{ id: 'producers', title: 'Threads that append', short: 'Threads', firstView: 0, height: 360 },
    text: 'Records per second of all threads together, each with a ring of its own into the same log. More threads than cores share them.',
    systems: lines.map(({ look }) => look.name),
    views: [
      {
        label: '',
        panels: [
          panel(named, new Map(lines.map(({ look }) => [look.name, look])), {
            ...{ axis: 'threads', xName: 'threads', xFormat: 'whole', yName: 'records/s', yFormat: 'count' },
            ...{ pick: (round) => round.recordsPerSecond, show: count, scale: 'linear' },
            where: (x) => `${whole(x)} ${x === 1 ? 'thread' : 'threads'}`,
          }),
        ],
      },
    ],
  };
}
