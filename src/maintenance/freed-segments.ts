/**
 * freed-segments: shows the segments that truncation has freed to whoever wants to archive them, one after the
 * other, oldest first, before their files are removed or reused.
 *
 * It runs beside maintenance, not in its queue: an archive that takes its time holds up no spare, and a closing log
 * waits for none. A segment that was not taken stays, and is shown again after a pause; those behind it wait, so
 * what is archived has no gaps. What was not yet shown when the log ends is found by the next opening.
 */
import type { Environment } from '../environment.js';
import type { ClosedSegment } from '../segment/closed-segment.js';

/** Called with a freed segment; its file stays until the promise resolves. */
export type OnFreed = (segment: ClosedSegment) => Promise<void>;

export interface FreedOptions {
  readonly onFreed: OnFreed;
  readonly environment: Environment;
  /** The segment was taken: its file can go. */
  readonly release: (segment: ClosedSegment) => void;
  /** It was not; `failure` says why. */
  readonly onError: () => void;
}

const RETRY_MS = 1000;

export class FreedSegments {
  readonly #options: FreedOptions;
  #segments: ClosedSegment[];
  #running = false;
  #stopped = false;
  #againUs = 0;
  /** Why the segment that was shown last was not taken; undefined once it is. */
  failure: unknown;

  /** `found` are freed segments that the log was opened with; they are shown from the first `nudge` on. */
  constructor(found: readonly ClosedSegment[], options: FreedOptions) {
    this.#segments = [...found];
    this.#options = options;
  }

  add(segments: readonly ClosedSegment[]): void {
    this.#segments.push(...segments);
    this.nudge();
  }

  /** Goes on after a failure, when its time has come. Called from time to time. */
  nudge(): void {
    if (this.#running || this.#stopped || this.#segments.length === 0) return;
    if (this.#options.environment.monotonicUs() >= this.#againUs) void this.#run();
  }

  /** Shows no further segment. One that is being shown stays, whatever comes of it. */
  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    const { onFreed, environment, release, onError } = this.#options;
    this.#running = true;
    try {
      for (let next = this.#segments[0]; next !== undefined && !this.#stopped; next = this.#segments[0]) {
        await onFreed(next);
        this.failure = undefined;
        if (this.#stopped) return;
        this.#segments.shift();
        release(next);
      }
    } catch (error) {
      this.#againUs = environment.monotonicUs() + RETRY_MS * 1000;
      if (this.#stopped) return;
      this.failure = error;
      onError();
    } finally {
      this.#running = false;
    }
  }
}
