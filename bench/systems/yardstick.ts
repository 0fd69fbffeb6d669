/** yardstick: group commit as anybody would write it on the main thread; no frames, no checksums, no recovery. */
import { closeSync, fdatasync, openSync, write } from 'node:fs';
import { join } from 'node:path';
import type { System, SystemKind } from '../harness/system.js';

export const yardstick: SystemKind = {
  name: 'yardstick',
  what: 'Buffer.concat, fs.write and fs.fdatasync of what came during the last sync; no frames, no checksums, no recovery',
  role: 'yardstick',
  open: async (directory) => openYardstick(join(directory, 'yardstick')),
};

function openYardstick(path: string): System {
  const fd = openSync(path, 'w');
  let waiting: { payload: Uint8Array; resolve: () => void }[] = [];
  let isBusy = false;
  let at = 0;
  let groups = 0;
  let records = 0;

  // The yardstick itself.
  const commit = (): void => {
    isBusy = true;
    const group = waiting;
    waiting = [];
    const bytes = Buffer.concat(group.map(({ payload }) => payload));
    const done = (error: Error | null): void => {
      if (error) throw error;
      at += bytes.length;
      groups++;
      records += group.length;
      for (const { resolve } of group) resolve();
      isBusy = false;
      if (waiting.length > 0) commit();
    };
    write(fd, bytes, 0, bytes.length, at, (error) => (error ? done(error) : fdatasync(fd, done)));
  };
  const commitSoon = (): void => {
    if (!isBusy && waiting.length > 0) commit();
  };

  return {
    append(payload) {
      return new Promise<void>((resolve) => {
        waiting.push({ payload, resolve });
        if (!isBusy && waiting.length === 1) queueMicrotask(commitSoon);
      });
    },
    groups: async () => ({ groups, records }),
    close: async () => closeSync(fd),
  };
}
