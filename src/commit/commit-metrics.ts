/** commit-metrics: what the I/O worker counts. A few additions a group, so it is always on. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Distribution of a quantity over groups. */
export interface Distribution {
  /** How many values. */
  readonly count: number;
  /** Of all values. */
  readonly sum: number;
  /** Mean value; 0 when there is none. */
  readonly mean: number;
  /** The median; as `p99`, it is less than 0.1 % above what it is exactly. */
  readonly p50: number;
  /** What 99 of 100 values do not exceed. */
  readonly p99: number;
  /** The greatest value. */
  readonly max: number;
  /** At index `i` how many values are at most 2^i, and more than 2^(i-1); without the zeros behind the last that is not 0. */
  readonly buckets: readonly number[];
}

const UNTOLD_GROUPS = 256;
/** Of each group: bytes, records, wait, sync. */
const FIGURES = 4;

export class CommitMetrics {
  groups = 0;
  records = 0;
  bytes = 0;
  /** Syncs, of one write each in most cases. */
  syncs = 0;
  rotations = 0;
  segmentsPrepared = 0;
  segmentsRecycled = 0;
  segmentsRemoved = 0;
  maintenanceErrors = 0;
  /** Writes and syncs of groups that failed. */
  ioErrors = 0;
  /** Microseconds spent in writes and their syncs. */
  syncUsTotal = 0;
  readonly #groupRecords = new Histogram();
  readonly #groupBytes = new Histogram();
  readonly #waitUs = new Histogram();
  readonly #syncUs = new Histogram();
  /** Mean bytes of a group, over about the last eight. */
  recentGroupBytes = 0;
  /** Figures of groups that the histograms do not have yet; their callers come first. */
  readonly #untold = new Float64Array(FIGURES * UNTOLD_GROUPS);
  #untoldLength = 0;

  /**
   * One write and its sync, which took `syncUs` together; its oldest record had waited for `waitUs`. Without records
   * it carried marks only.
   */
  group(bytes: number, records: number, waitUs: number, syncUs: number): void {
    this.syncs++;
    this.syncUsTotal += syncUs;
    this.#note(bytes, records, waitUs, syncUs);
  }

  /** A write that nobody waits to be durable. */
  unsynced(bytes: number, records: number, waitUs: number): void {
    this.#note(bytes, records, waitUs, 0);
  }

  #note(bytes: number, records: number, waitUs: number, syncUs: number): void {
    if (records > 0) {
      this.groups++;
      this.records += records;
      this.bytes += bytes;
      this.recentGroupBytes += (bytes - this.recentGroupBytes) / 8;
    }
    if (this.#untoldLength === this.#untold.length) this.tally();
    const at = this.#untoldLength;
    this.#untold[at] = bytes;
    this.#untold[at + 1] = records;
    this.#untold[at + 2] = waitUs;
    this.#untold[at + 3] = syncUs;
    this.#untoldLength = at + FIGURES;
  }

  /** Adds what was noted to the histograms: a microsecond each, so not while callers wait for their answers. */
  tally(): void {
    const figures = this.#untold;
    for (let at = 0; at < this.#untoldLength; at += FIGURES) {
      const records = figures[at + 1] as number;
      if ((figures[at + 3] as number) > 0) this.#syncUs.record(figures[at + 3] as number);
      if (records === 0) continue;
      this.#groupBytes.record(figures[at] as number);
      this.#groupRecords.record(records);
      this.#waitUs.record(figures[at + 2] as number);
    }
    this.#untoldLength = 0;
  }

  /** What is counted, as `stats()` tells it. */
  get counters() {
    const { groups, records, bytes, syncs, rotations, ioErrors, maintenanceErrors, syncUsTotal } = this;
    const { segmentsPrepared, segmentsRecycled, segmentsRemoved } = this;
    const segments = { rotations, segmentsPrepared, segmentsRecycled, segmentsRemoved };
    return { groups, records, bytes, syncs, ...segments, ioErrors, maintenanceErrors, syncUsTotal };
  }

  get distributions(): Record<'groupRecords' | 'groupBytes' | 'waitUs' | 'syncUs', Distribution> {
    this.tally();
    return {
      groupRecords: this.#groupRecords.summary(),
      groupBytes: this.#groupBytes.summary(),
      waitUs: this.#waitUs.summary(),
      syncUs: this.#syncUs.summary(),
    };
  }
}

/** Made when it gets its first value: making one costs a tenth of opening a small log, and many logs are only read. */
class Histogram {
  #histogram: RecordableHistogram | undefined;
  #sum = 0;
  #max = 0;
  readonly #buckets: number[] = [];

  /** A histogram takes integers from 1. */
  record(value: number): void {
    const whole = Math.max(1, Math.round(value));
    this.#histogram ??= createHistogram();
    this.#histogram.record(whole);
    this.#sum += whole;
    this.#max = Math.max(this.#max, whole);
    const bucket = Math.ceil(Math.log2(whole));
    while (this.#buckets.length <= bucket) this.#buckets.push(0);
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
  }

  summary(): Distribution {
    const histogram = this.#histogram;
    if (histogram === undefined) return { count: 0, sum: 0, mean: 0, p50: 0, p99: 0, max: 0, buckets: [] };
    return {
      count: histogram.count,
      sum: this.#sum,
      mean: this.#sum / histogram.count,
      // The histogram tells the upper end of a range of values, which may be above all that there were.
      p50: Math.min(histogram.percentile(50), this.#max),
      p99: Math.min(histogram.percentile(99), this.#max),
      max: this.#max,
      buckets: [...this.#buckets],
    };
  }
}
