/**
 * hard-links: a backup made of second names (`cp -al`, `rsync --link-dest`) shares its files with the log. Nothing that
 * the log does later changes them: no file with a second name is written again or cut to size.
 */
import { linkSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Log, type LogOptions, openLog, openReader } from '../../dist/src/index.js';
import { EngineHarness, payloadOf } from '../support/engine-harness.js';
import { must } from '../support/must.js';
import { SimStorage } from '../support/sim-storage.js';
import { fingerprint, segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, recycle: true };

/** A second name for every file of a log that is closed, elsewhere. */
function backUp(directory: string): string {
  const backup = tempDir();
  for (const name of readdirSync(directory)) {
    if (!name.endsWith('.sock')) linkSync(join(directory, name), join(backup, name));
  }
  return backup;
}

async function fill(log: Log, segments: number): Promise<void> {
  for (let i = 0; i < segments * 6; i++) await log.append(new Uint8Array(8000).fill(i));
}

async function lsnsIn(directory: string): Promise<number[]> {
  const reader = await openReader(directory);
  const records = await reader.readAll();
  await reader.close();
  return records.map(({ lsn }) => lsn);
}

// Class 57.
it('a backup of a closed log made of hard links stays as it is while the log goes on, and can be opened', async () => {
  const directory = tempDir();
  const first = await openLog(directory, SMALL);
  await fill(first, 4);
  const { durableLsn } = first;
  await first.close();
  const backup = backUp(directory);
  const before = fingerprint(backup);
  expect(before.length).toBeGreaterThan(4);

  const again = await openLog(directory, SMALL);
  await fill(again, 1);
  await again.truncateBefore(again.durableLsn + 1); // all that was backed up is free to be used again
  await fill(again, 6);
  await again.close();

  expect(fingerprint(backup)).toEqual(before);
  expect(await lsnsIn(backup)).toEqual(Array.from({ length: durableLsn }, (_, i) => i + 1));
  const restored = await openLog(backup, { ...SMALL, mustInclude: durableLsn });
  expect(await restored.append('goes on')).toBe(durableLsn + 1);
  await restored.close();
});

it('the newest segment of such a backup is not appended to: opening goes on in a file of its own', async () => {
  const directory = tempDir();
  const first = await openLog(directory, SMALL);
  await first.append('one');
  await first.close();
  const backup = backUp(directory);
  const before = fingerprint(backup);
  const again = await openLog(directory, SMALL);
  expect(await again.append('two')).toBe(2);
  await again.close();
  expect(fingerprint(backup)).toEqual(before);
  expect(await lsnsIn(directory)).toEqual([1, 2]);
  expect(await lsnsIn(backup)).toEqual([1]);
});

it('a segment that gets a second name while it is written keeps its size when it is sealed, and on closing', async () => {
  const directory = tempDir();
  const backup = tempDir();
  const log = await openLog(directory, SMALL);
  const linked: string[] = [];
  const linkNewest = (): void => {
    // The spare, which has a higher number, may be there or not: all of them get one.
    for (const name of segmentsIn(directory)) {
      if (linked.includes(name)) continue;
      linkSync(join(directory, name), join(backup, name));
      linked.push(name);
    }
  };
  await log.append('one');
  linkNewest();
  await log.rotate(); // early: the rest of the file would go back to the file system
  await log.append('two');
  linkNewest();
  await log.close();
  expect(linked.length).toBeGreaterThan(1);
  for (const name of linked) expect(statSync(join(backup, name)).size, name).toBe(65_536);
  expect(await lsnsIn(directory)).toEqual([1, 2]);
});

it('truncation lets go of the files that have a second name, and uses those again that have none', async () => {
  const recycled = async (isLinked: boolean): Promise<number> => {
    const storage = new SimStorage();
    const log = await EngineHarness.open(storage);
    const rotated = async (times: number): Promise<void> => {
      for (let lsn = 1; log.engine.stats().rotations < times; lsn++) await log.append(payloadOf(lsn, 3000));
    };
    await rotated(2);
    const closed = log.engine.view().segments.filter(({ isClosed }) => isClosed);
    const kept = (): Buffer[] => {
      const { files } = storage.liveImage();
      return closed.map(({ name }) => Buffer.from(must(files.get(isLinked ? `kept-${name}` : name)).bytes()));
    };
    if (isLinked) for (const { name } of closed) await storage.link(name, `kept-${name}`);
    const before = kept();
    await log.truncateBefore(log.state.durableLsn + 1);
    await rotated(6);
    const { maintenanceErrors, segmentsRecycled } = log.engine.stats();
    if (isLinked) expect(kept()).toEqual(before);
    await log.close();
    expect([maintenanceErrors, storage.openFiles, storage.violations]).toEqual([0, [], []]);
    expect([...storage.directory.live.keys()].filter((name) => name.endsWith('.new'))).toEqual([]);
    return segmentsRecycled;
  };
  expect(await recycled(false)).toBeGreaterThan(0);
  expect(await recycled(true)).toBe(0);
});
