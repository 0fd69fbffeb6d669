/**
 * doorbell: one shared word by which a thread that found nothing to do sleeps, and is woken, without loss.
 *
 * The word is AWAKE or PARKED. Only its owner stores PARKED; whoever brings work, or the owner itself, turns
 * it back to AWAKE. There is no counter: the word's value *is* the state that `Atomics.wait` compares.
 *
 * No wake-up is lost. The owner:  P1 store PARKED   P2 look for work    P3 wait while the word is PARKED
 *                    The waker:   W1 publish work   W2 load the word    W3 if PARKED: swap to AWAKE, notify
 * P1, P2, W1 and W2 are Atomics operations and so have one total order that agrees with each thread's own.
 * If W2 comes after P1, the waker sees PARKED and wakes: either the swap comes before P3, whose wait then
 * returns at once because the word differs, or the owner is already waiting and the notify reaches it. If W2
 * comes before P1, then W1 comes before P2, and the owner sees the work and does not wait.
 *
 * A spurious wake is harmless (the owner looks again); a wake while AWAKE costs one load and no syscall:
 * V8's notify takes a process-wide lock, so the waker calls it only for a sleeper, and only one waker does.
 */

const AWAKE = 0;
const PARKED = 1;

/** Wakes the owner if it is parked. Called after the work was made visible (W1). Returns whether it slept. */
export function wake(words: Int32Array, index: number): boolean {
  if (Atomics.load(words, index) !== PARKED) return false;
  if (Atomics.compareExchange(words, index, PARKED, AWAKE) !== PARKED) return false;
  Atomics.notify(words, index);
  return true;
}

/**
 * Sleeps, blocking this thread, until woken or `timeoutMs` are over; returns at once when `hasWork()` is true
 * after the word was set (P2).
 */
export function parkBlocking(
  words: Int32Array,
  index: number,
  timeoutMs: number,
  hasWork: () => boolean,
): void {
  Atomics.store(words, index, PARKED);
  if (!hasWork()) Atomics.wait(words, index, PARKED, timeoutMs);
  Atomics.store(words, index, AWAKE);
}

/**
 * The same without blocking: the event loop goes on meanwhile. Returns undefined when there was work at once,
 * else a promise that resolves when woken or after `timeoutMs`. The promise keeps no process alive.
 */
export function parkAsync(
  words: Int32Array,
  index: number,
  timeoutMs: number | undefined,
  hasWork: () => boolean,
): Promise<void> | undefined {
  Atomics.store(words, index, PARKED);
  if (hasWork()) {
    Atomics.store(words, index, AWAKE);
    return undefined;
  }
  const wait = Atomics.waitAsync(words, index, PARKED, timeoutMs);
  const awake = (): void => {
    Atomics.store(words, index, AWAKE);
  };
  if (wait.async) return wait.value.then(awake);
  awake();
  return undefined;
}
