/**
 * backoff: whether to try again what was in vain: the more rarely the more often it was, and each time as long as it is not.
 */

/** At least each 64th time is tried. */
const MOST_SKIPPED = 63;

export class Backoff {
  /** How many times follow that are not tried. */
  #skip = 0;
  /** How many are to follow the next one in vain. */
  #skipNext = 1;

  /** Asked each time: whether to try. `paid` or `wasInVain` must tell what came of it. */
  isDue(): boolean {
    if (this.#skip === 0) return true;
    this.#skip--;
    return false;
  }

  paid(): void {
    this.#skipNext = Math.ceil(this.#skipNext / 2);
  }

  wasInVain(): void {
    this.#skip = this.#skipNext;
    this.#skipNext = Math.min(2 * this.#skipNext + 1, MOST_SKIPPED);
  }
}
