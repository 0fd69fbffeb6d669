/**
 * sim-storage.test: the simulated storage keeps what a real one must keep, loses what a real one may lose,
 * and objects to what a log must not do.
 */
import { describe, expect, it } from 'vitest';
import type { Storage } from '../../dist/src/storage/storage.js';
import { crashStates } from '../support/crash-states.js';
import {
  anyOf,
  crashAt,
  failAt,
  failFrom,
  SimCrash,
  SimViolation,
  shortWriteAt,
} from '../support/sim-fault.js';
import { SimStorage } from '../support/sim-storage.js';
import { contentOf, filled, publish, sizesOf, text } from './sim-helpers.js';

describe('as a storage', () => {
  it('reads back what was written, with zeros in holes, and no more than there is', async () => {
    const storage = new SimStorage();
    const file = await storage.create('a');
    await file.write(filled(700, 7), 1000);
    expect(await file.size()).toBe(1700);
    const into = new Uint8Array(800).fill(9);
    expect(await file.read(into, 950)).toBe(750);
    expect(into.subarray(0, 50)).toEqual(filled(50, 0));
    expect(into.subarray(50, 750)).toEqual(filled(700, 7));
    expect(into.subarray(750)).toEqual(filled(50, 9));
    expect(await file.read(into, 1700)).toBe(0);
  });

  it('puts the views of a group one behind the other, and keeps them when their memory changes', async () => {
    const storage = new SimStorage();
    const file = await storage.create('a');
    const shared = new Uint8Array(new SharedArrayBuffer(64)).fill(1);
    file.writeGroup([shared.subarray(0, 40), filled(3, 2), shared.subarray(40)], 510, true);
    shared.fill(8);
    const into = new Uint8Array(new SharedArrayBuffer(67));
    expect(await file.read(into, 510)).toBe(67);
    expect([...into]).toEqual([...filled(40, 1), ...filled(3, 2), ...filled(24, 1)]);
  });

  it('reads zeros where a truncation cut off and a later one grew again', async () => {
    const storage = new SimStorage();
    const file = await storage.create('a');
    await file.write(filled(2000, 5), 0);
    await file.truncate(600);
    await file.truncate(2000);
    const into = new Uint8Array(2000);
    await file.read(into, 0);
    expect(into).toEqual(Uint8Array.from([...filled(600, 5), ...filled(1400, 0)]));
  });

  it('throws the errno errors of node:fs', async () => {
    const storage = new SimStorage();
    await storage.create('a');
    await expect(storage.create('a')).rejects.toMatchObject({ code: 'EEXIST', errno: -17 });
    await expect(storage.open('b', 'read')).rejects.toMatchObject({ code: 'ENOENT', errno: -2 });
    await expect(storage.unlink('b')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(storage.link('b', 'c')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(storage.link('a', 'a')).rejects.toMatchObject({ code: 'EEXIST' });
    expect(storage.violations).toEqual([]);
  });

  it('keeps a file that has lost one of its names, with its content (M6)', async () => {
    const storage = new SimStorage();
    const file = await storage.create('a');
    await file.write(text('old frames'), 0);
    await storage.link('a', 'b');
    await storage.unlink('a');
    expect(await storage.list()).toEqual(['b']);
    expect(contentOf(storage.liveImage(), 'b')).toBe('old frames');
    await file.write(text('new'), 0);
    expect(contentOf(storage.liveImage(), 'b')).toBe('new frames');
  });
});

describe('after a crash', () => {
  it('a file without any sync may be gone, and so may its content alone, or its size', async () => {
    const storage = new SimStorage();
    const file = await storage.create('a');
    await file.write(text('hello'), 0);
    const contents = [...crashStates(storage)].map(({ image }) => contentOf(image, 'a'));
    expect(new Set(contents)).toEqual(new Set([undefined, '', '\0\0\0\0\0', 'hello']));
  });

  it('syncing the file keeps the content but not the name (M4)', async () => {
    const storage = new SimStorage();
    const file = await storage.create('a');
    await file.write(text('hello'), 0);
    await file.sync();
    const contents = [...crashStates(storage)].map(({ image }) => contentOf(image, 'a'));
    expect(new Set(contents)).toEqual(new Set([undefined, 'hello']));
  });

  it('syncing file and directory keeps everything (M5)', async () => {
    const storage = new SimStorage();
    const file = await storage.create('a');
    file.writeGroup([text('hello')], 0, true);
    file.syncGroup();
    await storage.syncDirectory();
    const states = [...crashStates(storage)];
    expect(states.map(({ image }) => contentOf(image, 'a'))).toEqual(['hello']);
    expect(states[0]?.hash).toBe(storage.liveImage().hash);
  });

  it('link and unlink survive independently until the directory is synced (M3)', async () => {
    const { storage } = await publish('a', 'x');
    await storage.link('a', 'b');
    await storage.unlink('a');
    const names = () => [...crashStates(storage)].map(({ image }) => [...image.files.keys()].sort().join());
    expect(names().sort()).toEqual(['', 'a', 'a,b', 'b']);
    await storage.syncDirectory();
    expect(names()).toEqual(['b']);
  });

  it('a hard link stays one file under two names', async () => {
    const { storage } = await publish('a', 'x');
    await storage.link('a', 'b');
    await storage.syncDirectory();
    const after = SimStorage.boot(storage.durableImage());
    const file = await after.open('a', 'write');
    await file.write(text('y'), 0);
    expect(contentOf(after.liveImage(), 'b')).toBe('y');
    expect(contentOf(storage.durableImage(), 'b')).toBe('x');
  });

  it('a failed sync leaves the old bytes on the disk, also after a later one succeeded (M7)', async () => {
    const plan = failAt(6, 'EIO');
    const { storage, file } = await publish('a', 'old', { plan });
    await file.write(text('new'), 0); // the fifth operation, the sync is the sixth
    await expect(file.sync()).rejects.toMatchObject({ code: 'EIO' });
    await file.sync();
    expect(contentOf(storage.liveImage(), 'a')).toBe('new');
    expect([...crashStates(storage)].map(({ image }) => contentOf(image, 'a'))).toEqual(['old']);
  });

  it('a failed sync may have written some of the bytes, and a later one adds none', async () => {
    const { storage, file } = await publish('a', 'old', { plan: failAt(6, 'EIO'), failedSync: 'partial' });
    await file.write(filled(1024, 0x61), 0);
    await expect(file.sync()).rejects.toThrow('EIO');
    await file.sync();
    expect([...crashStates(storage)]).toHaveLength(4); // two sectors, each old or new; the size is durable
    await file.write(filled(512, 0x62), 0);
    await file.sync();
    expect([...crashStates(storage)]).toHaveLength(2);
  });

  it('a failed sync may take the cache back to the old bytes', async () => {
    const { storage, file } = await publish('a', 'old', { plan: failAt(6, 'EIO'), failedSync: 'revert' });
    await file.write(text('new'), 0);
    expect(() => file.syncGroup()).toThrow('EIO');
    expect(contentOf(storage.liveImage(), 'a')).toBe('old');
  });

  it('what a killed process wrote is there for the next one, and can still be lost', async () => {
    const { storage, file } = await publish('a', 'old');
    await file.write(text('new'), 0);
    const next = storage.fork();
    storage.crash();
    const reader = await next.open('a', 'read');
    const into = new Uint8Array(3);
    await reader.read(into, 0);
    expect(into).toEqual(text('new'));
    expect([...crashStates(next)].map(({ image }) => contentOf(image, 'a'))).toEqual(['old', 'new']);
    const writer = await next.open('a', 'write');
    await writer.sync();
    expect([...crashStates(next)].map(({ image }) => contentOf(image, 'a'))).toEqual(['new']);
    expect(contentOf(storage.durableImage(), 'a')).toBe('old'); // nothing is shared
  });

  it('a name whose directory sync failed is not saved by a later sync', async () => {
    const storage = new SimStorage({ plan: failAt(3, 'EIO') });
    const file = await storage.create('a');
    await file.sync();
    await expect(storage.syncDirectory()).rejects.toThrow('EIO');
    await storage.syncDirectory();
    expect([...crashStates(storage)].map(({ image }) => image.files.size)).toEqual([0]);
  });
});

describe('the fault plan', () => {
  it('stops the machine dead: the operation does nothing, and nothing works afterwards', async () => {
    const { storage, file } = await publish('a', 'old', { plan: crashAt(5) });
    expect(() => file.writeGroup([text('new')], 0, true)).toThrow(SimCrash);
    expect(storage.isCrashed).toBe(true);
    expect(contentOf(storage.liveImage(), 'a')).toBe('old');
    await expect(file.size()).rejects.toThrow(SimCrash);
    await expect(file.close()).rejects.toThrow(SimCrash);
    await expect(storage.list()).rejects.toThrow(SimCrash);
    expect(() => file.syncGroup()).toThrow(SimCrash);
    expect(storage.operations).toHaveLength(5);
  });

  it('fails once, or from some operation on', async () => {
    const once = await publish('a', 'x', { plan: failAt(5, 'ENOSPC') });
    await expect(once.file.write(text('y'), 0)).rejects.toMatchObject({ code: 'ENOSPC' });
    await once.file.write(text('y'), 0);
    const sticky = await publish('a', 'x', { plan: failFrom(5, 'EROFS') });
    await expect(sticky.file.write(text('y'), 0)).rejects.toMatchObject({ code: 'EROFS' });
    await expect(sticky.storage.create('b')).rejects.toMatchObject({ code: 'EROFS' });
    expect(await sticky.storage.list()).toEqual(['a']);
    const full = await publish('a', 'x', { plan: failFrom(5, 'ENOSPC', ['write', 'create']) });
    await expect(full.file.write(text('y'), 0)).rejects.toThrow('ENOSPC');
    await full.file.sync();
    await expect(full.storage.create('b')).rejects.toThrow('ENOSPC');
  });

  it('cuts a write short: a part is in the cache, and the error comes (M8)', async () => {
    const { storage, file } = await publish('a', 'old', { plan: shortWriteAt(5, 2, 'ENOSPC') });
    expect(() => file.writeGroup([text('n'), text('ew')], 0, true)).toThrow('ENOSPC');
    expect(contentOf(storage.liveImage(), 'a')).toBe('ned');
  });

  it('reports the failure of what took effect all the same', async () => {
    const plan = () => ({ code: 'EIO', isApplied: true });
    const storage = new SimStorage({ plan });
    await expect(storage.create('a')).rejects.toThrow('EIO');
    await expect(storage.syncDirectory()).rejects.toThrow('EIO');
    expect([...storage.durableImage().files.keys()]).toEqual(['a']);
    expect(storage.openFiles).toEqual([]);
  });

  it('sees every operation with its number, and leaves a readable log', async () => {
    const seen: string[] = [];
    const { storage, file } = await publish('a', 'x', {
      plan: anyOf((operation) => void seen.push(`${operation.index} ${operation.kind}`), failAt(5, 'EIO')),
    });
    await expect(file.read(new Uint8Array(8), 16)).rejects.toThrow('EIO');
    expect(seen).toEqual(['1 create', '2 write', '3 sync', '4 syncDirectory', '5 read']);
    expect(storage.log(2)).toBe('#4 syncDirectory\n#5 read a at 16 8 B -> EIO');
  });
});

describe('objects to', () => {
  const objections: [name: string, act: (storage: Storage) => Promise<unknown>][] = [
    [
      'a closed file',
      async (storage) => {
        const file = await storage.create('a');
        await file.close();
        await file.sync();
      },
    ],
    [
      'closing twice',
      async (storage) => {
        const file = await storage.create('a');
        await file.close();
        await file.close();
      },
    ],
    [
      'a closed storage',
      async (storage) => {
        await storage.close();
        await storage.list();
      },
    ],
    [
      'writing to a file opened for reading',
      async (storage) => {
        await storage.create('a');
        const file = await storage.open('a', 'read');
        await file.write(text('x'), 0);
      },
    ],
    ['a name that leads out', (storage) => storage.create('../a')],
    [
      'a new name that leads out',
      async (storage) => {
        await storage.create('a');
        await storage.link('a', 'b/c');
      },
    ],
    ['an empty name', (storage) => storage.open('', 'read')],
    [
      'a position that is none',
      async (storage) => {
        const file = await storage.create('a');
        await file.write(text('x'), -1);
      },
    ],
  ];
  it.each(objections)('%s', async (_, act) => {
    const storage = new SimStorage();
    await expect(act(storage)).rejects.toThrow(SimViolation);
    expect(storage.violations).toHaveLength(1);
  });

  it('overwriting synced groups of a published file, until its log names are durably gone', async () => {
    const storage = new SimStorage();
    const file = await storage.create('1.wal');
    await file.truncate(8192);
    await storage.syncDirectory();
    file.writeGroup([filled(600, 1)], 4096, true);
    file.writeGroup([filled(600, 2)], 4096, true); // not synced yet: no promise was made
    file.syncGroup();
    file.writeGroup([filled(600, 3)], 4696, true);
    expect(() => file.writeGroup([filled(1, 4)], 4695, true)).toThrow(
      'may be, 1.wal, which is synced up to 4696',
    );
    await expect(file.write(filled(16, 4), 0)).rejects.toThrow(SimViolation);
    await expect(file.truncate(4000)).rejects.toThrow(SimViolation);
    await storage.link('1.wal', 'spare.new');
    await storage.unlink('1.wal');
    await expect(file.write(filled(16, 4), 0)).rejects.toThrow(SimViolation); // the unlink may be lost
    await storage.syncDirectory();
    await file.write(filled(16, 4), 0);
    await storage.link('spare.new', '2.wal');
    file.writeGroup([filled(600, 5)], 4096, true); // where the old file's groups were
    expect(storage.violations).toHaveLength(4);
  });

  it('writing at all to published files that were there at the start', async () => {
    const { storage } = await publish('1.wal', 'x');
    for (const next of [SimStorage.boot(storage.durableImage()), storage.fork()]) {
      const file = await next.open('1.wal', 'write');
      await expect(file.write(text('y'), 5000)).rejects.toThrow('is from before the start');
      await expect(file.truncate(5000)).rejects.toThrow(SimViolation);
    }
    const lax = storage.fork({ checksOldFiles: false });
    await (await lax.open('1.wal', 'write')).write(text('y'), 5000);
    expect(sizesOf(lax.liveImage())).toEqual({ '1.wal': 5001 });
  });
});
