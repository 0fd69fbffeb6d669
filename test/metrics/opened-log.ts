/** opened-log: a log for one test of the collectors, scraped as Prometheus does, or counted how often it is asked. */
import type { Registry } from 'prom-client';
import { onTestFinished } from 'vitest';
import { type Log, type LogOptions, type LogStats, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';
import { type Family, parseExposition } from './exposition.js';

export const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 32_768 };

/** Closed when the test is over. */
export async function opened(directory = tempDir(), options: LogOptions = SMALL): Promise<Log> {
  const log = await openLog(directory, options);
  onTestFinished(() => log.close());
  return log;
}

/** Of one registry, as Prometheus would read it. */
export async function scrape(registry: Pick<Registry, 'metrics'>): Promise<Map<string, Family>> {
  return parseExposition(await registry.metrics());
}

/** What a collector sees of `log`, and how often it has asked. */
export class CountedLog {
  readonly directory: string;
  readonly checkpointLsn = 0;
  readonly #log: Log;
  questions = 0;

  constructor(log: Log) {
    this.directory = log.directory;
    this.#log = log;
  }

  stats(): Promise<LogStats> {
    this.questions++;
    return this.#log.stats();
  }
}
