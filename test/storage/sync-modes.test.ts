/** sync-modes: every way to make a group durable stores the same bytes, and says so when a file system lacks it. */
import fs, {
  closeSync,
  constants as fsConstants,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { readdir } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { AlignedMemory } from '../../dist/src/storage/group-writes.js';
import { NodeStorage } from '../../dist/src/storage/node-storage.js';
import {
  fastest,
  fastestSyncMode,
  groupFlags,
  groupWrites,
  requireSyncMode,
  type SyncMode,
  type Way,
} from '../../dist/src/storage/sync-mode.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const MODES: readonly SyncMode[] = ['direct', 'dsync', 'fdatasync', 'fsync', 'none'];

function lacks(mode: SyncMode): boolean {
  try {
    requireSyncMode(mode, tempDir());
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: 'RINGWAL_IO' });
    console.log(`not run: this file system has no ${mode} writes`);
    return true;
  }
}

describe.each(MODES)('sync mode "%s"', (mode) => {
  it('stores every record, packed and padded, and the log opens again in every other mode', async () => {
    if (lacks(mode)) return;
    const directory = tempDir();
    const expected: string[] = [];
    for (const [i, syncMode] of [mode, 'auto' as const, mode].entries()) {
      const log = await openLog(directory, {
        segmentBytes: 65_536,
        ringBytes: 32_768,
        syncMode,
        padGroups: i === 2,
      });
      if (syncMode !== 'auto') expect((await log.stats()).syncMode).toBe(mode);
      for (let n = 0; n < 120; n++) {
        const text = `${i}/${n} ${'x'.repeat((n * 97) % 1900)}`;
        expected.push(text);
        if (n % 3 === 0) await log.append(text);
        else void log.append(text);
      }
      await log.sync();
      const found: string[] = [];
      for await (const { payload } of log.read()) found.push(Buffer.from(payload).toString());
      expect(found).toEqual(expected);
      await log.close();
    }
    expect((await readdir(directory)).filter((name) => name.includes('probe'))).toEqual([]);
  });
});

describe('direct writes', () => {
  it('put packed groups and the zeros behind them where cached writes would', () => {
    if (lacks('direct')) return;
    const prng = new Prng(testSeed(7));
    const path = join(tempDir(), 'file');
    const { O_CREAT, O_RDWR } = fsConstants;
    const fd = openSync(path, O_RDWR | O_CREAT | (groupFlags('direct') ?? 0));
    const cachedFd = openSync(path, O_RDWR);
    const writes = groupWrites('direct', fd, cachedFd, new AlignedMemory());
    const model = Buffer.alloc(8 * 1024 * 1024, 0);
    let at = 4096;
    while (at < 1_000_000) {
      const views = Array.from({ length: prng.between(1, 4) }, () =>
        new Uint8Array(8 * prng.between(1, prng.below(10) === 0 ? 20_000 : 60)).fill(prng.between(1, 255)),
      );
      const bytes = views.reduce((sum, { length }) => sum + length, 0);
      const zeros = prng.pick([0, 0, 64]);
      const willSync = prng.below(4) > 0; // some go through the cache, as those of `durability: 'os'` do
      writes.write([...views, new Uint8Array(zeros)], at, willSync);
      if (willSync) writes.sync();
      model.set(Buffer.concat(views), at);
      model.fill(0, at + bytes, at + bytes + zeros);
      at += bytes;
      if (prng.below(8) === 0) at = Math.ceil(at / 4096) * 4096;
    }
    writes.sync();
    closeSync(fd);
    closeSync(cachedFd);
    const { size } = statSync(path);
    expect(size % 4096).toBe(0);
    expect(Buffer.compare(readFileSync(path), model.subarray(0, size))).toBe(0);
  });

  it('refuse a place whose block they do not know, instead of overwriting it with zeros', () => {
    const writes = groupWrites('direct', -1, -1, new AlignedMemory());
    expect(() => writes.write([new Uint8Array(8)], 4104, true)).toThrow('follows none');
  });
});

/** The file system says `code` to `call`, after having done what `first` does. */
function failing(
  call: 'openSync' | 'writeSync' | 'fsyncSync',
  code: string,
  first = (_: unknown[]): void => {},
): void {
  vi.spyOn(fs, call).mockImplementation(((...args: unknown[]) => {
    first(args);
    throw Object.assign(new Error('simulated'), { code });
  }) as never);
  syncBuiltinESMExports();
}

it('flags that leave the data in the cache of the disk, as O_DSYNC does on macOS, are not used', () => {
  expect(['direct', 'dsync'].map((mode) => groupFlags(mode as SyncMode, 'darwin'))).toEqual([
    undefined,
    undefined,
  ]);
  expect(['fdatasync', 'fsync', 'none'].map((mode) => groupFlags(mode as SyncMode, 'darwin'))).toEqual([
    0, 0, 0,
  ]);
  expect(groupFlags('dsync', 'linux')).toBe(fsConstants.O_DSYNC);
});

it('a mode that is refused when its file is opened leaves nothing behind', () => {
  const directory = tempDir();
  const { openSync: open } = fs;
  failing('openSync', 'EINVAL', ([path]) => closeSync(open(path as string, 'wx')));
  expect(() => requireSyncMode('direct', directory)).toThrow('Sync mode "direct"');
  expect(readdirSync(directory)).toEqual([]);
});

describe('auto', () => {
  it.each([
    ['writeSync', 'ENOSPC'],
    ['fsyncSync', 'EDQUOT'],
    ['writeSync', 'EFBIG'],
  ] as const)('tries nothing where %s says %s: a log opens on a disk that is nearly full, too', (call, code) => {
    const directory = tempDir();
    failing(call, code);
    expect(fastestSyncMode(directory)).toBe('fdatasync');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('says RINGWAL_IO when the file system refuses what every log needs', () => {
    failing('writeSync', 'EIO');
    expect(() => fastestSyncMode(tempDir())).toThrow(expect.objectContaining({ code: 'RINGWAL_IO' }));
  });

  it('is chosen by trying, and leaves nothing behind', async () => {
    const directory = tempDir();
    const storage = await NodeStorage.open(directory, { create: false });
    storage.chooseSyncMode('auto');
    expect(MODES.slice(0, 4)).toContain(storage.syncMode);
    await storage.close();
    expect(await readdir(directory)).toEqual([]);
  });

  /** A disk whose time passes by its own account alone: on a busy machine the faster of two is not always that. */
  const simulatedDisk = (): ((ms: number) => void) => {
    let nowMs = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    return (ms) => {
      nowMs += ms;
    };
  };
  const way = (mode: SyncMode, syncMs: number, pass: (ms: number) => void, code?: string): Way => ({
    mode,
    writes: {
      write: () => {
        if (code !== undefined) throw Object.assign(new Error('simulated'), { code });
      },
      sync: () => pass(syncMs),
    },
  });

  it('takes the mode that took least, whichever that is', () => {
    const pass = simulatedDisk();
    for (const least of MODES.slice(0, 4))
      expect(fastest(MODES.slice(0, 4).map((mode) => way(mode, mode === least ? 1 : 2, pass)))).toBe(least);
  });

  it('tries small and large groups, and each way in blocks of its own, that none pays for what another did', () => {
    const blocks = new Map<number, number>();
    const sizes = new Set<number>();
    const record = (i: number): Way => ({
      mode: MODES[i] as SyncMode,
      writes: {
        write: ([view], position) => {
          const { length } = view as Uint8Array;
          sizes.add(length);
          for (let at = Math.floor(position / 4096); at * 4096 < position + length; at++) {
            expect(blocks.get(at) ?? i).toBe(i);
            blocks.set(at, i);
          }
        },
        sync: () => {},
      },
    });
    fastest([0, 1, 2, 3].map(record));
    expect([...sizes].sort((a, b) => a - b)).toEqual([512, 128 * 1024]);
    expect(new Set(blocks.values())).toEqual(new Set([0, 1, 2, 3]));
  });

  it('weighs both sizes: a little less for one does not make up for much more for the other', () => {
    const pass = simulatedDisk();
    const bySize = (mode: SyncMode, small: number, large: number): Way => ({
      mode,
      writes: {
        write: ([view]) => pass((view as Uint8Array).length > 4096 ? large : small),
        sync: () => {},
      },
    });
    expect(fastest([bySize('direct', 0.5, 4), bySize('fdatasync', 1, 1)])).toBe('fdatasync');
    expect(fastest([bySize('fdatasync', 1, 1), bySize('direct', 1, 0.2)])).toBe('direct');
  });

  it('leaves out a mode whose writes the file system refuses, and throws what a plain write throws', () => {
    const pass = simulatedDisk();
    expect(fastest([way('direct', 0, pass, 'EINVAL'), way('fdatasync', 1, pass)])).toBe('fdatasync');
    expect(() => fastest([way('direct', 0, pass), way('fdatasync', 0, pass, 'ENOSPC')])).toThrow('simulated');
  });
});
