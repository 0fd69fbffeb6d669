/** ringwal: the log, with default options or a preset's; truncated behind its writers so that segments recycle, or never. */
import { randomBytes } from 'node:crypto';
import { attachLog, highThroughput, type LogAppender, type LogOptions, lowLatency, openLog } from 'ringwal';
import type { System, SystemKind } from '../harness/system.js';

/** How often the log is truncated behind its writers. */
const TRUNCATE_EVERY_MS = 20;
const WARM_UP_BATCH = Array.from({ length: 125 }, () => randomBytes(1000));

/**
 * Truncates `log` behind its writers, from time to time, until stopped: beside the appends, not in their way, and not while
 * there are none, when another system is measured.
 */
export function truncateBehind(log: LogAppender): () => void {
  let truncatedLsn = 0;
  const timer = setInterval(() => {
    if (log.durableLsn === truncatedLsn) return;
    truncatedLsn = log.durableLsn;
    // An error would show in the appends too.
    log.truncateBefore(truncatedLsn).catch(() => {});
  }, TRUNCATE_EVERY_MS);
  return () => clearInterval(timer);
}

async function openRingwal(directory: string, isTruncated: boolean, options: LogOptions): Promise<System> {
  const log = await openLog(directory, options);
  // Made when it is first needed: each ring costs the worker a look.
  let beside: Promise<LogAppender> | undefined;
  const stop = isTruncated ? truncateBehind(log) : () => {};
  return {
    append: (payload) => log.append(payload),
    appendLocated: async (payload) => (await log.append(payload, { receipt: true })).segment,
    appendBatch: (payloads) => log.appendBatch(payloads),
    async appendBeside(payload) {
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

/** `options` of `open` are LogOptions, over those of the kind. */
function kind(name: string, what: string, isTruncated: boolean, preset: LogOptions): SystemKind {
  return {
    name,
    what,
    role: 'own',
    open: (directory, options) =>
      openRingwal(directory, isTruncated, { ...preset, ...(options as LogOptions | undefined) }),
  };
}

export const RINGWAL_KINDS: readonly SystemKind[] = [
  kind(
    'ringwal',
    'append, default options: O_DIRECT|O_DSYNC or fdatasync, whichever is faster here; truncated behind its writers',
    true,
    {},
  ),
  kind(
    'ringwal, only grows',
    'append, default options; never truncated: each segment is a new file',
    false,
    {},
  ),
  kind('ringwal lowLatency', 'append, preset `lowLatency`; truncated behind its writers', true, lowLatency),
  kind(
    'ringwal highThroughput',
    'append, preset `highThroughput`; truncated behind its writers',
    true,
    highThroughput,
  ),
  kind('ringwal direct', 'append, syncMode `direct`: O_DIRECT|O_DSYNC; truncated behind its writers', true, {
    syncMode: 'direct',
  }),
];
