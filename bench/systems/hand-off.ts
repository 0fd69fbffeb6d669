/**
 * hand-off: the floor with a second thread: the caller's thread hands a record over in shared memory, another thread
 * writes and syncs it as the floor does, and hands the answer back. No queue, no frames, no checksums. What lies
 * between it and the floor is the price of not blocking the caller's thread: two wake-ups. One in flight only.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { System } from '../system.js';

/** Words of the shared memory. */
export const ASKED = 0;
export const ANSWERED = 1;

export interface HandOffTask {
  readonly words: Int32Array;
  readonly path: string;
  readonly groupBytes: number;
}

export async function openHandOff(path: string, groupBytes: number): Promise<System> {
  const words = new Int32Array(new SharedArrayBuffer(256));
  const task: HandOffTask = { words, path, groupBytes };
  const worker = new Worker(new URL('./hand-off-worker.js', import.meta.url), { workerData: task });
  await once(worker, 'message');
  let asked = 0;
  return {
    name: 'hand-off',
    async append() {
      const before = asked++;
      Atomics.store(words, ASKED, asked);
      Atomics.notify(words, ASKED);
      const wait = Atomics.waitAsync(words, ANSWERED, before);
      if (wait.async) await wait.value;
    },
    groups: async () => ({ groups: asked, records: asked }),
    async close() {
      Atomics.store(words, ASKED, -1);
      Atomics.notify(words, ASKED);
      await once(worker, 'exit');
    },
  };
}
