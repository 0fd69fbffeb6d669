/** freed: the hook that sees every segment before truncation takes its file away. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FreedSegment, type LogOptions, openLog } from '../../dist/src/index.js';
import type { ClosedSegment } from '../../dist/src/segment/closed-segment.js';
import { boot, diskOf, segments, text, texts } from '../recovery/disk.js';
import { EngineHarness, simulatedEnvironment } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';
import { segmentsIn, tempDir } from '../support/temp-dir.js';
import { turn } from '../support/turns.js';

/** Answers, when the test says so, for the segments that it is shown. */
class Archive {
  readonly shown: string[] = [];
  #answers: { resolve: () => void; reject: (error: Error) => void }[] = [];
  us = 0;

  readonly onFreed = ({ firstLsn, lastLsn, name }: ClosedSegment): Promise<void> => {
    this.shown.push(`${name.slice(-6, -4)}: ${firstLsn}-${lastLsn}`);
    return new Promise((resolve, reject) => this.#answers.push({ resolve, reject }));
  };

  async takes(): Promise<void> {
    this.#answers.shift()?.resolve();
    await turn();
  }

  async refuses(): Promise<void> {
    this.#answers.shift()?.reject(new Error('the archive is full'));
    await turn();
  }

  open(storage: SimStorage, seed: number, recycle = false): Promise<EngineHarness> {
    const environment = { ...simulatedEnvironment(seed), monotonicUs: () => this.us };
    return EngineHarness.open(storage, undefined, { recycle }, seed, { environment, onFreed: this.onFreed });
  }
}

/** Four segments with one record each, the last one active. */
async function fourSegments(storage: SimStorage, archive: Archive, recycle = false): Promise<EngineHarness> {
  const log = await archive.open(storage, 1, recycle);
  for (let i = 1; i <= 4; i++) {
    if (i > 1) await log.rotate();
    await log.append(text(`r${i}`));
  }
  return log;
}

describe('a segment that truncation frees', () => {
  it('is shown with its file still there, one at a time, oldest first, and goes once it was taken', async () => {
    const storage = new SimStorage();
    const archive = new Archive();
    const log = await fourSegments(storage, archive);
    const files = segments(diskOf(storage));
    await log.truncateBefore(4);
    expect(archive.shown).toEqual(['01: 1-1']);
    expect(segments(diskOf(storage))).toEqual(files);
    await archive.takes();
    await log.engine.maintenanceIdle();
    expect(archive.shown).toEqual(['01: 1-1', '02: 2-2']);
    expect(segments(diskOf(storage))).toEqual(files.slice(1));
    await archive.takes();
    await archive.takes();
    await log.engine.maintenanceIdle();
    expect(archive.shown).toHaveLength(3);
    expect(segments(diskOf(storage))).toEqual(files.slice(3));
    expect(log.engine.stats()).toMatchObject({ segmentsRemoved: 3, maintenanceErrors: 0 });
  });

  it('is not reused either before it was taken', async () => {
    const storage = new SimStorage();
    const archive = new Archive();
    const log = await fourSegments(storage, archive, true);
    await log.truncateBefore(4);
    await log.rotate();
    await log.append(text('r5'));
    await log.rotate();
    expect(
      segments(diskOf(storage))
        .slice(0, 3)
        .map((name) => name.slice(-6, -4)),
    ).toEqual(['01', '02', '03']);
    expect(log.engine.stats().segmentsRecycled).toBe(0);
  });

  it('that is refused stays, is counted, and is shown again after a pause, those behind it not before', async () => {
    const storage = new SimStorage();
    const archive = new Archive();
    const log = await fourSegments(storage, archive);
    await log.truncateBefore(3);
    await archive.refuses();
    expect(log.engine.stats()).toMatchObject({
      maintenanceErrors: 1,
      maintenanceError: 'the archive is full',
      segmentsRemoved: 0,
    });
    await log.truncateBefore(4);
    expect(archive.shown).toEqual(['01: 1-1']);
    archive.us += 999_999;
    await log.truncateBefore(4);
    expect(archive.shown).toEqual(['01: 1-1']);
    archive.us += 1;
    await log.append(text('r5'));
    await log.truncateBefore(5);
    expect(archive.shown).toEqual(['01: 1-1', '01: 1-1']);
    for (let i = 0; i < 3; i++) await archive.takes();
    await log.engine.maintenanceIdle();
    expect(archive.shown).toEqual(['01: 1-1', '01: 1-1', '02: 2-2', '03: 3-3']);
    expect(log.engine.stats().segmentsRemoved).toBe(3);
  });

  it('that is refused is told of until it is taken: neither less long, when a spare is made, nor longer', async () => {
    const storage = new SimStorage();
    const archive = new Archive();
    const log = await fourSegments(storage, archive);
    await log.truncateBefore(2);
    await archive.refuses();
    await log.rotate();
    await log.engine.maintenanceIdle();
    expect(log.engine.stats().maintenanceError).toBe('the archive is full');
    archive.us += 1_000_000;
    log.engine.nudge();
    await archive.takes();
    await log.engine.maintenanceIdle();
    expect(archive.shown).toEqual(['01: 1-1', '01: 1-1']);
    expect(log.engine.stats()).toMatchObject({ maintenanceErrors: 1, maintenanceError: undefined });
  });

  it('holds up no append, no rotation and no closing while it is being shown', async () => {
    const storage = new SimStorage();
    const archive = new Archive();
    const log = await fourSegments(storage, archive);
    await log.truncateBefore(4);
    for (let i = 5; i <= 8; i++) {
      await log.append(text(`r${i}`));
      await log.rotate();
    }
    expect(log.state.durableLsn).toBe(8);
    await log.close();
    expect(storage.openFiles).toEqual([]);
    const files = segments(diskOf(storage));
    await archive.takes(); // too late: the directory may be open elsewhere by now
    expect(segments(diskOf(storage))).toEqual(files);
    expect(archive.shown).toEqual(['01: 1-1']);
    expect(storage.violations).toEqual([]);
  });

  it('and was not taken before a crash is shown by the next opening, and not what recovery superseded', async () => {
    const storage = new SimStorage();
    const archive = new Archive();
    const log = await fourSegments(storage, archive);
    await log.truncateBefore(4);
    await archive.takes();
    await log.engine.maintenanceIdle();
    await log.rotate();
    await log.append(text('r5')); // not proven durable: recovery logs it again, and its segment is superseded
    const booted = boot(diskOf(storage));
    const next = new Archive();
    const again = await next.open(booted, 2);
    expect(again.engine.summary).toMatchObject({ firstLsn: 4, reloggedRecords: 1 });
    expect(next.shown).toEqual([]); // not while the log is being opened
    await again.rotate();
    await again.append(text('r6'));
    await again.truncateBefore(7);
    await again.rotate();
    for (let i = 0; i < 5; i++) await next.takes();
    await again.truncateBefore(7);
    await again.append(text('r7'));
    await again.truncateBefore(8);
    for (let i = 0; i < 5; i++) await next.takes();
    await again.engine.maintenanceIdle();
    expect(next.shown.map((line) => line.slice(4))).toEqual(['2-2', '3-3', '4-4', '5-5', '6-6']);
    expect(await texts(again)).toEqual([]);
    const plain = await EngineHarness.open(boot(diskOf(booted)), undefined, {}, 3);
    expect(plain.engine.summary).toMatchObject({ firstLsn: 8, lastLsn: 7 });
  });
});

describe('option onSegmentFreed', () => {
  const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, recycle: false };

  it('runs in the thread that opened the log, with the path of a file that is there', async () => {
    const directory = tempDir();
    const shown: FreedSegment[] = [];
    const bytes: number[] = [];
    const log = await openLog(directory, {
      ...SMALL,
      onSegmentFreed: async (segment) => {
        shown.push(segment);
        bytes.push(readFileSync(segment.path).length);
      },
    });
    await log.append('one');
    const number = await log.rotate();
    await log.append('two');
    const [first] = await log.segments();
    await log.truncateBefore(2);
    await expect.poll(() => existsSync(join(directory, `${first?.file}`)), { timeout: 5000 }).toBe(false);
    expect(shown).toEqual([{ ...first, number, path: join(directory, `${first?.file}`) }]);
    expect(bytes[0]).toBeGreaterThanOrEqual(first?.bytes ?? Infinity);
    await log.close();
  });

  it('that throws at once or never answers hangs nothing, and the files are there for the next opening', async () => {
    for (const hook of [
      () => new Promise<void>(() => {}),
      () => {
        throw new Error('no archive today');
      },
    ]) {
      const directory = tempDir();
      let calls = 0;
      const log = await openLog(directory, {
        ...SMALL,
        onSegmentFreed: () => {
          calls++;
          return hook();
        },
      });
      await log.append('one');
      await log.rotate();
      await log.append('two');
      await log.truncateBefore(2);
      await expect.poll(() => calls, { timeout: 5000 }).toBeGreaterThan(0);
      expect(await log.append('three')).toBe(3);
      await log.close();
      expect(segmentsIn(directory)).toContain('00000000000000000001.wal');
      const files: string[] = [];
      const again = await openLog(directory, {
        ...SMALL,
        onSegmentFreed: ({ file }) => {
          files.push(file);
        },
      });
      await expect
        .poll(() => segmentsIn(directory).includes('00000000000000000001.wal'), { timeout: 5000 })
        .toBe(false);
      expect(files[0]).toBe('00000000000000000001.wal');
      await again.close();
    }
  });

  it('must be a function', async () => {
    const options = { onSegmentFreed: 'archive' } as unknown as LogOptions;
    await expect(openLog(`${tempDir()}/never`, options)).rejects.toMatchObject({
      code: 'RINGWAL_INVALID_ARGUMENT',
    });
  });
});
