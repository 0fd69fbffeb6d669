/** moved-directory: a log stays in the directory that was opened, wherever the path to it leads meanwhile. */
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Log, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL = { segmentBytes: 65_536, ringBytes: 16_384, recycle: false };

async function fill(log: Log, what: string, records: number): Promise<void> {
  await Promise.all(Array.from({ length: records }, () => log.append(what.padEnd(1000))));
}

async function contents(log: Log): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const { payload } of log.read()) {
    const what = Buffer.from(payload).toString().trim();
    found.set(what, (found.get(what) ?? 0) + 1);
  }
  return found;
}

// The writer removed the segments of the other log, whose acknowledged records were gone without an error.
it.skipIf(process.platform !== 'linux')(
  'a directory that is renamed takes its log along, and another one in its place has its own',
  async () => {
    const parent = tempDir();
    const path = join(parent, 'wal');
    const moved = join(parent, 'wal.old');
    const log = await openLog(path, SMALL);
    await fill(log, 'first', 200);
    renameSync(path, moved);
    const other = await openLog(path, SMALL);
    await fill(other, 'other', 200);
    await fill(log, 'more', 200);
    await log.truncateBefore(201);
    await fill(other, 'other', 100);
    expect(await contents(other)).toEqual(new Map([['other', 300]]));
    expect(await contents(log)).toEqual(new Map([['more', 200]]));
    const tail = log.tail({ from: 201 });
    expect((await tail.next()).value).toMatchObject({ lsn: 201 });
    await tail.return?.();
    await Promise.all([log.close(), other.close()]);
    const [again, otherAgain] = [await openLog(moved, SMALL), await openLog(path, SMALL)];
    expect(await contents(again)).toEqual(new Map([['more', 200]]));
    expect(await contents(otherAgain)).toEqual(new Map([['other', 300]]));
    await Promise.all([again.close(), otherAgain.close()]);
  },
);

// Half of its segments were in the one place and half in the other, and neither could be opened.
it('a link on the path that is set to another directory while the log is open does not move it', async () => {
  const parent = tempDir();
  const [v1, v2, current] = ['v1', 'v2', 'current'].map((name) => join(parent, name)) as [
    string,
    string,
    string,
  ];
  for (const version of [v1, v2]) mkdirSync(version);
  symlinkSync(v1, current);
  const log = await openLog(join(current, 'wal'), SMALL);
  expect(log.directory).toBe(join(v1, 'wal'));
  await fill(log, 'before', 200);
  rmSync(current);
  symlinkSync(v2, current);
  await fill(log, 'behind', 200);
  expect(await contents(log)).toEqual(
    new Map([
      ['before', 200],
      ['behind', 200],
    ]),
  );
  await log.close();
  expect(readdirSync(v2)).toEqual([]);
  const again = await openLog(join(v1, 'wal'), SMALL);
  expect(again.durableLsn).toBe(400);
  await again.close();
});

it.skipIf(process.platform !== 'linux')(
  'what is in the place of a closed log is not taken for it',
  async () => {
    const path = join(tempDir(), 'wal');
    const log = await openLog(path, SMALL);
    await log.append('first');
    const tail = log.tail();
    renameSync(path, `${path}.old`);
    await log.close();
    const other = await openLog(path, SMALL);
    await other.append('other');
    await expect(tail.next()).rejects.toMatchObject({
      code: 'RINGWAL_IO',
      message: expect.stringContaining('another directory is in its place'),
    });
    await other.close();
  },
);
