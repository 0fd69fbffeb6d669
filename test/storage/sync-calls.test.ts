/** sync-calls: what each sync mode asks of the kernel: the flags of the file it writes, the call that syncs it. */
import fs, { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { AlignedMemory } from '../../dist/src/storage/group-writes.js';
import { groupWrites, requireSyncMode, type SyncMode } from '../../dist/src/storage/sync-mode.js';
import { tempDir } from '../support/temp-dir.js';

const { O_DIRECT, O_DSYNC } = fs.constants;
const MODES: readonly [SyncMode, number][] = [
  ['direct', O_DIRECT | O_DSYNC],
  ['dsync', O_DSYNC],
  ['fdatasync', 0],
  ['fsync', 0],
  ['none', 0],
];

/** The flags with which this process has `directory`'s segments open, those two that matter here. */
function openFlags(directory: string): number[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      if (!readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)) return [];
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
      return [Number.parseInt(flags, 8) & (O_DIRECT | O_DSYNC)];
    } catch {
      return []; // closed since it was listed
    }
  });
}

describe.each(MODES)('sync mode "%s"', (syncMode, flags) => {
  it('has its segment open with the flags that it is named for', async () => {
    if (process.platform !== 'linux') return console.log('not run: /proc tells flags on Linux only');
    const directory = fs.realpathSync(tempDir());
    try {
      requireSyncMode(syncMode, directory);
    } catch {
      return console.log(`not run: this file system has no ${syncMode} writes`);
    }
    const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 32_768, syncMode });
    await log.append('x');
    const found = openFlags(directory);
    expect(found).toContain(flags);
    if (flags === 0) expect(Math.max(...found)).toBe(0);
    await log.close();
  });
});

describe('cached writes', () => {
  it.each([
    ['fdatasync', { fdatasyncSync: 1, fsyncSync: 0 }],
    ['fsync', { fdatasyncSync: 0, fsyncSync: 1 }],
    ['none', { fdatasyncSync: 0, fsyncSync: 0 }],
  ] as const)('of mode "%s" are synced by that call and no other', (mode, calls) => {
    const fd = openSync(join(tempDir(), 'file'), 'w+');
    const spies = { fdatasyncSync: vi.spyOn(fs, 'fdatasyncSync'), fsyncSync: vi.spyOn(fs, 'fsyncSync') };
    syncBuiltinESMExports(); // so that those who import the functions by name get the spies
    try {
      groupWrites(mode, fd, fd, new AlignedMemory()).sync();
      expect({
        fdatasyncSync: spies.fdatasyncSync.mock.calls.length,
        fsyncSync: spies.fsyncSync.mock.calls.length,
      }).toEqual(calls);
    } finally {
      for (const spy of Object.values(spies)) spy.mockRestore();
      syncBuiltinESMExports();
      closeSync(fd);
    }
  });
});
