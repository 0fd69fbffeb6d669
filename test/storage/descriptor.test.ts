/** descriptor: files are given back, whatever ends: their closing waits for what is under way, a dying thread leaves none. */
import { once } from 'node:events';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { Descriptor } from '../../dist/src/storage/descriptor.js';
import { tempDir } from '../support/temp-dir.js';

const { O_CREAT, O_RDWR } = fs.constants;
const MODULE = pathToFileURL(join(process.cwd(), 'dist/src/storage/descriptor.js')).href;

it('closing waits for what is under way, after which nothing meets a file that got the same number', async () => {
  const directory = tempDir();
  const file = await Descriptor.open(join(directory, 'a'), O_RDWR | O_CREAT, 0o600);
  const order: string[] = [];
  const calls = [
    file.write(new Uint8Array(1_000_000).fill(1), 0).then((bytes) => order.push(`wrote ${bytes}`)),
    file.datasync().then(() => order.push('synced')),
    file.sync().then(() => order.push('synced')),
  ];
  const closed = file.close().then(() => order.push('closed'));
  const other = await Descriptor.open(join(directory, 'b'), O_RDWR | O_CREAT, 0o600);
  await expect(file.write(new Uint8Array(1), 0)).rejects.toThrow('closed before');
  await expect(file.close()).rejects.toThrow('closed before');
  await Promise.all([...calls, closed]);
  expect([...order].sort()).toEqual(['closed', 'synced', 'synced', 'wrote 1000000']);
  expect(order.at(-1)).toBe('closed');
  expect((await other.stat()).size).toBe(0);
  await other.close();
});

it('closing waits for a single call too', async () => {
  const file = await Descriptor.open(join(tempDir(), 'a'), O_RDWR | O_CREAT, 0o600);
  let finish: () => void = () => {};
  const close = vi.spyOn(fs, 'close');
  vi.spyOn(fs, 'fdatasync').mockImplementation((_fd, done) => {
    finish = () => done(null);
  });
  syncBuiltinESMExports();
  const synced = file.datasync();
  const closed = file.close();
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(close).not.toHaveBeenCalled();
  finish();
  await Promise.all([synced, closed]);
  expect(close).toHaveBeenCalledTimes(1);
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

it('reads, writes and cuts where it is told to; what can not be opened rejects with its code', async () => {
  const path = join(tempDir(), 'a');
  await expect(Descriptor.open(path, O_RDWR)).rejects.toMatchObject({ code: 'ENOENT' });
  const file = await Descriptor.open(path, O_RDWR | O_CREAT, 0o600);
  expect((await file.stat()).mode & 0o777).toBe(0o600);
  expect(await file.write(Buffer.from('abcdef'), 2)).toBe(6);
  const into = new Uint8Array(5);
  expect(await file.read(into, 1, 3)).toBe(4);
  expect(Buffer.from(into).toString()).toBe('\0bcde');
  await file.truncate(4);
  expect((await file.stat()).size).toBe(4);
  await file.close();
});

const onLinux = it.runIf(process.platform === 'linux');

/** Those of this process's open files that lie in `directory`. */
function openFilesIn(directory: string): string[] {
  const names = fs.readdirSync('/proc/self/fd').map((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return fd; // the one that reads the list
    }
  });
  return names.filter((name) => name.startsWith(directory));
}

onLinux('a thread that ends while it opens files leaves none open', async () => {
  const directory = tempDir();
  const code = `
    const { workerData } = require('node:worker_threads');
    import(workerData.module).then(({ Descriptor }) => {
      for (let i = 0; i < 4; i++) Descriptor.open(workerData.path + i, workerData.flags, 0o600).catch(() => {});
      process.exit();
    });`;
  for (let i = 0; i < 5; i++) {
    const workerData = { module: MODULE, path: join(directory, `${i}-`), flags: O_RDWR | O_CREAT };
    await once(new Worker(code, { eval: true, workerData }), 'exit');
  }
  expect(openFilesIn(directory)).toEqual([]);
});

onLinux('what is forgotten without being closed is given back as garbage is', async () => {
  const directory = tempDir();
  const kept = await Descriptor.open(join(directory, 'kept'), O_RDWR | O_CREAT, 0o600);
  for (const name of ['a', 'b']) await Descriptor.open(join(directory, name), O_RDWR | O_CREAT, 0o600);
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  await expect
    .poll(() => {
      collectGarbage();
      return openFilesIn(directory);
    })
    .toEqual([join(directory, 'kept')]);
  await kept.close();
  expect(openFilesIn(directory)).toEqual([]);
});
