/**
 * coalesce: what users put in front of a store that takes many records as cheaply as one: appends are collected, and
 * stored together. Each peer has it that has no group commit of its own in the caller's thread.
 */
import type { System } from '../harness/system.js';

type Appends = Required<Pick<System, 'append' | 'groups'>>;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One group is stored at a time; meanwhile the next one collects. */
export function oneInFlight(store: (group: Uint8Array[]) => Promise<unknown>): Appends {
  let isBusy = false;
  const collector = new Collector(() => queueMicrotask(run));
  const run = (): void => {
    if (isBusy || collector.isEmpty) return;
    isBusy = true;
    const { payloads, waiters } = collector.take();
    store(payloads)
      .then(
        () => {
          for (const { resolve } of waiters) resolve();
        },
        (error) => {
          for (const { reject } of waiters) reject(error);
        },
      )
      .then(() => {
        // Behind the callers that have just been told: what they append at once belongs to this group.
        isBusy = false;
        run();
      });
  };
  return collector;
}

/** What was appended in one turn of the event loop is stored at its end, by a call that blocks. */
export function perTurn(store: (group: Uint8Array[]) => void): Appends {
  const collector = new Collector(() => setImmediate(run));
  const run = (): void => {
    const { payloads, waiters } = collector.take();
    try {
      store(payloads);
      for (const { resolve } of waiters) resolve();
    } catch (error) {
      for (const { reject } of waiters) reject(error);
    }
  };
  return collector;
}

class Collector implements Appends {
  #payloads: Uint8Array[] = [];
  #waiters: Waiter[] = [];
  #groups = 0;
  #records = 0;
  readonly #first: () => void;
  readonly #executor = (resolve: () => void, reject: (error: unknown) => void): void => {
    this.#waiters.push({ resolve, reject });
  };

  /** `first` is called when a group has got its first record. */
  constructor(first: () => void) {
    this.#first = first;
  }

  readonly append = (payload: Uint8Array): Promise<void> => {
    if (this.#payloads.push(payload) === 1) this.#first();
    return new Promise<void>(this.#executor);
  };

  readonly groups = async (): Promise<{ groups: number; records: number }> => ({
    groups: this.#groups,
    records: this.#records,
  });

  get isEmpty(): boolean {
    return this.#payloads.length === 0;
  }

  take(): { payloads: Uint8Array[]; waiters: Waiter[] } {
    const taken = { payloads: this.#payloads, waiters: this.#waiters };
    this.#groups++;
    this.#records += taken.payloads.length;
    this.#payloads = [];
    this.#waiters = [];
    return taken;
  }
}
