/** histogram: latencies in buckets of three significant digits (HDR), by node:perf_hooks. */
import { createHistogram } from 'node:perf_hooks';
import type { Latency } from './load.js';

/** The histogram refuses 0. */
const MIN = 1e-6;
/** Percentiles of the curve: ten for each halving of what lies above, as far as five nines. */
const CURVE = [...Array.from({ length: 167 }, (_, i) => 100 * (1 - 0.5 ** (i / 10))), 100];

export class LatencyHistogram {
  // In nanoseconds, so that a bucket is fine enough at a few microseconds too.
  readonly #histogram = createHistogram({ figures: 3 });

  /** `us` may be 0 or less, when clocks are read twice within their resolution. */
  record(us: number): void {
    this.#histogram.record(Math.max(1, Math.round(us * 1000)));
  }

  get latency(): Latency {
    const us = (percent: number): number => this.#histogram.percentile(percent) / 1000;
    const curve = CURVE.map((percent) => [percent, us(Math.max(percent, MIN))] as const);
    return {
      ...{ p50Us: us(50), p90Us: us(90), p99Us: us(99), p999Us: us(99.9), maxUs: this.#histogram.max / 1000 },
      curve,
    };
  }
}
