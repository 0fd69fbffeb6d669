/** blocking: a system that makes a record durable before its call returns: nothing else runs on the thread meanwhile. */
import type { System } from '../harness/system.js';

/** After so many appends the event loop turns: otherwise no timer would ever end the measurement. */
const TURN_EVERY = 32;
const DONE = Promise.resolve();

export function blocking(write: (payload: Uint8Array) => void, close: () => void): System {
  let records = 0;
  return {
    append(payload) {
      write(payload);
      return ++records % TURN_EVERY === 0 ? new Promise((resolve) => setImmediate(resolve)) : DONE;
    },
    groups: async () => ({ groups: records, records }),
    close: async () => close(),
  };
}
