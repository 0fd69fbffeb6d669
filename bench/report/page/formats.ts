/**
 * formats: how numbers are written, and what a tooltip and a whisker are, for the page and for pictures alike. The page
 * gets these functions as source (script.ts): each is exported, needs nothing but others of this file, and no import.
 */

/** A datum of a series, as series.ts makes it. */
interface Datum {
  readonly value: readonly number[];
  readonly where?: string;
  readonly text?: string;
  readonly rows?: readonly (readonly [string, string])[];
  /** The colour of its line, where the mark is hollow. */
  readonly paint?: string;
}

interface Hovered {
  readonly seriesName: string;
  readonly color: unknown;
  readonly data: Datum;
}

/** What ECharts gives a custom series to draw with. */
interface Drawing {
  value(dimension: number): number;
  coord(point: readonly number[]): readonly [number, number];
  visual(key: string): unknown;
}

/** Three significant digits, without zeros at the end. */
export function digits(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return value === 0 ? '0' : '–';
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? String(Math.round(rounded)) : String(rounded);
}

/** 12 300 000 as 12.3 M. */
export function count(value: number): string {
  // What is written 1000 belongs to the next unit: 999 999 is 1 M.
  const size = Math.abs(Number(value.toPrecision(3)));
  if (size >= 1e9) return `${digits(value / 1e9)} G`;
  if (size >= 1e6) return `${digits(value / 1e6)} M`;
  if (size >= 1e4) return `${digits(value / 1e3)} k`;
  return digits(value).replace(/^(\d)(\d{3})$/, '$1\u202f$2');
}

/** Whole numbers in full, in groups of three: 16 384. */
export function whole(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

export function us(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(Number(value.toPrecision(3)));
  if (size >= 1e6) return `${digits(value / 1e6)} s`;
  if (size >= 1e3) return `${digits(value / 1e3)} ms`;
  return `${digits(value)} µs`;
}

export function ms(value: number): string {
  return us(value * 1000);
}

export function bytes(value: number): string {
  if (value >= 2 ** 30) return `${digits(value / 2 ** 30)} GiB`;
  if (value >= 2 ** 20) return `${digits(value / 2 ** 20)} MiB`;
  if (value >= 2 ** 10) return `${digits(value / 2 ** 10)} KiB`;
  return `${digits(value)} B`;
}

export function byteRate(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(Number(value.toPrecision(3)));
  if (size >= 1e9) return `${digits(value / 1e9)} GB/s`;
  if (size >= 1e6) return `${digits(value / 1e6)} MB/s`;
  return size >= 1e3 ? `${digits(value / 1e3)} kB/s` : `${digits(value)} B/s`;
}

export function share(value: number): string {
  return `${digits(value * 100)} %`;
}

export function times(value: number): string {
  return `${value < 10 ? value.toFixed(2) : digits(value)} ×`;
}

/** The same on an axis, where ticks are round. */
export function ratio(value: number): string {
  return `${digits(value)} ×`;
}

/** An axis of 1 / (1 - p): 100 is 99 %. */
export function percentile(value: number): string {
  return value <= 1 ? '0 %' : `${Number((100 - 100 / value).toPrecision(7))} %`;
}

export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (found) => `&#${found.charCodeAt(0)};`);
}

/** A dot in the colour of the system's line. */
export function dot({ color, data }: Pick<Hovered, 'color' | 'data'>): string {
  const paint = data.paint ?? (typeof color === 'string' ? color : 'currentColor');
  return `<span class="dot" style="background:${escapeText(paint)}"></span>`;
}

/** One point: where it is, and all of its figures. */
export function tipItem(hovered: Hovered): string {
  const { where = '', rows = [] } = hovered.data;
  const lines = rows.map(
    ([label, text]) => `<tr><th>${escapeText(label)}</th><td>${escapeText(text)}</td></tr>`,
  );
  const head = `<b>${escapeText(hovered.seriesName)}</b><i>${escapeText(where)}</i>`;
  return `<div class="tip">${dot(hovered)}${head}<table>${lines.join('')}</table></div>`;
}

/** All systems at one place of the axis, the highest first. */
export function tipAxis(hovered: readonly Hovered[]): string {
  const known = hovered.filter(({ data }) => data.text !== undefined);
  const lines = [...known]
    .sort((a, b) => (b.data.value[1] ?? 0) - (a.data.value[1] ?? 0))
    .map(
      ({ color, seriesName, data }) =>
        `<tr><th>${dot({ color, data })}${escapeText(seriesName)}</th><td>${escapeText(data.text ?? '')}</td></tr>`,
    );
  const where = escapeText(known[0]?.data.where ?? '');
  return `<div class="tip"><b>${where}</b><table>${lines.join('')}</table></div>`;
}

/** All systems at one percentile, the slowest first. */
export function tipPercentile(hovered: readonly Hovered[]): string {
  return tipOfNumbers(hovered, percentile);
}

/** The worst latency at a time. */
export function tipTime(hovered: readonly Hovered[]): string {
  return tipOfNumbers(hovered, ms);
}

export function tipOfNumbers(hovered: readonly Hovered[], place: (x: number) => string): string {
  const points = hovered.map(({ color, seriesName, data }) => {
    const value = data as unknown as readonly number[];
    return { color, seriesName, data: { value, where: place(value[0] ?? 0), text: us(value[1] ?? 0) } };
  });
  return tipAxis(points);
}

/** A line from the least to the greatest of the rounds: data are [x, least, greatest]. */
export function whisker(_: unknown, api: Drawing): object {
  const [x, low] = api.coord([api.value(0), api.value(1)]);
  const [, high] = api.coord([api.value(0), api.value(2)]);
  const style = { stroke: api.visual('color'), lineWidth: 1.25, opacity: 0.5 };
  return { type: 'line', shape: { x1: x, y1: low, x2: x, y2: high }, style, silent: true };
}

/** The same of bars that lie: data are [least, greatest, index of the bar]. */
export function whiskerAcross(_: unknown, api: Drawing): object {
  const [low, y] = api.coord([api.value(0), api.value(2)]);
  const [high] = api.coord([api.value(1), api.value(2)]);
  const style = { stroke: api.visual('color'), lineWidth: 1.5 };
  return { type: 'line', shape: { x1: low, y1: y, x2: high, y2: y }, style, silent: true };
}
