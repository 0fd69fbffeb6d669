/** commit-metrics: what the I/O worker counts. A few additions a group, so it is always on. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Distribution of a quantity over groups. */
export interface Distribution {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const UNTOLD_GROUPS = 256;

export class CommitMetrics {
  groups = 0;
  records = 0;
  bytes = 0;
  /** Syncs, of one write each in most cases. */
  writes = 0;
  rotations = 0;
  segmentsPrepared = 0;
  segmentsRecycled = 0;
  segmentsRemoved = 0;
  maintenanceErrors = 0;
  /** Microseconds spent in writes and in syncs. */
  writeUs = 0;
  syncUs = 0;
  readonly #groupRecords = createHistogram();
  readonly #groupBytes = createHistogram();
  readonly #syncUs = createHistogram();
  /** Mean bytes of a group, over about the last eight. */
  recentGroupBytes = 0;
  /** Figures of groups that the histograms do not have yet, three a group; their callers come first. */
  readonly #untold = new Float64Array(3 * UNTOLD_GROUPS);
  #untoldLength = 0;

  /** One write and its sync; without records it carried marks only. */
  group(bytes: number, records: number, writeUs: number, syncUs: number): void {
    this.writes++;
    this.writeUs += writeUs;
    this.syncUs += syncUs;
    this.#note(bytes, records, syncUs);
  }

  /** A write that nobody waits to be durable. */
  unsynced(bytes: number, records: number, writeUs: number): void {
    this.writeUs += writeUs;
    this.#note(bytes, records, 0);
  }

  #note(bytes: number, records: number, syncUs: number): void {
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
    this.#untold[at + 2] = syncUs;
    this.#untoldLength = at + 3;
  }

  /** Adds what was noted to the histograms: a microsecond each, so not while callers wait for their answers. */
  tally(): void {
    for (let at = 0; at < this.#untoldLength; at += 3) {
      const [bytes, records, syncUs] = this.#untold.subarray(at, at + 3) as unknown as [
        number,
        number,
        number,
      ];
      if (syncUs > 0) this.#syncUs.record(Math.max(1, Math.round(syncUs)));
      if (records === 0) continue;
      this.#groupRecords.record(records);
      this.#groupBytes.record(bytes);
    }
    this.#untoldLength = 0;
  }

  get distributions(): { groupRecords: Distribution; groupBytes: Distribution; syncUs: Distribution } {
    this.tally();
    return {
      groupRecords: summary(this.#groupRecords),
      groupBytes: summary(this.#groupBytes),
      syncUs: summary(this.#syncUs),
    };
  }
}

function summary(histogram: RecordableHistogram): Distribution {
  const empty = histogram.count === 0;
  return {
    count: histogram.count,
    mean: empty ? 0 : histogram.mean,
    p50: empty ? 0 : histogram.percentile(50),
    p99: empty ? 0 : histogram.percentile(99),
    max: empty ? 0 : histogram.max,
  };
}
