/** naive: what one writes first: each record appended to a file and synced for itself. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { SystemKind } from '../harness/system.js';

export const naive: SystemKind = {
  name: 'append + datasync',
  what: 'FileHandle.appendFile, then FileHandle.datasync, for each record',
  role: 'peer',
  // Each record has a sync of its own: with more in flight only the queue of the thread pool grows.
  mostInFlight: 1000,
  async open(directory) {
    // O_APPEND: writes that are in flight together don't overlap.
    const file = await open(join(directory, 'naive'), 'a');
    return {
      async append(payload) {
        await file.appendFile(payload);
        await file.datasync();
      },
      close: () => file.close(),
    };
  },
};
