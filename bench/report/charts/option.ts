/**
 * option: what ECharts is told, as plain data: it goes into the page as JSON, and the server draws the same. Colours and
 * functions are strings that begin with "$", which `dress` (page/dress.ts) replaces where the chart is drawn.
 */
import { FONT, type Theme } from '../page/theme.js';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Option = { readonly [key: string]: Json };

/** Names of functions in page/formats.ts. */
export type FormatName = 'us' | 'ms' | 'count' | 'whole' | 'bytes' | 'byteRate' | 'percentile' | 'ratio';

export const colour = (name: keyof Theme): string => `$${name}`;
export const format = (name: FormatName): string => `$${name}`;

/**
 * What a tooltip shows: one point; all systems at a place of the axis, by the words of their points; the same of a
 * distribution, or of a time line, whose many points are bare numbers.
 */
export type Tip = 'tipItem' | 'tipAxis' | 'tipPercentile' | 'tipTime';

/** What all charts have in common. */
export function chart(option: Option, tip: Tip = 'tipItem'): Option {
  const pointer = { lineStyle: { color: colour('faint'), width: 1, type: 'solid' }, label: { show: false } };
  return {
    animation: false,
    textStyle: { fontFamily: FONT, fontSize: 12, color: colour('muted') },
    grid: { left: 4, right: 16, top: 4, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'all' },
    legend: { show: false },
    tooltip: {
      trigger: tip === 'tipItem' ? 'item' : 'axis',
      formatter: `$${tip}`,
      axisPointer: { type: 'line', ...pointer },
      ...{ confine: true, transitionDuration: 0, backgroundColor: colour('surface') },
      ...{ borderColor: colour('rule'), borderWidth: 1, padding: [8, 10] },
      textStyle: { color: colour('ink'), fontSize: 12, fontFamily: FONT },
    },
    ...option,
  };
}

interface Axis {
  readonly name: string;
  readonly format: FormatName;
  /** All values that must be on it. */
  readonly values: readonly number[];
  /** Where labels stand; default: at powers of ten, or at 1, 2, 5 where those are few. */
  readonly ticks?: readonly number[];
}

const LABEL = { color: colour('muted'), fontSize: 12, hideOverlap: true };

function nameOf(side: 'x' | 'y', name: string): Option {
  const style = { color: colour('ink'), fontSize: 12.5, fontWeight: 600 };
  if (side === 'x') return { name, nameLocation: 'middle', nameGap: 28, nameTextStyle: style };
  // Over the axis, from its left end: read without turning the head.
  return { name, nameLocation: 'end', nameGap: 14, nameTextStyle: { ...style, align: 'left', padding: 0 } };
}

function lines(side: 'x' | 'y'): Option {
  return {
    axisLine: { show: side === 'x', lineStyle: { color: colour('faint'), width: 1 } },
    axisTick: { show: side === 'x', lineStyle: { color: colour('faint') }, length: 4 },
    splitLine: { show: true, lineStyle: { color: colour('grid'), width: 1 } },
    minorTick: { show: false },
  };
}

/** Labels that are enough: a level axis has room for few, since they are wide. */
const FEW = { x: 2, y: 3 } as const;

/** A logarithmic axis that holds its values with a little room, and has a label at least twice. */
export function logAxis(side: 'x' | 'y', { name, format: by, values, ticks }: Axis): Option {
  const [min, max] = logExtent(values);
  const at = ticks?.filter((tick) => tick >= min && tick <= max) ?? logTicks(min, max, FEW[side]);
  const labels = lines(side);
  return {
    ...{ type: 'log', min, max, ...nameOf(side, name), ...labels },
    axisLabel: { ...LABEL, formatter: format(by), customValues: at },
    axisTick: { ...(labels.axisTick as Option), customValues: at },
  };
}

export function linearAxis(side: 'x' | 'y', { name, format: by, values }: Axis): Option {
  const max = Math.max(...values.filter(Number.isFinite), 0);
  return {
    ...{ type: 'value', min: 0, ...nameOf(side, name), ...lines(side) },
    ...(max === 0 ? { max: 1 } : {}),
    axisLabel: { ...LABEL, formatter: format(by) },
  };
}

export function categoryAxis(name: string, categories: readonly string[]): Option {
  return {
    ...{ type: 'category', data: categories, ...nameOf('x', name), ...lines('x') },
    splitLine: { show: false },
    axisLabel: { ...LABEL, interval: 0 },
  };
}

const ROOM = 1.25;

/** From a little below the least value to a little above the greatest, and at least a factor of four. */
export function logExtent(values: readonly number[]): readonly [min: number, max: number] {
  const positive = values.filter((value) => Number.isFinite(value) && value > 0);
  if (positive.length === 0) return [1, 10];
  const least = Math.min(...positive);
  const most = Math.max(...positive);
  const lack = Math.max(1, Math.sqrt(4 / (most / least)));
  return [least / ROOM / lack, most * ROOM * lack];
}

/** Powers of ten; where fewer than `few` are in view 1, 2 and 5 of each. */
export function logTicks(min: number, max: number, few: number): number[] {
  const first = Math.floor(Math.log10(min));
  const last = Math.ceil(Math.log10(max));
  const powers = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  const inView = (value: number): boolean => value >= min && value <= max;
  const coarse = powers.filter(inView);
  if (coarse.length >= few) return coarse;
  return powers.flatMap((power) => [power, 2 * power, 5 * power]).filter(inView);
}
