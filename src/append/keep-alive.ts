/**
 * keep-alive: keeps the process running while something is pending, and looks after it once a second.
 *
 * Neither `Atomics.waitAsync` nor an unref'd worker holds the event loop: without this, a process whose last
 * act is `await log.append()` would end before the answer. The timer that holds it also is the net under the
 * wake-up protocol: a producer whose worker vanished finds out within a second.
 */
import { clearInterval, setInterval } from './timers.js';

export class KeepAlive {
  readonly #timer: NodeJS.Timeout;
  #holds = 0;

  constructor(everySecond: () => void) {
    this.#timer = setInterval(everySecond, 1000).unref();
  }

  hold(): void {
    if (this.#holds === 0) this.#timer.ref();
    this.#holds++; // behind the call, which may throw at the end of the stack
  }

  release(): void {
    if (--this.#holds === 0) this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
