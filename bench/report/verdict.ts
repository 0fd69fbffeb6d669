/** verdict: whether a speed bar was met, missed, or stands where no engine could pass it. */
import type { Bar } from './results.js';
import { median } from './statistics.js';

export type Verdict = 'met' | 'at the limit' | 'missed' | 'not measured';

/** Where physics forbids a bar, this share of what is possible is asked for instead. */
export const SHARE_OF_LIMIT = 0.95;

/** The limit of a bar that no engine could pass here; undefined where one could. */
export function forbidding({ must, limit }: Bar): number | undefined {
  if (limit === undefined) return undefined;
  return ('atLeast' in must ? limit < must.atLeast : limit > must.atMost) ? limit : undefined;
}

export function verdictOf(bar: Bar): Verdict {
  const { ratios, must } = bar;
  const limit = forbidding(bar);
  if (ratios.length === 0) return 'not measured';
  const ratio = median(ratios);
  if ('atLeast' in must) {
    if (ratio >= must.atLeast) return 'met';
    return limit !== undefined && ratio >= limit * SHARE_OF_LIMIT ? 'at the limit' : 'missed';
  }
  if (ratio <= must.atMost) return 'met';
  return limit !== undefined && ratio <= limit / SHARE_OF_LIMIT ? 'at the limit' : 'missed';
}

/** How far a ratio is past its bar, in octaves: 0 is just met, 1 twice as good, -1 half as good. */
export function octavesPast({ must }: Bar, ratio: number): number {
  return 'atLeast' in must ? Math.log2(ratio / must.atLeast) : Math.log2(must.atMost / ratio);
}
