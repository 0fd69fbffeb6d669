/** leaving: what a thread that leaves the log, or whose log has ended, is told, and what it leaves behind: nothing. */

import { getEventListeners } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers';
import { expect, it } from 'vitest';
import { CLOSED, DEAD, type LogState } from '../../dist/src/ring/log-state.js';
import { commitGroup, deferred, frame, type Joined, joined } from '../support/joined-submitter.js';
import { turn } from '../support/turns.js';

it('what was completed before its thread leaves the log is told as that, though it was not heard of yet', async () => {
  const { submitter, worker } = joined();
  const appended = submitter.submit([frame(8)], {});
  submitter.publish();
  commitGroup(worker, 1);
  submitter.detach();
  expect(await appended).toBe(1);
});

it.each([
  [
    'the worker was declared dead',
    ({ submitter, state }: Joined) => {
      state.advance(DEAD);
      submitter.stateChanged();
    },
  ],
  ['its thread has left', ({ submitter }: Joined) => submitter.detach()],
] as const)('what is completed after %s comes too late, and harms nobody', async (_, end) => {
  const one = joined();
  const { submitter, worker } = one;
  const appended = submitter.submit([frame(8)], {});
  submitter.publish();
  end(one);
  commitGroup(worker, 1);
  submitter.stateChanged();
  submitter.detach();
  await expect(appended).rejects.toMatchObject({ code: expect.stringMatching(/WORKER_DIED|CLOSED/) });
});

it('who leaves gives its ring up: the worker need not look at it any more', async () => {
  const { submitter, worker } = joined();
  expect(worker.detached).toBe(false);
  await submitter.close(Promise.resolve());
  submitter.detach();
  expect(worker.detached).toBe(true);
});

it('nothing that would keep the process is left by a close, whether what was pending is settled or the disk is full', async () => {
  const { setInterval: set, clearInterval: clear } = timers;
  const running = new Set<unknown>();
  timers.setInterval = ((...args: Parameters<typeof set>) => {
    const timer = set(...args);
    running.add(timer);
    return timer;
  }) as typeof set;
  timers.clearInterval = (timer) => {
    running.delete(timer);
    clear(timer);
  };
  syncBuiltinESMExports();
  try {
    for (const isStalled of [false, true]) {
      const { submitter, state } = joined();
      const appended = isStalled ? submitter.submit([frame(8)], {}) : Promise.resolve(0);
      state.setStalled(isStalled);
      const told = isStalled ? expect(appended).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' }) : appended;
      await submitter.close(Promise.resolve());
      submitter.detach();
      await told;
      expect(running.size).toBe(0);
    }
  } finally {
    timers.setInterval = set;
    timers.clearInterval = clear;
    syncBuiltinESMExports();
  }
});

it.each([
  ['was closed', (state: LogState) => state.advance(CLOSED), 'RINGWAL_CLOSED'],
  ['has failed', (state: LogState) => state.poison(new Error('disk')), 'RINGWAL_POISONED'],
  ['has lost its worker', (state: LogState) => state.advance(DEAD), 'RINGWAL_WORKER_DIED'],
] as const)('who has left a log that %s is told of that', async (_, end, code) => {
  const { submitter, appender, state } = joined();
  end(state);
  submitter.detach();
  await expect(appender.append('late')).rejects.toMatchObject({ code });
});

it('who leaves rejects what waits and a sync behind it, and keeps nothing of them', async () => {
  const { submitter } = joined();
  const { signal } = new AbortController();
  const waits = submitter.defer(1000, () => new Promise<never>(() => {}), { signal });
  const synced = submitter.sync();
  expect([submitter.inFlight, submitter.fill.waitingBytes]).toEqual([2, 1000]);
  submitter.detach();
  expect([submitter.inFlight, submitter.fill.waitingBytes]).toEqual([0, 0]);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  for (const one of [waits, synced]) await expect(one).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
  await turn();
});

it('what is given up as a thread leaves is rejected in the order of the calls', async () => {
  const { submitter } = joined();
  const rejected: number[] = [];
  const appends = [
    submitter.submit([frame(8)], {}),
    submitter.submit([frame(8)], {}),
    deferred(submitter).appended,
    submitter.submit([frame(8)], {}),
  ].map((appended, i) => appended.catch(() => rejected.push(i)));
  submitter.detach();
  await Promise.all(appends);
  expect(rejected).toEqual([0, 1, 2, 3]);
});
