/** aborted: ends the wait for what can't be called off. */

/** What `work` gives; rejects with the signal's reason when that is aborted first, and nobody waits for `work` then. */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {}); // or what becomes of it when nobody waits would end the process
  signal.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop); // or a long-lived signal would collect them
  }
}
