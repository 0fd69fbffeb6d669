/** ringwal: the log, with default options if no others are asked for; truncated behind its writers so that segments recycle, or never. */
import { attachLog, type LogAppender, type LogOptions, openLog } from 'ringwal';
import type { System } from '../system.js';

/** How often the log is truncated behind its writers. */
const TRUNCATE_EVERY_MS = 20;
const WARM_UP_BATCH = Array.from({ length: 125 }, () => Buffer.alloc(1000, 1));

/** Truncates `log` behind its writers, from time to time, until stopped: beside the appends, not in their way. */
export function truncateBehind(log: LogAppender): () => void {
  const timer = setInterval(() => {
    // An error would show in the appends too.
    if (log.durableLsn > 0) log.truncateBefore(log.durableLsn).catch(() => {});
  }, TRUNCATE_EVERY_MS);
  return () => clearInterval(timer);
}

/** A log with a second ring, for callers that share the log with those of `append` and not their queue. */
export interface SharedSystem extends System {
  appendBeside(payload: Uint8Array): Promise<unknown>;
}

export async function openRingwal(
  directory: string,
  isTruncated: boolean,
  options: LogOptions = {},
): Promise<SharedSystem> {
  const log = await openLog(directory, options);
  // Made when it is first needed: each ring costs the worker a look.
  let beside: Promise<LogAppender> | undefined;
  const stop = isTruncated ? truncateBehind(log) : () => {};
  return {
    name: isTruncated ? 'ringwal' : 'ringwal, only grows',
    append: (payload) => log.append(payload),
    appendBeside: async (payload) => {
      beside ??= attachLog(log.handle());
      return (await beside).append(payload);
    },
    async warmUp() {
      if (!isTruncated) return;
      for (let recycled = 0; recycled < 3; ) {
        for (let i = 0; i < 200; i++) await log.appendBatch(WARM_UP_BATCH);
        recycled = (await log.stats()).segmentsRecycled;
      }
    },
    groups: () => log.stats(),
    close: () => {
      stop();
      return log.close();
    },
  };
}
