/**
 * completion-watch: how a thread hears of its completions: it has its event loop look for them in each turn (busy polling),
 * as long as that finds some in `busyPollUs`; else it parks, and is woken through its event loop.
 */
import { Backoff } from '../ring/backoff.js';
import { CLOSED, type LogState } from '../ring/log-state.js';
import type { RingProducer } from '../ring/producer.js';
import { setImmediate } from './timers.js';

/** Bound at once: with a clock that fake timers have stopped a poll would never end. */
const nowMs = performance.now.bind(performance);

export class CompletionWatch {
  readonly #ring: RingProducer;
  readonly #state: LogState;
  readonly #busyPollUs: number;
  readonly #onNews: () => void;
  readonly #nowUs: () => number;
  readonly #polling = new Backoff();
  #pollsSinceUs = 0;
  /** Whether `#onNews` will be called, or the thread is parked until there is a reason. */
  #isListening = false;
  #isOver = false;

  /** `onNews` is called when there are completions, or the log has ended. `nowUs` is a monotonic clock. */
  constructor(
    ring: RingProducer,
    state: LogState,
    busyPollUs: number,
    onNews: () => void,
    nowUs = () => nowMs() * 1000,
  ) {
    this.#ring = ring;
    this.#state = state;
    this.#busyPollUs = busyPollUs;
    this.#onNews = onNews;
    this.#nowUs = nowUs;
  }

  /** Sees to it that `onNews` is called once there is a reason. By at most one wait at a time. */
  listen(): void {
    if (this.#isListening) return;
    if (this.#busyPollUs > 0 && this.#polling.isDue()) {
      this.#pollsSinceUs = this.#nowUs();
      setImmediate(this.#look);
    } else {
      this.#park();
    }
    this.#isListening = true; // behind the calls, any of which may throw at the end of the stack
  }

  /** Ends the polling, if it polls. One that is parked ends with the doorbell. */
  stop(): void {
    this.#isOver = true;
  }

  readonly #hasNews = (): boolean => this.#ring.hasCompletions() || this.#state.state >= CLOSED;

  /** Looks once a turn of the event loop, which nothing waits for then: sockets and timers have their turn as ever. */
  readonly #look = (): void => {
    if (this.#isOver) return;
    if (this.#hasNews()) {
      this.#polling.paid();
      this.#tell();
    } else if (this.#nowUs() - this.#pollsSinceUs < this.#busyPollUs) {
      setImmediate(this.#look);
    } else {
      this.#polling.wasInVain();
      this.#park();
    }
  };

  #park(): void {
    const woken = this.#ring.park(undefined, this.#hasNews);
    // Not a microtask: a fast disk would then keep the event loop from ever turning.
    if (woken === undefined) setImmediate(this.#tell);
    else woken.then(this.#tell);
  }

  readonly #tell = (): void => {
    this.#isListening = false;
    this.#onNews();
  };
}
