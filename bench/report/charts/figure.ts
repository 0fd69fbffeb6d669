/** figure: what the page shows at one place: a title, what to see in it, and charts with one legend. */
import type { Option } from './option.js';

export interface Panel {
  /** What a screen reader says instead of the picture. */
  readonly label: string;
  readonly option: Option;
}

export interface Figure {
  /** Unique in the page; letters and hyphens. */
  readonly id: string;
  readonly title: string;
  /** In the list of contents. */
  readonly short?: string;
  /** How to read it. */
  readonly text: string;
  /** Names of the systems in the legend. */
  readonly systems: readonly string[];
  /** Several views, of which the reader chooses one; each has the same number of panels. */
  readonly views: readonly { readonly label: string; readonly panels: readonly Panel[] }[];
  /** What the views are: "percentile", "appends in flight". */
  readonly viewsAre?: string;
  readonly firstView: number;
  /** In pixels. */
  readonly height: number;
  /** Whether all panels stand below each other, however wide the page is. */
  readonly isStacked?: boolean;
  /** Whether panels that stand side by side list the same names, so that the first has them for all. */
  readonly hasNamesOnce?: boolean;
}

/** Index of the value next to `wanted` on a logarithmic scale. */
export function nearest(values: readonly number[], wanted: number): number {
  const distance = (value: number): number => Math.abs(Math.log(value / wanted));
  return values.reduce(
    (best, value, i) => (distance(value) < distance(values[best] ?? Number.NaN) ? i : best),
    0,
  );
}
