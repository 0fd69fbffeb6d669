/**
 * nap: how the worker waits right behind a group, when its callers are about to come back: awake as long as that pays,
 * then asleep, blocking.
 *
 * Who sleeps has to be woken. In a virtual machine that was 15 us of the appending thread's time, which has to leave the
 * machine for it, and 15 to 25 until the CPU that had halted meanwhile runs the worker; who is awake has the work within 1.
 * Callers that wait for their records are back 20 to 80 us behind each completion. Where nobody comes that soon, or where
 * the worker keeps them from the only CPU, being awake is in vain, and is tried more rarely (ring/backoff).
 */
import { Backoff } from '../ring/backoff.js';
import { parkBlocking } from '../ring/doorbell.js';

/** How long the worker waits awake, at most. */
const AWAKE_US = 100;
/**
 * How long it sleeps blocking before it sleeps in its event loop. Longer than a tick of the kernel, which are
 * 4 ms in most: an earlier timer has to be set in hardware and taken back, in a virtual machine by leaving it, and that
 * was 8 us of each append alone in flight (of 113, with 1 ms instead of 5).
 */
const BLOCKING_MS = 5;

export class Nap {
  readonly #words: Int32Array;
  readonly #doorbell: number;
  readonly #nowUs: () => number;
  readonly #awake = new Backoff();

  /** For the owner of the doorbell `words[doorbell]`; `nowUs` is a monotonic clock. */
  constructor(words: Int32Array, doorbell: number, nowUs: () => number) {
    this.#words = words;
    this.#doorbell = doorbell;
    this.#nowUs = nowUs;
  }

  /**
   * Returns when `hasWork()` is true, or when BLOCKING_MS are over. Nobody need wake who is awake: what `hasWork` looks
   * for is stored before anybody rings, and the last look is the one behind parking, as in any sleep (R4).
   */
  take(hasWork: () => boolean): void {
    if (hasWork()) return; // nothing was waited for, and nothing is learnt
    if (this.#awake.isDue()) {
      if (this.#isSeenAwake(hasWork)) {
        this.#awake.paid();
        return;
      }
      this.#awake.wasInVain();
    }
    parkBlocking(this.#words, this.#doorbell, BLOCKING_MS, hasWork);
  }

  #isSeenAwake(hasWork: () => boolean): boolean {
    const sinceUs = this.#nowUs();
    while (this.#nowUs() - sinceUs < AWAKE_US) if (hasWork()) return true;
    return false;
  }
}
