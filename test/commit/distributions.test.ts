/** distributions: what is told of a quantity over groups agrees with itself, and with the values that were counted. */
import { expect, it } from 'vitest';
import { CommitMetrics } from '../../dist/src/commit/commit-metrics.js';

it.each([1, 4097, 65_536, 100_001, 1_048_576])('the greatest value is one that there was (%i)', (bytes) => {
  const metrics = new CommitMetrics();
  for (let i = 0; i < 10; i++) metrics.group(bytes, 1, 10, 10);
  expect(metrics.distributions.groupBytes).toMatchObject({
    count: 10,
    sum: 10 * bytes,
    mean: bytes,
    p50: bytes,
    p99: bytes,
    max: bytes,
  });
});

it('percentiles are those of the values, less than 0.1 % too high', () => {
  const metrics = new CommitMetrics();
  const values = Array.from({ length: 999 }, (_, i) => 1000 + 7919 * ((i * 37) % 999));
  for (const value of values) metrics.group(value, 1, 1, 1);
  values.sort((a, b) => a - b);
  const { p50, p99, max } = metrics.distributions.groupBytes;
  for (const [told, part] of [
    [p50, 0.5],
    [p99, 0.99],
  ] as const) {
    const exact = values[Math.ceil(part * values.length) - 1] as number;
    expect(told).toBeGreaterThanOrEqual(exact);
    expect(told).toBeLessThan(exact * 1.001);
  }
  expect(max).toBe(values.at(-1));
});
