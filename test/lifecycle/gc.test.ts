/** gc: freeing whole segments by number, and what rotation says of them. */
import { describe, expect, it } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { boot, diskOf, open, segments, text, texts } from '../recovery/disk.js';
import { SimStorage } from '../support/sim-storage.js';
import { tempDir } from '../support/temp-dir.js';

const OPEN = { recycle: false };

/** Five records, each in a segment of its own; the numbers that `rotate` told of the first four. */
async function fiveSegments(storage: SimStorage) {
  const log = await open(storage, OPEN);
  const numbers: number[] = [];
  for (let i = 1; i <= 5; i++) {
    if (i > 1) numbers.push(await log.rotate());
    await log.append(text(`r${i}`));
  }
  return { log, numbers };
}

const fileOf = (number: number): string => `${String(number).padStart(20, '0')}.wal`;

describe('gcBefore', () => {
  it('frees the segments below a number, and begins the log with the first one that is left', async () => {
    const storage = new SimStorage();
    const { log, numbers } = await fiveSegments(storage);
    expect(await log.drive(log.engine.gcBefore(numbers[2] as number))).toBe(3);
    await log.engine.maintenanceIdle();
    expect(await texts(log)).toEqual(['3 r3', '4 r4', '5 r5']);
    const left = segments(diskOf(storage));
    expect(numbers.map((number) => left.includes(fileOf(number)))).toEqual([false, false, true, true]);
    const again = await open(boot(diskOf(storage)), OPEN);
    expect(again.engine.summary.firstLsn).toBe(3);
  });

  it('of one more than what rotate resolved with frees all that was appended before', async () => {
    const storage = new SimStorage();
    const { log } = await fiveSegments(storage);
    const closed = await log.rotate();
    expect(await log.drive(log.engine.gcBefore(closed + 1))).toBe(6);
    await log.append(text('r6'));
    expect(await texts(log)).toEqual(['6 r6']);
  });

  it('frees segments that recovery found, as the first thing that is asked after a restart', async () => {
    const storage = new SimStorage();
    const { numbers } = await fiveSegments(storage);
    const booted = boot(diskOf(storage));
    const again = await open(booted, OPEN);
    expect(await again.drive(again.engine.gcBefore(numbers[3] as number))).toBe(4);
    await again.engine.maintenanceIdle();
    const left = segments(diskOf(booted));
    expect(numbers.map((number) => left.includes(fileOf(number)))).toEqual([false, false, false, true]);
    expect(await texts(again)).toEqual(['4 r4', '5 r5']);
  });

  it('changes nothing for a number at or below the oldest one, and refuses one beyond the active segment', async () => {
    const { log, numbers } = await fiveSegments(new SimStorage());
    const oldest = numbers[0] as number;
    expect(await log.drive(log.engine.gcBefore(oldest))).toBe(1);
    await expect(log.engine.gcBefore(1000)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    expect(await texts(log)).toHaveLength(5);
  });

  it('is there for every thread that uses the log, and checks what it is given', async () => {
    const log = await openLog(tempDir(), { segmentBytes: 65_536, ringBytes: 16_384 });
    await log.append('one');
    const closed = await log.rotate();
    await log.append('two');
    for (const wrong of [0, 1.5, Number.NaN, '1' as never]) {
      await expect(log.gcBefore(wrong)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    }
    expect(await log.gcBefore(closed + 1)).toBe(2);
    expect(log.firstLsn).toBe(2);
    expect((await log.segments()).map(({ firstLsn }) => firstLsn)).toEqual([2]);
    expect(await log.truncateBefore(1)).toBe(2);
    await log.close();
  });
});
