/** durable-waits: the callers of one thread that wait for an LSN to become durable. */
import { InvalidArgumentError, shown } from '../errors.js';
import { CLOSED, type LogState } from '../ring/log-state.js';
import { AbortWatch } from './abort-watch.js';
import { setImmediate } from './timers.js';

interface Wait {
  readonly lsn: number;
  readonly resolve: (durableLsn: number) => void;
  readonly reject: (error: unknown) => void;
}

export class DurableWaits {
  readonly #state: LogState;
  readonly #waits = new Set<Wait>();
  readonly #aborts = new AbortWatch<Wait>((waits, reason) => {
    for (const { reject } of waits) reject(reason);
  });
  /** No wait is for less than this. */
  #least = Number.POSITIVE_INFINITY;
  #isListening = false;
  #failure: Error | undefined;

  constructor(state: LogState) {
    this.#state = state;
  }

  /** Resolves with the last durable LSN once that is `lsn` or more; rejects when it can't be any more. */
  async wait(lsn: number, signal?: AbortSignal): Promise<number> {
    if (!Number.isSafeInteger(lsn) || lsn < 0)
      throw new InvalidArgumentError(`The LSN to wait for must be an integer from 0, not ${shown(lsn)}.`);
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw new InvalidArgumentError('Option "signal" must be an AbortSignal.');
    signal?.throwIfAborted();
    const { durableLsn } = this.#state;
    if (durableLsn >= lsn) return durableLsn;
    if (this.#failure) throw this.#failure;
    let wait: Wait | undefined;
    try {
      return await new Promise<number>((resolve, reject) => {
        wait = { lsn, resolve, reject };
        this.#waits.add(wait);
        if (signal) this.#aborts.add(signal, wait);
        this.#least = Math.min(this.#least, lsn);
        this.#listen();
      });
    } finally {
      if (wait) this.#waits.delete(wait);
      if (wait && signal) this.#aborts.delete(signal, wait);
    }
  }

  /** Takes note that the state of the log changed. */
  readonly stateChanged = (): void => this.#settle();

  /** Rejects all waits, and those to come unless they are for an LSN that is durable. */
  fail(error: Error): void {
    this.#settle();
    this.#failure ??= error;
    for (const { reject } of this.#waits) reject(error);
  }

  readonly #isOver = (): boolean => this.#state.durableLsn >= this.#least || this.#state.state >= CLOSED;

  #listen(): void {
    if (this.#isListening || this.#waits.size === 0) return;
    const news = this.#state.awaitNews(this.#isOver);
    this.#isListening = true;
    const settle = (): void => {
      this.#isListening = false;
      this.#settle();
    };
    // Not a microtask: a fast disk would then keep the event loop from ever turning.
    if (news === undefined) setImmediate(settle);
    else news.then(settle);
  }

  #settle(): void {
    if (this.#isOver()) {
      // The state first: what became durable before it changed is then seen.
      const refusal = this.#state.state >= CLOSED ? this.#state.refusal() : undefined;
      const { durableLsn } = this.#state;
      this.#least = Number.POSITIVE_INFINITY;
      for (const wait of this.#waits) {
        if (wait.lsn <= durableLsn) wait.resolve(durableLsn);
        else if (refusal) wait.reject(refusal);
        else {
          this.#least = Math.min(this.#least, wait.lsn);
          continue;
        }
        this.#waits.delete(wait);
      }
    }
    this.#listen();
  }
}
