/**
 * hand-off: the floor with a second thread: the caller's thread hands a record over in shared memory, another thread
 * writes and syncs it as the floor does, and hands the answer back. No queue, no frames, no checksums. What lies
 * between it and the floor is the price of not blocking the caller's thread: two wake-ups. One in flight only.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { SystemKind } from '../harness/system.js';

/** Words of the shared memory: groups asked for (less than 0: end), groups durable, length of a payload. */
export const ASKED = 0;
export const ANSWERED = 1;
export const PAYLOAD_BYTES = 2;

export interface HandOffTask {
  readonly words: Int32Array;
  readonly path: string;
}

export const handOff: SystemKind = {
  name: 'hand-off',
  what: 'the raw floor on a second thread, woken through shared memory: two wake-ups, and nothing else',
  role: 'limit',
  mostInFlight: 1,
  async open(directory) {
    const words = new Int32Array(new SharedArrayBuffer(256));
    const task: HandOffTask = { words, path: join(directory, 'hand-off') };
    const worker = new Worker(new URL('./hand-off-worker.js', import.meta.url), { workerData: task });
    await once(worker, 'message');
    let asked = 0;
    return {
      async append(payload) {
        const before = asked++;
        words[PAYLOAD_BYTES] = payload.length;
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
  },
};
