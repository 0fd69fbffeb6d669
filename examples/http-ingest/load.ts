/** load: requests from another thread, as many connections at once as asked for, for so many seconds. */
import { randomBytes } from 'node:crypto';
import autocannon from 'autocannon';

export interface LoadResult {
  readonly answers: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const RECORD_BYTES = 256;

/** Throws when any request was not answered with 200. */
export async function load(url: string, seconds: number, connections: number): Promise<LoadResult> {
  const { requests, latency, non2xx, errors, duration } = await autocannon({
    ...{ url, connections, duration: seconds, workers: 1, method: 'POST' as const },
    body: randomBytes(RECORD_BYTES).toString('base64'),
    headers: { 'content-type': 'application/octet-stream' },
  });
  if (non2xx + errors > 0) throw new Error(`${non2xx + errors} requests failed.`);
  return {
    ...{ answers: requests.total, requestsPerSecond: requests.total / duration },
    ...{ p50Ms: latency.p50, p99Ms: latency.p99 },
  };
}
