/** step-clock: an environment whose time passes when the test says so, and whose wall clock may be set to anything. */
import type { Environment } from '../../dist/src/environment.js';
import { Prng } from './prng.js';

export class StepClock {
  #us = 1_000_000;
  #wallUs = 1_700_000_000_000_000;
  #sleepers: { readonly untilUs: number; readonly wake: () => void }[] = [];

  /** Time passes; the wall clock is set by `wallUs` more than that, or back. */
  advance(us: number, wallUs = 0): void {
    this.#us += us;
    this.#wallUs = Math.max(0, this.#wallUs + us + wallUs);
    const due = this.#sleepers.filter(({ untilUs }) => untilUs <= this.#us);
    this.#sleepers = this.#sleepers.filter(({ untilUs }) => untilUs > this.#us);
    for (const { wake } of due) wake();
  }

  /** For one process: who sleeps in an earlier one is not woken any more. */
  environment(seed: number): Environment {
    const prng = new Prng(seed);
    this.#sleepers = [];
    return {
      wallUs: () => this.#wallUs++,
      monotonicUs: () => this.#us++,
      randomBytes: (bytes) => Uint8Array.from({ length: bytes }, () => prng.next() >>> 24),
      pause: (ms) =>
        new Promise((wake) => {
          this.#sleepers.push({ untilUs: this.#us + ms * 1000, wake });
        }),
    };
  }
}
