/** group-writes: groups of any number of pieces, at places that the caller names, all of it or an error. */
import fs, { closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { type LogOptions, openLog } from '../../dist/src/index.js';
import { resolveOptions } from '../../dist/src/options.js';
import { AlignedMemory, BufferedWrites, DirectWrites } from '../../dist/src/storage/group-writes.js';
import { NodeStorage } from '../../dist/src/storage/node-storage.js';
import { groupFlags, groupWrites, requireSyncMode } from '../../dist/src/storage/sync-mode.js';
import { Prng, testSeed } from '../support/prng.js';
import { segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };
let writev: MockInstance<typeof fs.writevSync>;
beforeEach(() => {
  writev = vi.spyOn(fs, 'writevSync');
  syncBuiltinESMExports();
});
describe.each(['fdatasync', 'direct'] as const)('a group written by mode "%s"', (mode) => {
  function open(): { path: string; fd: number; cached: number } | undefined {
    const directory = tempDir();
    try {
      requireSyncMode(mode, directory);
    } catch {
      console.log(`not run: this file system has no ${mode} writes`);
      return undefined;
    }
    writev.mockClear();
    const path = join(directory, 'file');
    const cached = openSync(path, 'w+');
    const fd = openSync(path, fs.constants.O_RDWR | (groupFlags(mode) ?? 0));
    return { path, fd, cached };
  }

  // Class 24. IOV_MAX is 1024 on Linux, and libuv cuts longer lists by itself, in several calls.
  it('of thousands of pieces is stored whole, in order and in place, at most 1024 of them in one call', () => {
    const file = open();
    if (file === undefined) return;
    const prng = new Prng(testSeed(1));
    const writes = groupWrites(mode, file.fd, file.cached, new AlignedMemory());
    const expected: Uint8Array[] = [new Uint8Array(4096)];
    let at = 4096;
    for (const count of [1, 1023, 1024, 1025, 5000]) {
      const views = Array.from({ length: count }, () => prng.bytes(prng.between(1, 40)));
      writes.write(views, at, true);
      writes.sync();
      at += views.reduce((sum, view) => sum + view.length, 0);
      expected.push(...views);
    }
    const whole = Buffer.concat(expected);
    expect(readFileSync(file.path).subarray(0, whole.length).equals(whole)).toBe(true);
    expect(Math.max(...writev.mock.calls.map(([, views]) => views.length))).toBeLessThanOrEqual(1024);
    for (const fd of [file.fd, file.cached]) closeSync(fd);
  });

  // Class 42: sonic-boom went on for ever, with all of a CPU.
  it('of which the kernel takes nothing, or less than all, is an error and not tried again', () => {
    const file = open();
    if (file === undefined) return;
    const writes = groupWrites(mode, file.fd, file.cached, new AlignedMemory());
    for (const stored of [0, 1, 4095]) {
      writev.mockClear();
      writev.mockReturnValueOnce(stored);
      expect(() => writes.write([new Uint8Array(4096)], 4096, true)).toThrow(
        expect.objectContaining({ code: 'EIO', message: expect.stringContaining(`stored ${stored} of`) }),
      );
      expect(writev).toHaveBeenCalledTimes(1);
    }
    for (const fd of [file.fd, file.cached]) closeSync(fd);
  });
});

// A full disk takes a part of a write, and libuv drops the errno of the rest: operators were sent to look for a broken disk.
it.skipIf(process.platform !== 'linux')(
  'a write of which a part is stored says ENOSPC when the file system has no room for the rest',
  async () => {
    const statfs = vi.spyOn(fs, 'statfsSync');
    syncBuiltinESMExports();
    const log = await NodeStorage.open(tempDir(), { create: false });
    const file = await log.create('file');
    for (const [bavail, code] of [
      [0, 'ENOSPC'],
      [1, 'EIO'],
    ] as const) {
      statfs.mockReturnValueOnce({ ...fs.statfsSync('/'), bsize: 4096, bavail });
      writev.mockReturnValueOnce(4096);
      expect(() => file.writeGroup([new Uint8Array(8192)], 4096, true)).toThrow(
        expect.objectContaining({ code, message: expect.stringContaining('stored 4096 of 8192') }),
      );
    }
    await file.close();
    await log.close();
  },
);

describe('direct writes', () => {
  it('leave what was written through the cache before them to the next sync, and ask for none without that', () => {
    const path = join(tempDir(), 'file');
    writeFileSync(path, new Uint8Array(16_384));
    const fd = openSync(path, 'r+');
    let syncs = 0;
    const cached = new BufferedWrites(fd, () => syncs++);
    const writes = new DirectWrites(fd, cached, new AlignedMemory());
    const syncsOf = (...willSync: boolean[]): number => {
      syncs = 0;
      for (const [i, will] of willSync.entries()) writes.write([new Uint8Array(100)], i * 4096, will);
      writes.sync();
      return syncs;
    };
    expect(syncsOf(true)).toBe(0);
    expect(syncsOf(false)).toBe(1);
    expect(syncsOf(false, true)).toBe(1);
    expect(syncsOf(true, false, true, true)).toBe(1);
    expect(syncsOf(true, true)).toBe(0);
    closeSync(fd);
  });

  it('fill the rest of their last block with zeros, and not with what was written before', () => {
    const path = join(tempDir(), 'file');
    writeFileSync(path, new Uint8Array(16_384));
    const fd = openSync(path, 'r+');
    const writes = new DirectWrites(fd, new BufferedWrites(fd, () => {}), new AlignedMemory());
    writes.write([new Uint8Array(4096).fill(1)], 0, true);
    writes.write([new Uint8Array(100).fill(2)], 4096, true);
    const expected = new Uint8Array(8192);
    expected.fill(1, 0, 4096).fill(2, 4096, 4196);
    expect(readFileSync(path).subarray(0, 8192).equals(expected)).toBe(true);
    closeSync(fd);
  });
});

// Class 42.
it('a write outside of the commit path of which nothing is stored is an error too', async () => {
  const storage = await NodeStorage.open(tempDir(), { create: false });
  const write = vi.spyOn(fs, 'write').mockImplementationOnce((...args: unknown[]) => {
    (args.at(-1) as (error: null, bytes: number) => void)(null, 0);
  });
  syncBuiltinESMExports();
  const file = await storage.create('file');
  await expect(file.write(new Uint8Array(512), 0)).rejects.toMatchObject({ code: 'EIO' });
  expect(write).toHaveBeenCalledTimes(1);
  await file.close();
  await storage.close();
});

// Class 24. Linux writes at most 0x7ffff000 bytes in one call.
it('no group, with all that is written beside it, comes near the 2 GiB of one call, whatever the options', () => {
  const GiB = 2 ** 30;
  const largest = { ringBytes: GiB, segmentBytes: GiB };
  const { maxGroupBytes } = resolveOptions({ ...largest, maxGroupBytes: GiB / 2 });
  expect(maxGroupBytes + 65_536).toBeLessThan(0x7fff_f000);
  for (const wrong of [
    { ...largest, maxGroupBytes: GiB / 2 + 1 },
    { ...largest, ringBytes: GiB + 4096 },
    { ...largest, segmentBytes: GiB + 4096 },
    { maxGroupBytes: 4095 },
  ])
    expect(() => resolveOptions(wrong)).toThrow(
      expect.objectContaining({ code: 'RINGWAL_INVALID_ARGUMENT' }),
    );
});

// Class 30: a cached offset, or O_APPEND, disagrees with the file after the first write that failed.
describe('segments', () => {
  /** Offsets and flags of this process's descriptors of segment files. */
  function descriptors(directory: string): { position: number; isAppending: boolean }[] {
    return fs.readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const path = fs.readlinkSync(`/proc/self/fd/${fd}`);
        if (!path.startsWith(`${directory}/`)) return []; // under the name that the file was made with
        const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
        const flags = Number.parseInt(/^flags:\s*([0-7]+)/m.exec(info)?.[1] ?? '', 8);
        const position = Number(/^pos:\s*(\d+)/m.exec(info)?.[1]);
        return [{ position, isAppending: (flags & fs.constants.O_APPEND) !== 0 }];
      } catch {
        return []; // closed since it was listed
      }
    });
  }

  it.each([
    'direct',
    'dsync',
    'fdatasync',
  ] as const)('are written at places that are named, not where a descriptor stands (%s)', async (mode) => {
    if (process.platform !== 'linux') return console.log('not run: /proc tells offsets on Linux only');
    const directory = fs.realpathSync(tempDir());
    try {
      requireSyncMode(mode, directory);
    } catch {
      return console.log(`not run: this file system has no ${mode} writes`);
    }
    const log = await openLog(directory, { ...SMALL, syncMode: mode });
    for (let i = 0; i < 30; i++) await log.append(new Uint8Array(5000));
    const found = descriptors(directory);
    expect(found.length).toBeGreaterThan(0);
    for (const one of found) expect(one).toEqual({ position: 0, isAppending: false });
    await log.close();
  });

  it('keep the size that they were laid out with when a write fails, in part or as a whole', async () => {
    for (const fault of ['short=4', 'write=4&code=ENOSPC', 'sync=4&code=EIO']) {
      const directory = tempDir();
      process.env.RINGWAL_TEST_FAULT = fault;
      const workerUrl = new URL('../fixtures/failing-worker.mjs', import.meta.url);
      const log = await openLog(directory, { ...SMALL, syncMode: 'fdatasync', workerUrl });
      const results = [];
      for (let i = 0; i < 6; i++)
        results.push(await log.append(new Uint8Array(3000)).catch(() => 'rejected'));
      expect(results.at(-1)).toBe('rejected');
      for (const name of segmentsIn(directory)) expect(statSync(join(directory, name)).size).toBe(65_536);
      await log.close();
      for (const name of segmentsIn(directory)) expect(statSync(join(directory, name)).size).toBe(65_536);
    }
  });
});
