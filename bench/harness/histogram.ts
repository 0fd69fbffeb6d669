/** histogram: latencies in microseconds, in buckets of three significant digits (HDR), by node:perf_hooks. */
import { createHistogram } from 'node:perf_hooks';

export interface Percentiles {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
}

export class LatencyHistogram {
  // In nanoseconds, so that a bucket is fine enough at a few microseconds too.
  readonly #histogram = createHistogram({ figures: 3 });

  record(us: number): void {
    this.#histogram.record(Math.max(1, Math.round(us * 1000)));
  }

  percentiles(): Percentiles {
    const us = (percent: number): number => this.#histogram.percentile(percent) / 1000;
    return { p50Us: us(50), p99Us: us(99), p999Us: us(99.9) };
  }
}
