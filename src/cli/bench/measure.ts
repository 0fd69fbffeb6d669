/** measure: a new log under a load for some time: its rate, latencies and sync times. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Log, type LogOptions, openLog } from '../../index.js';
import type { Load } from './plan.js';

/** What one run gave. */
export interface Run {
  readonly recordsPerSecond: number;
  /** Of appends. */
  readonly p50Us: number;
  readonly p99Us: number;
  /** Of groups: write and sync together. */
  readonly syncP50Us: number;
  readonly syncP99Us: number;
  /** What `auto` was, where it was asked for. */
  readonly syncMode: string;
}

/** Part of the time that passes before anything counts. */
const WARM_UP = 0.2;
/** Callers whose latencies are noted: of more it would be the noting that is measured. */
const NOTED_CALLERS = 100;
/** A disk that is very slow gets more time than it was given. */
const LEAST_APPENDS = 10;
const TRUNCATE_MS = 10;

/** Makes a log in `directory`, which is removed afterwards, also when it fails. Throws what the log does. */
export async function measure(
  directory: string,
  options: LogOptions,
  load: Load,
  ms: number,
  signal: AbortSignal,
): Promise<Run> {
  try {
    await using log = await openLog(directory, options);
    return await run(log, load, ms, signal);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function run(log: Log, load: Load, ms: number, signal: AbortSignal): Promise<Run> {
  const payload = Buffer.alloc(load.payloadBytes);
  for (let i = 0; i < payload.length; i++) payload[i] = (i * 167) & 0xff;
  const latencies = createHistogram();
  let appended = 0;
  let isOver = false;
  let counts = false;
  const caller = async (isNoted: boolean): Promise<void> => {
    while (!isOver) {
      const from = isNoted ? performance.now() : 0;
      await log.append(payload);
      if (!counts) continue;
      appended++;
      if (isNoted) latencies.record(Math.max(1, Math.round((performance.now() - from) * 1000)));
    }
  };
  const truncate = async (): Promise<void> => {
    while (!isOver) {
      await sleep(TRUNCATE_MS);
      if (log.durableLsn > log.firstLsn) await log.truncateBefore(log.durableLsn);
    }
  };
  const work = Promise.all([
    ...Array.from({ length: load.inFlight }, (_, i) => caller(i < NOTED_CALLERS)),
    ...(load.truncates ? [truncate()] : []),
  ]);
  work.catch(() => {}); // it is awaited at the end
  try {
    await Promise.race([work, sleep(WARM_UP * ms, undefined, { signal })]);
    counts = true;
    const from = performance.now();
    await Promise.race([work, sleep((1 - WARM_UP) * ms, undefined, { signal })]);
    while (appended < LEAST_APPENDS) await Promise.race([work, sleep(1, undefined, { signal })]);
    const seconds = (performance.now() - from) / 1000;
    counts = false;
    const recordsPerSecond = appended / seconds;
    isOver = true;
    await work;
    const { syncUs, syncMode } = await log.stats();
    const [p50Us, p99Us] = [latencies.percentile(50), latencies.percentile(99)];
    return { recordsPerSecond, p50Us, p99Us, syncP50Us: syncUs.p50, syncP99Us: syncUs.p99, syncMode };
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    isOver = true;
  }
}

/** Those of `modes` that the file system under `directory` can do. */
export async function possible<M extends NonNullable<LogOptions['syncMode']>>(
  directory: string,
  modes: readonly M[],
): Promise<M[]> {
  const found: M[] = [];
  for (const syncMode of modes) {
    const path = join(directory, `try-${syncMode}`);
    try {
      await (await openLog(path, { syncMode })).close();
      found.push(syncMode);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'RINGWAL_IO' || isLast(syncMode, modes, found))
        throw error;
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  }
  return found;
}

/** When none works, it is not the mode. */
function isLast<M>(mode: M, modes: readonly M[], found: readonly M[]): boolean {
  return mode === modes.at(-1) && found.length === 0;
}
