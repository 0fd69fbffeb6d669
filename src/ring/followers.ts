/**
 * followers: how any number of threads wait for the watermark or the state of the log to move, and how little that
 * costs the I/O worker: one load a group while nobody waits.
 *
 * Two words. NEWS counts what was told; followers sleep on it. FOLLOWED is 1 if somebody may sleep.
 *
 *   follower:  F1 read NEWS    F2 FOLLOWED = 1   F3 look at the log     F4 wait while NEWS is what F1 read
 *   teller:    N1 move the log   N2 load FOLLOWED; if 1:   N3 FOLLOWED = 0   N4 add to NEWS   N5 notify all
 *
 * All of these are Atomics operations and so have one total order. No news is lost: take N1 and a follower that has
 * not seen it at F3, so F3 comes before N1, and with it F2 before N2.
 *   - If N2 reads 1, N4 comes after F1: F4 finds another NEWS and does not wait, or waits already and N5 wakes it.
 *   - If N2 reads 0, a teller (this one, for something earlier, or another) did N3 between F2 and N2. Its N4 comes
 *     after F1, so the follower does not sleep, or is woken; and looks again, after its next F2. Should that come
 *     before this N2, the same holds for it; else its F3 comes after N1.
 *
 * A doorbell (doorbell.ts) would not do: its word goes back to AWAKE with whoever wakes first. And a count of waiters
 * would stay too high for ever when a thread is terminated while it waits; a flag costs one notify then.
 */
const FOLLOWED = 34; // on the line of the worker's doorbell, which its owner reads all the time
const NEWS = 35;

/**
 * Wakes all followers. Called after what they look at was stored (N1). `always`: even if nobody seems to sleep; the I/O
 * worker may have died between N3 and N4, and then who tells of its death must not believe the word.
 */
export function tellNews(words: Int32Array, always = false): void {
  if (Atomics.load(words, FOLLOWED) === 0 && !always) return;
  Atomics.store(words, FOLLOWED, 0);
  Atomics.add(words, NEWS, 1);
  Atomics.notify(words, NEWS);
}

/**
 * Waits for news, without blocking; returns undefined when `isOver()` is true once the wait is announced (F3). The
 * promise may resolve without news, and keeps no process alive.
 */
export function awaitNews(words: Int32Array, isOver: () => boolean): Promise<void> | undefined {
  const told = Atomics.load(words, NEWS);
  Atomics.store(words, FOLLOWED, 1);
  if (isOver()) return undefined;
  const wait = Atomics.waitAsync(words, NEWS, told);
  return wait.async ? wait.value.then(() => {}) : Promise.resolve();
}
