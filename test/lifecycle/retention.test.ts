/** retention: what stays readable although it was truncated, by bytes and by age, and when it goes. */
import { describe, expect, it } from 'vitest';
import { type LogOptions, openLog } from '../../dist/src/index.js';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { boot, diskOf } from '../recovery/disk.js';
import { EngineHarness, payloadOf, simulatedEnvironment } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';
import { tempDir } from '../support/temp-dir.js';

const DAY_MS = 24 * 3_600_000;
/** Header block and LINK: an active segment without records. */
const ACTIVE_BYTES = 4096 + 128;
/** As much as such a one and two segments and a half, of those with one record of 1000 bytes. */
const KEPT_BYTES = ACTIVE_BYTES + 2.5 * 5300;

/** A log whose clocks stand still until the test sets them. */
class Clocked {
  wallMs = 1_700_000_000_000;
  monotonicMs = 0;
  #seed = 0;

  pass(ms: number): void {
    this.wallMs += ms;
    this.monotonicMs += ms;
  }

  open(storage: SimStorage, retention: ResolvedOptions['retention']): Promise<EngineHarness> {
    const environment = {
      ...simulatedEnvironment(++this.#seed),
      wallUs: () => this.wallMs * 1000,
      monotonicUs: () => this.monotonicMs * 1000,
    };
    return EngineHarness.open(storage, undefined, retention ? { recycle: false, retention } : {}, 1, {
      environment,
    });
  }
}

/** Appends a record of `bytes` and closes its segment, `count` times. */
async function closed(log: EngineHarness, first: number, count: number, bytes = 1000): Promise<void> {
  for (let lsn = first; lsn < first + count; lsn++) {
    await log.append(payloadOf(lsn, bytes));
    await log.rotate();
  }
}

async function reviewed(log: EngineHarness): Promise<number> {
  await log.drive(log.engine.review());
  await log.engine.maintenanceIdle();
  return log.state.firstLsn;
}

describe('retention by bytes', () => {
  it('keeps that much readable behind a truncation, which resolves with the LSN that the log begins with', async () => {
    const log = await new Clocked().open(new SimStorage(), { bytes: KEPT_BYTES, ageMs: 0 });
    await closed(log, 1, 6);
    expect(await log.truncateBefore(7)).toBe(4);
    const kept = await log.readAll();
    expect(kept.map(({ lsn }) => lsn)).toEqual([4, 5, 6]);
    expect(kept.reduce((sum, { payload }) => sum + payload.length, 0)).toBeGreaterThanOrEqual(3000);
    expect(log.engine.stats().segmentsRemoved).toBe(3);
  });

  it('lets go by itself what was wished, as the log goes on, and nothing that was not', async () => {
    const log = await new Clocked().open(new SimStorage(), { bytes: KEPT_BYTES, ageMs: 0 });
    await closed(log, 1, 6);
    const wish = 6;
    let first = await log.truncateBefore(wish);
    expect(first).toBeLessThan(wish);
    for (let lsn = 7; lsn <= 12; lsn++) {
      await closed(log, lsn, 1);
      const before = first;
      first = await reviewed(log);
      expect(first).toBeGreaterThanOrEqual(before);
      const behind = log.engine.view().segments.filter((segment) => segment.firstLsn > first);
      const kept = log.engine.view().segments.reduce((sum, { end }) => sum + end, 0) + ACTIVE_BYTES;
      expect(kept).toBeGreaterThanOrEqual(KEPT_BYTES);
      // One segment less would not do, unless nobody wished it gone.
      if (first < wish)
        expect(behind.reduce((sum, { end }) => sum + end, ACTIVE_BYTES)).toBeLessThan(KEPT_BYTES);
    }
    expect(first).toBe(wish);
    expect((await log.readAll()).map(({ lsn }) => lsn)).toEqual([6, 7, 8, 9, 10, 11, 12]);
  });

  it('keeps all as long as there is less, and the active segment in any case', async () => {
    const log = await new Clocked().open(new SimStorage(), { bytes: KEPT_BYTES, ageMs: 0 });
    await closed(log, 1, 2);
    expect(await log.truncateBefore(3)).toBe(1);
    for (let lsn = 3; lsn <= 16; lsn++) await log.append(payloadOf(lsn, 1000));
    expect(await log.truncateBefore(17)).toBe(3);
    expect(await log.readAll()).toHaveLength(14);
  });

  it('writes no mark that is above what it keeps, and forgets the wish when the log is opened anew', async () => {
    const clock = new Clocked();
    const storage = new SimStorage();
    const retention = { bytes: KEPT_BYTES, ageMs: 0 };
    const log = await clock.open(storage, retention);
    await closed(log, 1, 6);
    await log.truncateBefore(7);
    const again = await clock.open(boot(diskOf(storage)), retention);
    expect(again.engine.summary.firstLsn).toBe(4);
    await closed(again, 7, 2);
    expect(await reviewed(again)).toBe(4);
    expect(await again.truncateBefore(7)).toBeGreaterThan(4);
  });
});

describe('retention by age', () => {
  it('lets a segment go when it has been closed for that long, and no millisecond sooner', async () => {
    const clock = new Clocked();
    const log = await clock.open(new SimStorage(), { bytes: 0, ageMs: DAY_MS });
    await closed(log, 1, 1);
    await reviewed(log); // as every turn of the loop does: a segment's time begins when it is seen closed
    clock.pass(1000);
    await closed(log, 2, 1);
    expect(await log.truncateBefore(3)).toBe(1);
    clock.pass(DAY_MS - 1001);
    expect(await reviewed(log)).toBe(1);
    clock.pass(1);
    expect(await reviewed(log)).toBe(2);
    clock.pass(1000);
    expect(await reviewed(log)).toBe(3);
  });

  it('is not misled by a wall clock that is set while the log is open', async () => {
    const clock = new Clocked();
    const log = await clock.open(new SimStorage(), { bytes: 0, ageMs: DAY_MS });
    await closed(log, 1, 1);
    await log.truncateBefore(2);
    clock.wallMs += 10 * DAY_MS;
    expect(await reviewed(log)).toBe(1);
    clock.wallMs -= 20 * DAY_MS;
    clock.monotonicMs += DAY_MS;
    expect(await reviewed(log)).toBe(2);
  });

  it('knows the age of segments from before a restart, and takes those of the future for new', async () => {
    const clock = new Clocked();
    const storage = new SimStorage();
    const retention = { bytes: 0, ageMs: DAY_MS };
    const log = await clock.open(storage, retention);
    await closed(log, 1, 1);
    clock.pass(DAY_MS / 2);
    await closed(log, 2, 1);
    await log.append(payloadOf(3, 100));
    clock.pass(DAY_MS / 2);
    clock.monotonicMs = 5; // another process
    const disk = diskOf(storage);
    const again = await clock.open(boot(disk), retention);
    expect(await again.truncateBefore(4)).toBe(2);
    clock.pass(DAY_MS / 2);
    expect(await reviewed(again)).toBe(3);
    clock.wallMs -= 100 * DAY_MS;
    const early = await clock.open(boot(disk), retention);
    expect(await early.truncateBefore(4)).toBe(1);
    clock.pass(DAY_MS);
    expect(await reviewed(early)).toBe(3); // the active segment's first
  });
});

it('what either bytes or age ask for is kept', async () => {
  const clock = new Clocked();
  const log = await clock.open(new SimStorage(), { bytes: KEPT_BYTES, ageMs: DAY_MS });
  await closed(log, 1, 6);
  expect(await log.truncateBefore(7)).toBe(1);
  clock.pass(DAY_MS);
  expect(await reviewed(log)).toBe(4);
});

describe('the option', () => {
  it.each([
    [5],
    [{ bytes: -1 }],
    [{ ageMs: 0.5 }],
    [{ ageMs: '1d' }],
    [{ days: 3 }],
    [null],
  ])('refuses %j by name', async (retention) => {
    const options = { retention } as unknown as LogOptions;
    await expect(openLog(`${tempDir()}/never`, options)).rejects.toMatchObject({
      code: 'RINGWAL_INVALID_ARGUMENT',
      message: expect.stringContaining('retention'),
    });
  });

  it('takes effect by itself in a log that goes on', async () => {
    const log = await openLog(tempDir(), { segmentBytes: 65_536, retention: { bytes: 1 } });
    await log.append('one');
    expect(await log.truncateBefore(2)).toBe(1);
    await log.rotate();
    await log.append('two');
    await expect.poll(() => log.firstLsn, { timeout: 5000 }).toBe(2);
    await log.close();
  });
});
