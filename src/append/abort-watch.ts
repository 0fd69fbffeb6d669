/**
 * abort-watch: those who wait, by the AbortSignal that ends their wait: one listener a signal, however many they are.
 *
 * A service has one signal for all that it has under way. With a listener each, adding one looks at all that are there,
 * so that n of them take n * n steps, and Node warns of a memory leak from the eleventh on.
 */
interface Watched<T> {
  readonly waiting: Set<T>;
  readonly listener: () => void;
}

export class AbortWatch<T> {
  readonly #watched = new Map<AbortSignal, Watched<T>>();
  readonly #onAbort: (waiting: readonly T[], reason: unknown) => void;

  /** `onAbort` is told of all that were waiting when a signal is aborted. */
  constructor(onAbort: (waiting: readonly T[], reason: unknown) => void) {
    this.#onAbort = onAbort;
  }

  add(signal: AbortSignal, waiting: T): void {
    let watched = this.#watched.get(signal);
    if (watched === undefined) {
      watched = { waiting: new Set(), listener: () => this.#aborted(signal) };
      this.#watched.set(signal, watched);
      signal.addEventListener('abort', watched.listener);
    }
    watched.waiting.add(waiting);
  }

  delete(signal: AbortSignal, waiting: T): void {
    const watched = this.#watched.get(signal);
    if (!watched?.waiting.delete(waiting) || watched.waiting.size > 0) return;
    signal.removeEventListener('abort', watched.listener);
    this.#watched.delete(signal);
  }

  #aborted(signal: AbortSignal): void {
    this.#onAbort([...(this.#watched.get(signal)?.waiting ?? [])], signal.reason);
  }
}
