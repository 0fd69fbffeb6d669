/** ingest: appends lines in a closed loop, so many in flight, for a while, and measures. */
import { createHistogram } from 'node:perf_hooks';
import type { Log } from 'ringwal';

export interface IngestResult {
  readonly inFlight: number;
  readonly recordsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly groupRecords: number;
}

export async function ingest(
  log: Log,
  lines: readonly string[],
  inFlight: number,
  ms: number,
): Promise<IngestResult> {
  const latency = createHistogram();
  const before = await log.stats();
  const start = performance.now();
  const end = start + ms;
  let appended = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      const from = performance.now();
      await log.append(lines[appended++ % lines.length] ?? '');
      latency.record(Math.max(1, Math.round((performance.now() - from) * 1000)));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const seconds = (performance.now() - start) / 1000;
  const after = await log.stats();
  return {
    inFlight,
    recordsPerSecond: appended / seconds,
    p50Us: latency.percentile(50),
    p99Us: latency.percentile(99),
    groupRecords: (after.records - before.records) / Math.max(1, after.groups - before.groups),
  };
}
