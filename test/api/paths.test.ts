/** paths: which directories a caller can name, and what a relative one is relative to. */
import { mkdirSync, readdirSync, realpathSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  listCursors,
  listSegments,
  liveStats,
  openLog,
  openReader,
  salvage,
  verifyLog,
} from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const calls: [string, (path: string) => Promise<unknown>][] = [
  ['openLog', (path) => openLog(path)],
  ['openReader', (path) => openReader(path)],
  ['verifyLog', (path) => verifyLog(path)],
  ['listSegments', (path) => listSegments(path)],
  ['listCursors', (path) => listCursors(path)],
  ['liveStats', (path) => liveStats(path)],
  ['salvage from', (path) => salvage(path, tempDir())],
  ['salvage to', (path) => salvage(tempDir(), path)],
];

/** Goes to a new directory until the test is over. */
function inTempDir(): string {
  const before = process.cwd();
  const directory = realpathSync(tempDir());
  process.chdir(directory);
  onTestFinished(() => process.chdir(before));
  return directory;
}

describe.each(calls)('%s', (_, call) => {
  // Half a surrogate pair: making the directory, openLog looked for its parent that it had made, for ever.
  it('refuses what is no path with RINGWAL_INVALID_ARGUMENT, and makes nothing', async () => {
    const directory = tempDir();
    const wrong: unknown[] = ['', 'a\0b', '\ud800', '\udc00\ud800', 1, null, undefined, [directory]];
    for (const path of wrong) {
      const given = typeof path === 'string' && path !== '' ? join(directory, path) : path;
      await expect(call(given as string)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  // The system's error came as it was.
  it('rejects with RINGWAL_IO for a relative path when the working directory was removed', async () => {
    const gone = join(inTempDir(), 'gone');
    mkdirSync(gone);
    process.chdir(gone);
    rmdirSync(gone);
    await expect(call('wal')).rejects.toMatchObject({ code: 'RINGWAL_IO', cause: { code: 'ENOENT' } });
  });
});

// The I/O worker resolved it, some time later.
it('a relative path is relative to the working directory at the time of the call', async () => {
  const directory = inTempDir();
  mkdirSync('a');
  mkdirSync('b');
  process.chdir('a');
  const opening = openLog('wal', { segmentBytes: 65_536, ringBytes: 16_384 });
  process.chdir('../b');
  const log = await opening;
  expect(log.directory).toBe(join(directory, 'a', 'wal'));
  await log.append('a');
  await log.close();
  process.chdir('../a');
  const saving = salvage('wal', 'saved');
  process.chdir('../b');
  expect(await saving).toMatchObject({ savedRecords: 1 });
  expect([readdirSync('.'), readdirSync('../a').sort()]).toEqual([[], ['saved', 'wal']]);
});

it('a path outside the basic plane of Unicode is one like any other', async () => {
  const directory = join(tempDir(), '𝄞');
  const log = await openLog(directory, { segmentBytes: 65_536, ringBytes: 16_384 });
  expect(log.directory).toBe(directory);
  await log.close();
});
