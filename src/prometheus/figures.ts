/** figures: what a log told when it was asked for its figures, once a scrape; or that it told nothing. */
import type { LogAppender, LogStats } from '../index.js';

/** What is needed of a log. */
export type ObservedLog = Pick<LogAppender, 'directory' | 'checkpointLsn' | 'stats'>;

export interface Figures extends LogStats {
  readonly checkpointLsn: number;
}

/** One log in one scrape. */
export interface Scraped {
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined when the log is closed, its I/O worker is dead, or it did not answer in time. */
  readonly figures: Figures | undefined;
}

export class ScrapedLog {
  readonly directory: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly #log: ObservedLog;
  readonly #timeoutMs: number;
  /** The question that is not answered yet: a worker that hangs in a sync is not asked again and again. */
  #asked: Promise<LogStats> | undefined;

  constructor(log: ObservedLog, labels: Readonly<Record<string, string>>, timeoutMs: number) {
    this.directory = log.directory;
    this.labels = labels;
    this.#log = log;
    this.#timeoutMs = timeoutMs;
  }

  /** Never rejects: the metrics of the rest of the process are in the same scrape. */
  async scrape(): Promise<Scraped> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#timeoutMs);
      timer.unref();
    });
    try {
      const stats = await Promise.race([this.#ask(), tooLate]);
      const { checkpointLsn } = this.#log;
      return { labels: this.labels, figures: stats && { ...stats, checkpointLsn } };
    } catch {
      return { labels: this.labels, figures: undefined };
    } finally {
      clearTimeout(timer);
    }
  }

  #ask(): Promise<LogStats> {
    this.#asked ??= this.#log.stats().finally(() => {
      this.#asked = undefined;
    });
    return this.#asked;
  }
}
