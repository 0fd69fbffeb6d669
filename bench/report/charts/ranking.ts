/** ranking: one figure of many systems as bars that lie, the best on top, with a column of the numbers beside them. */
import type { Look } from '../looks.js';
import type { Cell } from '../results.js';
import { type Pick, type Spread, spreadOf } from '../spread.js';
import { median } from '../statistics.js';
import type { Looks } from './closed.js';
import type { Panel } from './figure.js';
import { chart, colour, type FormatName, linearAxis, type Option } from './option.js';
import { inWords, looksIn, short } from './series.js';

export interface Ranked {
  readonly name: string;
  readonly format: FormatName;
  readonly pick: Pick;
  readonly show: (value: number) => string;
  readonly isLessBetter?: boolean;
}

/** A part of a bar: bars of several parts are stacked. */
export interface Part {
  readonly name: string;
  readonly spread: Spread;
  readonly opacity: number;
}

export interface RankedBar {
  readonly look: Look;
  readonly parts: readonly Part[];
  /** In the column at the right. */
  readonly text: string;
  readonly rows: readonly (readonly [string, string])[];
}

const BAR_HEIGHT = 26;
const AROUND = 62;
/** A bar that is so many times the middle one would leave the others no room: it goes out of the picture. */
const MOST_TIMES_MIDDLE = 8;

export function rankingHeight(bars: number): number {
  return AROUND + bars * BAR_HEIGHT;
}

/** `order`: all panels of a figure list the systems in the order of the first. */
export function rankingPanel(
  cells: readonly Cell[],
  looks: Looks,
  ranked: Ranked,
  order: readonly string[],
): Panel {
  const bars = order.flatMap((name): RankedBar[] => {
    const look = looks.get(name);
    const cell = cells.find(({ system }) => system === name);
    const spread = cell && spreadOf(cell.rounds, ranked.pick);
    if (look === undefined || spread === undefined) return [];
    const rows = [[ranked.name, inWords(spread, ranked.show)] as const];
    return [
      { look, parts: [{ name: ranked.name, spread, opacity: 1 }], text: ranked.show(spread.mid), rows },
    ];
  });
  return barsPanel(ranked.name, ranked.format, bars);
}

/** Systems in the order of a figure's median, best first: what no log can reach above them, what promises less below. */
export function rankingOrder(
  cells: readonly Cell[],
  looks: Looks,
  { pick, isLessBetter = false }: Ranked,
): string[] {
  const of = (look: Look): number => {
    const cell = cells.find(({ system }) => system === look.name);
    return (cell && spreadOf(cell.rounds, pick)?.mid) ?? 0;
  };
  const rank = ({ group }: Look): number => (group === 'limit' ? 0 : group === 'weaker' ? 2 : 1);
  const sign = isLessBetter ? 1 : -1;
  return looksIn(cells, looks)
    .sort((a, b) => rank(a) - rank(b) || sign * (of(a) - of(b)))
    .map(({ name }) => name);
}

export function barsPanel(name: string, format: FormatName, bars: readonly RankedBar[]): Panel {
  const totals = bars.map(({ parts }) => parts.reduce((sum, { spread }) => sum + spread.mid, 0));
  const spreads = bars.flatMap(({ parts }) =>
    parts.length === 1 ? parts.map(({ spread }) => spread.high) : [],
  );
  const most = Math.min(Math.max(...totals, ...spreads, 0), median(totals) * MOST_TIMES_MIDDLE);
  const partCount = Math.max(0, ...bars.map(({ parts }) => parts.length));
  return {
    label: `${name}. ${bars.map(({ look, text }) => `${look.name}: ${text}`).join('; ')}`,
    option: chart({
      xAxis: {
        ...linearAxis('x', { name: '', format, values: totals }),
        ...{ position: 'bottom', splitNumber: 3, max: short(most > 0 ? most * 1.02 : 1) },
        axisLabel: {
          color: colour('muted'),
          fontSize: 12,
          hideOverlap: true,
          formatter: `$${format}`,
          showMaxLabel: false,
        },
      },
      yAxis: [nameAxis(name, bars), textAxis(bars)],
      series: [
        ...Array.from({ length: partCount }, (_, i) => partSeries(bars, i)),
        ...(partCount === 1 ? [whiskersAcross(bars)] : []),
      ],
    }),
  };
}

function nameAxis(name: string, bars: readonly RankedBar[]): Option {
  const style = { color: colour('ink'), fontSize: 12.5, fontWeight: 600, align: 'left', padding: 0 };
  return {
    ...{ type: 'category', inverse: true, data: bars.map(({ look }) => categoryOf(look.name, look)) },
    ...{ name, nameLocation: 'start', nameGap: 12, nameTextStyle: style },
    ...{ axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false } },
    axisLabel: { color: colour('ink'), fontSize: 12, interval: 0 },
  };
}

/** The numbers, in a column of their own: they line up, and no whisker runs through them. */
function textAxis(bars: readonly RankedBar[]): Option {
  return {
    ...{
      type: 'category',
      inverse: true,
      position: 'right',
      data: bars.map(({ text, look }) => categoryOf(text, look)),
    },
    ...{ axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false } },
    axisLabel: { color: colour('ink'), fontSize: 12, interval: 0 },
  };
}

function categoryOf(value: string, { colour: paint, group }: Look): Option {
  return paint === 'accent' && group === 'own'
    ? { value, textStyle: { fontWeight: 700, color: colour('accent') } }
    : { value };
}

function partSeries(bars: readonly RankedBar[], i: number): Option {
  return {
    ...{ type: 'bar', name: bars[0]?.parts[i]?.name ?? '', stack: 'all', clip: true },
    ...{ barMaxWidth: 14, barCategoryGap: '35%' },
    data: bars.map(({ look, parts, rows }) => ({
      ...{ value: short(parts[i]?.spread.mid ?? 0), where: look.name, rows },
      itemStyle: { ...barStyle(look), opacity: parts[i]?.opacity ?? 1 },
    })),
  };
}

/** ringwal filled with the accent, peers grey; limits and what promises less only outlined. */
function barStyle({ group, colour: paint }: Look): Option {
  if (group === 'own') return { color: colour(paint), borderRadius: 2 };
  if (group === 'limit' || group === 'weaker') {
    const type = group === 'limit' ? 'dotted' : 'dashed';
    return { color: 'transparent', borderColor: colour('muted'), borderWidth: 1.25, borderType: type };
  }
  return { color: colour('faint'), borderRadius: 2 };
}

function whiskersAcross(bars: readonly RankedBar[]): Option {
  return {
    ...{ type: 'custom', renderItem: '$whiskerAcross', silent: true, z: 4, color: colour('ink'), clip: true },
    ...{ encode: { x: [0, 1], y: 2 }, tooltip: { show: false } },
    data: bars.flatMap(({ parts }, i) => {
      const spread = parts[0]?.spread;
      return spread !== undefined && spread.high > spread.low
        ? [[short(spread.low), short(spread.high), i]]
        : [];
    }),
  };
}
