/** percentile: percentiles of what came between two looks at a histogram whose bucket i ends with 2^i. */

/** Counts of the values that came since `before`; undefined when they went down: it is another histogram. */
export function bucketsSince(before: readonly number[], after: readonly number[]): number[] | undefined {
  if (before.length > after.length) return undefined;
  const counts = after.map((count, i) => count - (before[i] ?? 0));
  return counts.some((count) => count < 0) ? undefined : counts;
}

/**
 * The value that the part `p` (0 to 1) of all does not exceed; undefined when there is none. Values are taken to lie
 * evenly, on a logarithmic scale, in their bucket: it is off by less than a factor of 2, and most often by far less.
 */
export function percentile(buckets: readonly number[], p: number): number | undefined {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const rank = p * total;
  let below = 0;
  for (const [i, count] of buckets.entries()) {
    if (count > 0 && below + count >= rank) {
      if (i === 0) return 1;
      return 2 ** (i - 1 + Math.max(0, rank - below) / count);
    }
    below += count;
  }
  return 2 ** (buckets.length - 1);
}
