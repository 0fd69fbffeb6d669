/** load: callers that append one record after the other, more or fewer of them by turns, until told to stop. */
import type { Log } from 'ringwal';

export interface LoadOptions {
  /** How many callers there are, by turns. */
  readonly callers: readonly number[];
  /** How long a turn is, milliseconds. */
  readonly turnMs: number;
  /** How long a caller rests between two records, milliseconds. */
  readonly restMs: number;
  /** Bytes of a record. */
  readonly recordBytes: number;
  /** Records that stay; older ones are truncated away at each turn. */
  readonly keep: number;
  readonly signal: AbortSignal;
}

/** Resolves when the signal is aborted and all appends are through; rejects when one is rejected. */
export async function load(log: Log, options: LoadOptions): Promise<void> {
  const { callers, turnMs, keep, signal } = options;
  for (let turn = 0; !signal.aborted; turn++) {
    const count = callers[turn % callers.length] ?? 1;
    const end = performance.now() + turnMs;
    await Promise.all(Array.from({ length: count }, () => call(log, options, end)));
    const mark = log.durableLsn - keep;
    if (mark > log.firstLsn) await log.truncateBefore(mark);
  }
}

async function call(log: Log, { recordBytes, restMs, signal }: LoadOptions, end: number): Promise<void> {
  const record = Buffer.alloc(recordBytes, 'x');
  while (performance.now() < end && !signal.aborted) {
    await log.append(record);
    await rest(restMs * Math.random() * 2, signal);
  }
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
