/** watcher: how often the log is asked, and what is told of one that hangs. */
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { Update } from '../../dist/src/dashboard/update.js';
import { Watcher } from '../../dist/src/dashboard/watcher.js';
import { openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';
import { FakeLog } from './fake-log.js';

beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'performance'],
    }),
);
afterEach(() => void vi.useRealTimers());

const INTERVAL_MS = 100;

/** What is told, and a way to leave; resolves with the first update. */
async function watching(watcher: Watcher): Promise<{ readonly told: Update[]; readonly leave: () => void }> {
  const told: Update[] = [];
  let leave = (): void => {};
  await new Promise<void>((resolve) => {
    leave = watcher.watch((update) => {
      told.push(update);
      resolve();
    });
  });
  return { told, leave };
}

it('asks once an interval, however many watch', async () => {
  const log = new FakeLog();
  const watcher = new Watcher(log, INTERVAL_MS);
  const one = await watching(watcher);
  expect([log.statsCalls, log.segmentsCalls]).toEqual([1, 1]);
  const two = await Promise.all([watching(watcher), vi.advanceTimersByTimeAsync(INTERVAL_MS)]);
  await vi.advanceTimersByTimeAsync(4 * INTERVAL_MS);
  expect([log.statsCalls, log.segmentsCalls]).toEqual([6, 6]);
  expect(one.told.map(({ figures }) => figures?.records)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(two[0].told).toEqual(one.told.slice(1));
});

it('asks nothing when nobody watches, and counts no interval over that time', async () => {
  const log = new FakeLog();
  const watcher = new Watcher(log, INTERVAL_MS);
  await vi.advanceTimersByTimeAsync(1000);
  expect(log.statsCalls).toBe(0);
  const { leave } = await watching(watcher);
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  leave();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(log.statsCalls).toBe(2);
  const { told } = await watching(watcher);
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(told.map(({ interval }) => interval?.records)).toEqual([undefined, 1]);
  expect(watcher.history.intervals).toHaveLength(2);
});

it('makes no interval of two answers in the same millisecond: it would have rates of 0 / 0', async () => {
  const watcher = new Watcher(new FakeLog(), INTERVAL_MS);
  (await watching(watcher)).leave();
  const { told } = await watching(watcher);
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(told.map(({ interval }) => interval && [interval.records, interval.seconds])).toEqual([
    null,
    [2, 0.1],
  ]);
});

it('keeps two minutes', async () => {
  const watcher = new Watcher(new FakeLog(), INTERVAL_MS);
  await watching(watcher);
  await vi.advanceTimersByTimeAsync(300_000);
  const { intervals, update } = watcher.history;
  expect(intervals.length).toBeLessThanOrEqual(1201);
  expect(intervals[0]?.at).toBe(update.at - 120_000);
});

it('says that a log does not answer, and asks it no more until it does', async () => {
  const log = new FakeLog();
  const watcher = new Watcher(log, INTERVAL_MS);
  const { told } = await watching(watcher);
  let answer = (): void => {};
  log.answering = new Promise((resolve) => {
    answer = resolve;
  });
  await vi.advanceTimersByTimeAsync(3000);
  expect(log.statsCalls).toBe(2);
  expect(told.at(-1)).toMatchObject({ state: 'open', figures: { records: 1 } });
  expect(told.at(-1)?.silentMs).toBeGreaterThan(2000);
  answer();
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(told.at(-1)).toMatchObject({ state: 'open', silentMs: 0 });
  expect(log.statsCalls).toBeGreaterThan(2);
});

it('asks for the size of a segment until it is told', async () => {
  vi.useRealTimers();
  const log = new FakeLog();
  const watcher = new Watcher(log, INTERVAL_MS);
  await watcher.current();
  expect((await watcher.current()).update.figures?.segmentCapacity).toBe(0);
  const real = await openLog(tempDir(), { segmentBytes: 65_536, ringBytes: 32_768 });
  onTestFinished(() => real.close());
  log.directory = real.directory; // as when the question that failed before is answered
  const { told, leave } = await watching(watcher);
  await expect.poll(() => told.at(-1)?.figures?.segmentCapacity).toBe(65_536);
  leave();
});

it('answers whoever asks for the figures of now at most once an interval, and does not wait for ever', async () => {
  const log = new FakeLog();
  const watcher = new Watcher(log, INTERVAL_MS);
  const answers = await Promise.all([watcher.current(), watcher.current()]);
  answers.push(await watcher.current());
  expect(answers.map(({ look }) => look?.stats.records)).toEqual([1, 1, 1]);
  log.answering = new Promise(() => {});
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  const late = watcher.current();
  await vi.advanceTimersByTimeAsync(2000);
  expect(await late).toMatchObject({ update: { silentMs: 2000 }, look: { stats: { records: 1 } } });
});
