/** opening: a log directory is opened, or refused with the system's word for why, on odd systems too. */
import { spawnSync } from 'node:child_process';
import fs, { mkdirSync, readlinkSync, realpathSync, rmdirSync, statSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { NodeStorage } from '../../dist/src/storage/node-storage.js';
import { tempDir } from '../support/temp-dir.js';

const onLinux = it.runIf(process.platform === 'linux');

// Node's recursive mkdir tries for ever where the system says ENOENT of a name whose parent is there: as /proc, the
// directory of an automounter, and one that was removed do.
onLinux('a directory in a place that takes none is refused, at once', async () => {
  await expect(openLog('/proc/ringwal/log')).rejects.toMatchObject({
    code: 'RINGWAL_IO',
    cause: { code: 'ENOENT' },
  });
  const removed = join(tempDir(), 'removed');
  mkdirSync(removed);
  const held = await NodeStorage.open(removed, { create: false });
  rmdirSync(removed);
  const inside = join(held.reach, 'a', 'b');
  await expect(NodeStorage.open(inside, { create: true })).rejects.toMatchObject({ code: 'ENOENT' });
  await held.close();
});

it('directories that are missing on the path are made for their owner alone, by any number at once', async () => {
  const parent = tempDir();
  const path = join(parent, 'é', '漢', 'wal');
  const opened = await Promise.all(Array.from({ length: 8 }, () => NodeStorage.open(path, { create: true })));
  for (const made of [join(parent, 'é'), join(parent, 'é', '漢'), path])
    expect(statSync(made).mode & 0o777).toBe(0o700);
  await Promise.all(opened.map((storage) => storage.close()));
});

onLinux(
  'each directory that is made has its entry in its parent made durable before the next is',
  async () => {
    const parent = realpathSync(tempDir());
    const synced: string[] = [];
    const { fsync } = fs;
    vi.spyOn(fs, 'fsync').mockImplementation((fd, done) => {
      synced.push(readlinkSync(`/proc/self/fd/${fd}`));
      fsync(fd, done);
    });
    syncBuiltinESMExports();
    const path = join(parent, 'a', 'b');
    const storage = await NodeStorage.open(path, { create: true });
    expect(synced.splice(0)).toEqual([parent, join(parent, 'a')]);
    // One that is there was perhaps made by somebody who died before that.
    const again = await NodeStorage.open(path, { create: true });
    expect(synced.splice(0)).toEqual([join(parent, 'a')]);
    const readOnly = await NodeStorage.open(path, { create: false });
    expect(synced).toEqual([]);
    vi.restoreAllMocks();
    syncBuiltinESMExports();
    await Promise.all([storage.close(), again.close(), readOnly.close()]);
  },
);

// Opening was refused: all else had a way without /proc, but not the lock.
it('a log opens, and keeps others out, where /proc is not mounted', async (context) => {
  const withoutProc = (command: string): string[] => [
    '--mount',
    'sh',
    '-c',
    `mount -t tmpfs none /proc && ${command}`,
  ];
  const probe = spawnSync('unshare', withoutProc('true'), { stdio: 'ignore' });
  if (probe.status !== 0) {
    console.log('not run: not allowed to unshare');
    return context.skip('not allowed to unshare');
  }
  const directory = tempDir();
  const program = `
    import { openLog, openReader } from ${JSON.stringify(pathToFileURL(join(process.cwd(), 'dist/src/index.js')).href)};
    const log = await openLog(process.argv[1], { segmentBytes: 65536, ringBytes: 16384 });
    const told = [await log.append('x')];
    await openLog(process.argv[1]).catch(({ code }) => told.push(code));
    const reader = await openReader(process.argv[1]);
    told.push(reader.isLive);
    await log.close();
    await reader.refresh();
    told.push(reader.isLive);
    await reader.close();
    console.log(JSON.stringify(told));
  `;
  const run = spawnSync(
    'unshare',
    [...withoutProc('exec "$0" --input-type=module -e "$1" "$2"'), process.execPath, program, directory],
    { encoding: 'utf8' },
  );
  expect(run.stderr).toBe('');
  expect(JSON.parse(run.stdout)).toEqual([1, 'RINGWAL_LOCKED', true, false]);
});
