/**
 * publish-schedule: when what was put into the ring is handed to the I/O worker: at the end of the current run of
 * microtasks, or, when that would follow the last time closely, at the end of this turn of the event loop and of those that
 * follow, until one brings nothing; and sooner when enough bytes wait to keep a sync busy.
 *
 * Who is alone is on its way at once. In a server under load each request is a run of microtasks of its own, and a turn
 * has hundreds of them: to wake the worker for each, and be woken by each of its small groups, cost a web service with
 * 256 connections a fifth of its requests (docs/PERFORMANCE.md). What is put in quick succession then goes together.
 */
import { sharedUs } from '../ring/clock.js';
import { setImmediate } from './timers.js';

/**
 * Unpublished bytes at which the I/O worker is set going before the turn of the event loop ends. Measured at
 * 128 bytes and 10 000 in flight: 2.7 M records/s against 1.8 M when published only per turn; at 100 in
 * flight a smaller value costs a quarter, because one group becomes two.
 */
export const EARLY_PUBLISH_BYTES = 32 * 1024;

/** Below what most disks take to sync: an append alone in flight follows the one before it less closely, and goes at once. */
const CLOSE_US = 50;

export class PublishSchedule {
  readonly #publish: () => void;
  readonly #nowUs: () => number;
  #hasPut = false;
  /** Whether `#endOfMicrotasks` or `#endOfTurn` will be called. */
  #isScheduled = false;
  #lastUs = 0;

  /** `nowUs`: a clock that counts modulo 2^32. */
  constructor(publish: () => void, nowUs = sharedUs) {
    this.#publish = publish;
    this.#nowUs = nowUs;
  }

  /** Whether something was put that will be published without anybody's doing. */
  get isDue(): boolean {
    return this.#hasPut;
  }

  /** Something was put. */
  put(): void {
    if (!this.#isScheduled) {
      queueMicrotask(this.#endOfMicrotasks);
      this.#isScheduled = true; // behind the call, which may throw at the end of the stack, and nothing would come then
    }
    this.#hasPut = true;
  }

  readonly #endOfMicrotasks = (): void => {
    const nowUs = this.#nowUs();
    if ((nowUs - this.#lastUs) >>> 0 < CLOSE_US) {
      setImmediate(this.#endOfTurn);
      return;
    }
    this.#lastUs = nowUs;
    this.#isScheduled = false;
    this.#hasPut = false;
    this.#publish();
  };

  /** Publishes at the end of each turn, until one has brought nothing. */
  readonly #endOfTurn = (): void => {
    this.#isScheduled = this.#hasPut;
    if (!this.#hasPut) return;
    this.#lastUs = this.#nowUs();
    this.#hasPut = false;
    setImmediate(this.#endOfTurn);
    this.#publish();
  };
}
