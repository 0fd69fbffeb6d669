/**
 * races: what becomes of a lock between two steps of somebody who takes it, or asks who has it: the proof in the head of
 * directory-lock, case by case.
 */
import { promises } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it, vi } from 'vitest';
import { DirectoryLock } from '../../dist/src/lock/directory-lock.js';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';

const LOCKED = { code: 'RINGWAL_LOCKED' };

/** Has `meanwhile` happen right before the next call of `name` is made, once. */
function beforeNext(name: 'link' | 'readdir', meanwhile: () => Promise<unknown>): void {
  const real = promises[name] as (...args: unknown[]) => Promise<never>;
  const spy = vi.spyOn(promises, name).mockImplementation(async (...args: unknown[]) => {
    spy.mockRestore();
    syncBuiltinESMExports();
    await meanwhile();
    return real(...args);
  });
  syncBuiltinESMExports();
}

/** A place for locks, and how `name` takes the one of it. */
function place(): { directory: string; acquire: () => Promise<DirectoryLock> } {
  const directory = tempDir();
  return { directory, acquire: () => DirectoryLock.acquire(directory, directory) };
}

it('who finds at the last step that another was faster does not have it (K2)', async () => {
  const { directory, acquire } = place();
  let faster: DirectoryLock | undefined;
  beforeNext('link', async () => {
    faster = await acquire();
  });
  await expect(acquire()).rejects.toMatchObject(LOCKED);
  const owner = must(faster);
  expect(await owner.isInPlace()).toBe(true);
  await expect(acquire()).rejects.toMatchObject(LOCKED);
  await owner.release();
  const next = await acquire();
  expect((await promises.readdir(directory)).sort()).toEqual(['lock-2.sock']);
  await next.release();
});

it('who finds the number free only because it was given back has lost to the higher one (K3)', async () => {
  const { acquire } = place();
  let last: DirectoryLock | undefined;
  beforeNext('link', async () => {
    await (await acquire()).release(); // lock-1
    last = await acquire(); // lock-2; it removes lock-1, which is then free
  });
  await expect(acquire()).rejects.toMatchObject(LOCKED);
  const owner = must(last);
  expect(await owner.isInPlace()).toBe(true);
  await expect(acquire()).rejects.toMatchObject(LOCKED);
  await owner.release();
  await (await acquire()).release();
});

it('is held for who asks while it goes from one to another', async () => {
  const { directory, acquire } = place();
  await (await acquire()).release();
  let next: DirectoryLock | undefined;
  // The second look: the first one has found lock-1, where nobody listens any more.
  beforeNext('readdir', async () => {
    beforeNext('readdir', async () => {
      next = await acquire();
    });
  });
  expect(await DirectoryLock.isHeld(directory, directory)).toBe(true);
  await must(next).release();
  expect(await DirectoryLock.isHeld(directory, directory)).toBe(false);
});

it('is held by an owner who is too busy to take another connection', async () => {
  const { directory, acquire } = place();
  const busy = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
    require('node:net').createServer().listen({ path: workerData, backlog: 1 }, () => {
      parentPort.postMessage('listens');
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    });`,
    { eval: true, workerData: join(directory, 'lock-1.sock') },
  );
  await new Promise((resolve) => busy.once('message', resolve));
  const waiting = [];
  for (let i = 0; i < 8; i++) {
    const socket = connect(join(directory, 'lock-1.sock')).on('error', () => {});
    waiting.push(socket);
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  }
  await expect(acquire()).rejects.toMatchObject(LOCKED);
  expect(await DirectoryLock.isHeld(directory, directory)).toBe(true);
  for (const socket of waiting) socket.destroy();
  await busy.terminate();
  await (await acquire()).release();
});

it('counts as in place when that can not be told: a healthy log is not ended for it', async () => {
  const { acquire } = place();
  const lock = await acquire();
  const lstat = vi
    .spyOn(promises, 'lstat')
    .mockRejectedValueOnce(Object.assign(new Error('EIO'), { code: 'EIO' }));
  syncBuiltinESMExports();
  try {
    expect(await lock.isInPlace()).toBe(true);
    expect(lstat).toHaveBeenCalledOnce();
  } finally {
    lstat.mockRestore();
    syncBuiltinESMExports();
  }
  await lock.release();
});
