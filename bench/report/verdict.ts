/** verdict: whether a speed bar was met, missed, or stands where no engine could pass it. */
import type { Bar } from './results.js';
import { median } from './statistics.js';

export type Verdict = 'met' | 'at the limit' | 'missed' | 'not measured';

/** Where physics forbids a bar, this share of what is possible is asked for instead. */
export const SHARE_OF_LIMIT = 0.95;

export function verdictOf({ ratios, must, limit }: Bar): Verdict {
  if (ratios.length === 0) return 'not measured';
  const ratio = median(ratios);
  if ('atLeast' in must) {
    if (ratio >= must.atLeast) return 'met';
    return limit !== undefined && limit < must.atLeast && ratio >= limit * SHARE_OF_LIMIT
      ? 'at the limit'
      : 'missed';
  }
  if (ratio <= must.atMost) return 'met';
  return limit !== undefined && limit > must.atMost && ratio <= limit / SHARE_OF_LIMIT
    ? 'at the limit'
    : 'missed';
}

/** How far a ratio is past its bar, in octaves: 0 is just met, 1 twice as good, -1 half as good. */
export function octavesPast({ must }: Bar, ratio: number): number {
  return 'atLeast' in must ? Math.log2(ratio / must.atLeast) : Math.log2(must.atMost / ratio);
}
