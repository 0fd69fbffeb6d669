/** open: how long a large log takes to open after a clean close, and how fast it is verified. */
import { randomBytes } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { openLog, verifyLog } from 'ringwal';
import { count, median, progress, say, spread, table } from '../report.js';

export interface OpenResult {
  readonly bytes: number;
  readonly segments: number;
  readonly openMs: readonly number[];
  /** Bytes verified a second, by threads. */
  readonly verify: readonly { readonly threads: number; readonly bytesPerSecond: readonly number[] }[];
}

const RECORD_BYTES = 1024;
const BATCH_RECORDS = 2000;
const OPENINGS = 5;
const VERIFICATIONS = 3;

export async function open(directory: string, wantedBytes: number): Promise<OpenResult> {
  const { bavail, bsize } = await statfs(directory);
  const bytes = Math.min(wantedBytes, Math.floor((bavail * bsize) / 2));
  if (bytes < wantedBytes)
    say(`too little disk space for ${count(wantedBytes / 1e6)} MB; ${count(bytes / 1e6)} MB instead`);
  const path = join(directory, 'open');
  let log = await openLog(path);
  const batch = Array.from({ length: BATCH_RECORDS }, () => randomBytes(RECORD_BYTES));
  for (let written = 0; written < bytes; written += 8 * RECORD_BYTES * BATCH_RECORDS) {
    await Promise.all(Array.from({ length: 8 }, () => log.appendBatch(batch)));
    progress(`building a log: ${count(written / 1e6)} of ${count(bytes / 1e6)} MB`);
  }
  await log.close();
  const openMs: number[] = [];
  for (let i = 0; i < OPENINGS; i++) {
    const start = performance.now();
    log = await openLog(path);
    openMs.push(performance.now() - start);
    await log.close();
  }
  let segments = 0;
  let verified = 0;
  const verify = [];
  for (const threads of [1, 2]) {
    const bytesPerSecond: number[] = [];
    for (let i = 0; i < VERIFICATIONS; i++) {
      progress(`verifying with ${threads} threads`);
      const start = performance.now();
      const report = await verifyLog(path, { threads });
      if (report.damage.length > 0) throw report.damage[0];
      bytesPerSecond.push((report.bytes / (performance.now() - start)) * 1000);
      segments = report.segments;
      verified = report.bytes;
    }
    verify.push({ threads, bytesPerSecond });
  }
  say(`a log of ${count(verified / 1e6)} MB in ${segments} segments, after a clean close`);
  table(
    ['', 'median [least..greatest]'],
    [
      ['open', `${spread(openMs, (ms) => ms.toFixed(0))} ms`],
      ...verify.map(({ threads, bytesPerSecond }) => [
        `verify, ${threads} thread${threads > 1 ? 's' : ''}`,
        `${spread(bytesPerSecond, (rate) => (rate / 1e9).toFixed(2))} GB/s, ${(median(bytesPerSecond) / 1e9 / threads).toFixed(2)} a thread`,
      ]),
    ],
  );
  return { bytes: verified, segments, openMs, verify };
}
