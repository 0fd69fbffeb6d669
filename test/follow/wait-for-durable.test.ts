/** wait-for-durable: whoever waits for an LSN is woken when it is durable, in any thread, and never waits in vain. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { DurableWaits } from '../../dist/src/append/durable-waits.js';
import { type Log, type LogOptions, openLog } from '../../dist/src/index.js';
import { awaitNews, tellNews } from '../../dist/src/ring/followers.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };
const index = new URL('../../dist/src/index.js', import.meta.url);

async function waiter(log: Log, step: number, last: number): Promise<Worker> {
  const handle = log.handle();
  const worker = new Worker(new URL('../fixtures/durable-waiter.mjs', import.meta.url), {
    workerData: { handle, step, last },
    transferList: [handle],
  });
  expect(await once(worker, 'message')).toEqual(['ready']);
  return worker;
}

describe('waitForDurable', () => {
  it('resolves in every thread, for LSNs that are not given out yet', async () => {
    const log = await openLog(tempDir(), SMALL);
    const last = 2000;
    const workers = await Promise.all([waiter(log, 1, last), waiter(log, 7, last), waiter(log, last, last)]);
    const done = workers.map((worker) => once(worker, 'message'));
    const here = Promise.all(Array.from({ length: last }, (_, i) => log.waitForDurable(i + 1)));
    for (let lsn = 1; lsn <= last; lsn += 10) {
      await Promise.all(Array.from({ length: 10 }, () => log.append('x')));
    }
    expect(await Promise.all(done)).toEqual([['done'], ['done'], ['done']]);
    for (const [i, durable] of (await here).entries()) expect(durable).toBeGreaterThan(i);
    await log.close();
  });

  it('resolves under fake timers, also for what becomes durable while it begins to listen', async () => {
    vi.stubGlobal('setImmediate', () => {});
    class Overtaken extends LogState {
      #isAsked = false;
      override get durableLsn(): number {
        const lsn = this.#isAsked ? 5 : 0;
        this.#isAsked = true;
        return lsn;
      }
    }
    expect(await new DurableWaits(new Overtaken()).wait(5)).toBe(5);
    vi.unstubAllGlobals();
  });

  // Null threw a TypeError, and not as a rejection.
  it.each([
    null,
    5,
    'x',
  ])('rejects with RINGWAL_INVALID_ARGUMENT for options that are none: %s', async (wrong) => {
    const log = await openLog(tempDir(), SMALL);
    const waited = log.waitForDurable(0, wrong as never);
    await expect(waited).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    await log.close();
  });

  // A signal under a name that was misspelt was no signal: the wait could not be ended.
  it('refuses an option that it does not know', async () => {
    const log = await openLog(tempDir(), SMALL);
    const waited = log.waitForDurable(0, { sginal: AbortSignal.abort() } as never);
    await expect(waited).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    await log.close();
  });

  it('resolves at once for what is durable, also when the log is closed', async () => {
    const log = await openLog(tempDir(), SMALL);
    expect(await log.waitForDurable(0)).toBe(0);
    await log.append('x');
    await log.close();
    expect(await log.waitForDurable(1)).toBe(1);
    await expect(log.waitForDurable(2)).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
  });

  it('refuses what is no LSN, and gives up when aborted, with the reason', async () => {
    const log = await openLog(tempDir(), SMALL);
    await expect(log.waitForDurable(-1)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    await expect(log.waitForDurable(1.5)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    const gone = AbortSignal.abort(new Error('gone'));
    await expect(log.waitForDurable(1, { signal: gone })).rejects.toThrow('gone');
    const controller = new AbortController();
    const waiting = log.waitForDurable(1, { signal: controller.signal });
    const other = log.waitForDurable(1);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await log.append('x');
    expect(await other).toBe(1);
    await log.close();
  });

  it('rejects when the log is closed before, here and in other threads', async () => {
    const log = await openLog(tempDir(), SMALL);
    const worker = await waiter(log, 5, 5);
    const told = once(worker, 'message');
    const waiting = log.waitForDurable(3);
    const served = log.waitForDurable(1);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    void log.append('x');
    await log.close();
    await refused;
    expect(await served).toBe(1);
    expect(await told).toEqual(['RINGWAL_CLOSED']);
  });

  it('rejects when a write fails, and when the I/O worker dies', async () => {
    const workerUrl = new URL('../fixtures/failing-worker.mjs', import.meta.url);
    const faults = [
      ['sync=8&code=EIO', 'RINGWAL_POISONED'],
      ['die=exit&after=8', 'RINGWAL_WORKER_DIED'],
      ['die=throw&after=8', 'RINGWAL_WORKER_DIED'],
    ] as const;
    for (const [fault, code] of faults) {
      process.env.RINGWAL_TEST_FAULT = fault;
      const log = await openLog(tempDir(), { ...SMALL, workerUrl, syncMode: 'fdatasync' });
      const worker = await waiter(log, 1000, 1000);
      const told = once(worker, 'message');
      const refused = expect(log.waitForDurable(1000)).rejects.toMatchObject({ code });
      for (let i = 0; i < 50; i++) await log.append('x').catch(() => {});
      await refused;
      expect(await told).toEqual([code]);
      await log.close();
    }
  });

  it('keeps the process running while it waits, and not a moment longer', () => {
    const script = `
      const { openLog } = await import(${JSON.stringify(index.href)});
      const log = await openLog(process.argv[1]);
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('over')), 100);
      await log.waitForDurable(5, { signal: controller.signal }).catch((error) => console.log(error.message));
    `;
    const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script, tempDir()], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect({ stdout, status }).toEqual({ stdout: 'over\n', status: 0 });
  });
});

describe('lastLsn', () => {
  it('is the last durable LSN, and beyond it what was acknowledged without being durable', async () => {
    const log = await openLog(tempDir(), SMALL);
    expect(log.lastLsn).toBe(0);
    expect(await log.append('durable')).toBe(1);
    expect(log).toMatchObject({ lastLsn: 1, durableLsn: 1 });
    expect(await log.append('written', { durability: 'os' })).toBe(2);
    expect(log).toMatchObject({ lastLsn: 2, durableLsn: 1 });
    await log.sync();
    expect(log).toMatchObject({ lastLsn: 2, durableLsn: 2 });
    expect(await log.append('durable')).toBe(3);
    expect(log).toMatchObject({ lastLsn: 3, durableLsn: 3 });
    await log.close();
  });
});

describe('followers', () => {
  it('cost the worker a notify only while one waits', async () => {
    const state = new LogState();
    const before = Atomics.load(state.words, 35);
    state.setDurableLsn(1);
    expect(Atomics.load(state.words, 35)).toBe(before);
    const news = state.awaitNews(() => false);
    state.setDurableLsn(2);
    expect(Atomics.load(state.words, 35)).toBe(before + 1);
    await news;
    state.setDurableLsn(3);
    expect(Atomics.load(state.words, 35)).toBe(before + 1);
  });

  it('are all woken by one telling, and do not sleep over one between their look and their sleep', async () => {
    const words = new Int32Array(new SharedArrayBuffer(256));
    const all = Array.from({ length: 5 }, () => awaitNews(words, () => false));
    tellNews(words);
    await Promise.all(all);
    const told = awaitNews(words, () => {
      tellNews(words); // another thread, right behind the look
      return false;
    });
    await told;
    expect(awaitNews(words, () => true)).toBeUndefined();
  });
});
