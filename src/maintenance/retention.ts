/**
 * retention: what of the log is kept readable although it was truncated: its last bytes, and its last hours.
 *
 * It counts in whole segments, and always in favour of keeping: a segment goes when those behind it hold the bytes,
 * and when it has been closed for the time. The active one is never let go. How long a segment has been closed is
 * told by the monotonic clock from when it was seen closed; for one that recovery found, by the time in its
 * successor's LINK: wall time, which a clock that was set forward makes look longer.
 */
import type { Environment } from '../environment.js';
import type { ClosedSegment } from '../segment/closed-segment.js';

/** What is kept; 0: nothing for this reason. */
export interface RetentionTerms {
  /** Bytes of segments up to their ends, so with what lies around the records. */
  readonly bytes: number;
  readonly ageMs: number;
}

export class Retention {
  readonly #terms: RetentionTerms;
  readonly #environment: Environment;
  /** When segments were closed, by number, in microseconds of the monotonic clock, or later. */
  #closedAtUs = new Map<number, number>();
  #newestSeen = 0;

  /** `found` are the closed segments that the log was opened with. */
  constructor(terms: RetentionTerms, environment: Environment, found: readonly ClosedSegment[]) {
    this.#terms = terms;
    this.#environment = environment;
    const nowUs = environment.monotonicUs();
    const wallUs = environment.wallUs();
    for (const { number, closedUs = wallUs } of found)
      this.#closedAtUs.set(number, nowUs - Math.max(0, wallUs - closedUs));
    this.#newestSeen = found.at(-1)?.number ?? 0;
  }

  /** Takes note of segments that were closed. Call it often: what it has not seen counts as not yet closed. */
  observe(closed: readonly ClosedSegment[]): void {
    const newest = closed.at(-1)?.number ?? 0;
    if (this.#terms.ageMs === 0 || newest === this.#newestSeen) return;
    this.#newestSeen = newest;
    const nowUs = this.#environment.monotonicUs();
    this.#closedAtUs = new Map(closed.map(({ number }) => [number, this.#closedAtUs.get(number) ?? nowUs]));
  }

  /** The first LSN that is kept. `closed` is oldest first; `active` is the segment behind them. */
  heldFrom(closed: readonly ClosedSegment[], active: ClosedSegment): number {
    this.observe(closed);
    const nowUs = this.#environment.monotonicUs();
    const ageUs = this.#terms.ageMs * 1000;
    let held = active.firstLsn;
    let bytes = active.end;
    for (let i = closed.length - 1; i >= 0; i--) {
      const segment = closed[i] as ClosedSegment;
      const isYoung = nowUs - (this.#closedAtUs.get(segment.number) ?? nowUs) < ageUs;
      if (bytes >= this.#terms.bytes && !isYoung) break;
      held = segment.firstLsn;
      bytes += segment.end;
    }
    return held;
  }
}
