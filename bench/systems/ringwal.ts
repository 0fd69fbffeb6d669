/** ringwal: the log with default options; truncated behind its writers so that segments recycle, or never. */
import { type LogAppender, openLog } from 'ringwal';
import type { System } from '../system.js';

/** Records between two truncations: a quarter of a segment of small records. */
const TRUNCATE_EVERY = 100_000;
const WARM_UP_BATCH = Array.from({ length: 500 }, () => Buffer.alloc(1000, 1));

/** Appends to `log`, and truncates it well behind what was acknowledged. */
export function truncating(log: LogAppender): (payload: Uint8Array) => Promise<number> {
  let truncated = 0;
  return async (payload) => {
    const lsn = await log.append(payload);
    if (lsn - truncated > TRUNCATE_EVERY) {
      truncated = lsn;
      // Not awaited: it goes on beside the appends. An error would show in the appends too.
      log.truncateBefore(lsn).catch(() => {});
    }
    return lsn;
  };
}

export async function openRingwal(directory: string, isTruncated: boolean): Promise<System> {
  const log = await openLog(directory);
  return {
    name: isTruncated ? 'ringwal' : 'ringwal, only grows',
    append: isTruncated ? truncating(log) : (payload) => log.append(payload),
    async warmUp() {
      if (!isTruncated) return;
      for (let recycled = 0; recycled < 3; ) {
        for (let i = 0; i < 50; i++) {
          const { last } = await log.appendBatch(WARM_UP_BATCH);
          if (i % 10 === 0) await log.truncateBefore(last);
        }
        recycled = (await log.stats()).segmentsRecycled;
      }
    },
    groups: () => log.stats(),
    close: () => log.close(),
  };
}
