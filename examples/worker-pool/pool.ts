/** pool: a piscina pool whose threads append to one log. */
import { once } from 'node:events';
import type { MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { LogAppender } from 'ringwal';
import type { HandleRequest } from './appender.js';

export type AppenderPool = Piscina<readonly string[], number[]>;

/**
 * `onError` hears of what no task can be told: a thread that failed between tasks, and, harmless, the answer of a task
 * that was on its way when the pool was destroyed (piscina 5.3). A pool that nobody listens to ends the process then.
 */
export async function appenderPool(
  log: LogAppender,
  threads: number,
  onError: (error: Error) => void,
): Promise<AppenderPool> {
  const pool: AppenderPool = new Piscina({
    filename: new URL('./appender.js', import.meta.url).href,
    ...{ minThreads: threads, maxThreads: threads, idleTimeout: Number.POSITIVE_INFINITY },
    // The default puts a thread without a task to sleep in Atomics.wait, where its event loop stands still: an append that
    // a task did not await is written, but its promise does not resolve before another task wakes the thread.
    atomics: 'disabled',
    concurrentTasksPerWorker: 4, // while one task waits for the disk, the thread works on others
  });
  pool.on('error', onError);
  pool.on('message', (message: HandleRequest) => giveHandle(log, message.handleWanted));
  await allReady(pool);
  return pool;
}

/**
 * Some versions of Node 20 crash when a thread is ended while it loads its modules, as `pool.destroy()` would do early. The
 * first message of a thread is that it has; of those that a pool begins with, 'workerCreate' tells before that.
 */
async function allReady(pool: AppenderPool): Promise<void> {
  await Promise.all(pool.threads.map((thread) => once(thread, 'message')));
}

function giveHandle(log: LogAppender, port: MessagePort): void {
  const handle = log.handle();
  port.postMessage(handle, [handle]);
  port.close();
}
