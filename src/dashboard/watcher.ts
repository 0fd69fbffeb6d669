/** watcher: looks at the log at intervals while somebody watches, once for all of them, and never when nobody does. */
import { liveStats } from '../index.js';
import { type Interval, intervalBetween } from './interval.js';
import { type Ending, endingIn, endingOf, type Look, type ShownLog } from './shown-log.js';
import { figuresOf, type History, type Update } from './update.js';

const HISTORY_MS = 120_000;
/** A look takes some hundred microseconds, and as long as the sync that is under way. */
const SILENCE_MS = 1000;

export class Watcher {
  readonly #log: ShownLog;
  readonly #intervalMs: number;
  readonly #start = performance.now();
  readonly #watching = new Set<(update: Update) => void>();
  #timer: NodeJS.Timeout | undefined;
  #intervals: Interval[] = [];
  #look: Look | undefined;
  /** The look that intervals are counted from. */
  #counted: Look | undefined;
  #ending: Ending | undefined;
  #segmentCapacity: number | undefined;
  #isAskingCapacity = false;
  /** The look that is under way: a log that hangs is not asked again. */
  #looking: Promise<void> | undefined;
  #askedAt = 0;

  constructor(log: ShownLog, intervalMs: number) {
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  /** Tells `watch` of each update, until the function that it returns is called. */
  watch(watch: (update: Update) => void): () => void {
    this.#watching.add(watch);
    if (this.#timer === undefined) {
      // What happened while nobody looked is no interval.
      if (this.#age(this.#counted) > 3 * this.#intervalMs) this.#counted = undefined;
      this.#timer = setInterval(() => this.#tick(), this.#intervalMs).unref();
      this.#tick();
    }
    return () => {
      this.#watching.delete(watch);
      if (this.#watching.size === 0) this.stop();
    };
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** All that a page needs to begin with. */
  get history(): History {
    const update = this.#update(null);
    return {
      directory: this.#log.directory,
      intervalMs: this.#intervalMs,
      intervals: this.#intervals.filter(({ at }) => at >= update.at - HISTORY_MS),
      update,
    };
  }

  /** What the log tells, at most an interval old; the last that it told when it has ended, or says nothing for a while. */
  async current(): Promise<{ readonly update: Update; readonly look: Look | undefined }> {
    if (this.#ending === undefined && this.#age(this.#look) >= this.#intervalMs) {
      let timer: NodeJS.Timeout | undefined;
      const tooLate = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, 2 * SILENCE_MS).unref();
      });
      await Promise.race([this.#lookOnce(), tooLate]);
      clearTimeout(timer);
    }
    return { update: this.#update(null), look: this.#look };
  }

  get #now(): number {
    return Math.round(performance.now() - this.#start);
  }

  #age(look: Look | undefined): number {
    return look === undefined ? Number.POSITIVE_INFINITY : this.#now - look.at;
  }

  #tick(): void {
    if (this.#ending !== undefined || this.#looking !== undefined) this.#tell(this.#update(null));
    else void this.#lookOnce().then(() => this.#tell(this.#update(this.#count())));
  }

  #tell(update: Update): void {
    // Who has gone meanwhile is not told.
    for (const watch of [...this.#watching]) watch(update);
  }

  #lookOnce(): Promise<void> {
    if (this.#looking === undefined) {
      this.#askedAt = this.#now;
      this.#looking = this.#lookNow().finally(() => {
        this.#looking = undefined;
      });
    }
    return this.#looking;
  }

  /** Never rejects. */
  async #lookNow(): Promise<void> {
    void this.#askCapacity();
    try {
      const [stats, segments] = await Promise.all([
        this.#log.stats(),
        // One that has failed may tell its counters, but no segments: then they are as they were.
        this.#log.segments().catch(() => this.#look?.segments ?? []),
      ]);
      const { checkpointLsn } = this.#log;
      this.#look = { at: this.#now, stats, segments, checkpointLsn };
      this.#ending = endingIn(this.#look);
    } catch (error) {
      this.#ending = endingOf(error);
    }
  }

  /** Until it is known: a segment's size is an option, which `stats` does not tell. No look waits for it. */
  async #askCapacity(): Promise<void> {
    if (this.#segmentCapacity !== undefined || this.#isAskingCapacity) return;
    this.#isAskingCapacity = true;
    const live = await liveStats(this.#log.directory).catch(() => undefined);
    this.#segmentCapacity = live?.options.segmentBytes;
    this.#isAskingCapacity = false;
  }

  /** The interval up to the newest look, if that is a new one; one of the same millisecond counts with the next. */
  #count(): Interval | null {
    const [before, after] = [this.#counted, this.#look];
    if (after === undefined || after.at === before?.at) return null;
    this.#counted = after;
    if (before === undefined) return null;
    const interval = intervalBetween(before, after);
    this.#intervals = [...this.#intervals.filter(({ at }) => at >= after.at - HISTORY_MS), interval];
    return interval;
  }

  #update(interval: Interval | null): Update {
    const { code = '', message = '', state } = this.#ending ?? {};
    const silentMs = this.#looking === undefined ? 0 : this.#now - this.#askedAt;
    return {
      // The time of a log that has ended stands still, so that its last minutes stay on the page.
      at: this.#ending === undefined ? this.#now : (this.#look?.at ?? this.#now),
      state: state ?? (this.#look === undefined ? 'starting' : 'open'),
      code,
      message,
      silentMs: silentMs < SILENCE_MS ? 0 : silentMs,
      figures: this.#look === undefined ? null : figuresOf(this.#look, this.#segmentCapacity ?? 0),
      interval,
    };
  }
}
