/** publish-schedule: who is alone does not wait for the turn to end, and who comes in quick succession goes together. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { PublishSchedule } from '../../dist/src/append/publish-schedule.js';
import { openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

function schedule(startUs = 1000) {
  const clock = { us: startUs };
  const published: number[] = [];
  let put = 0;
  const one = new PublishSchedule(
    () => published.push(put),
    () => clock.us | 0,
  );
  return {
    clock,
    published,
    one,
    /** Puts in a run of microtasks of its own. */
    async put(): Promise<void> {
      put++;
      one.put();
      await undefined;
      await undefined;
    },
  };
}

// Also where the clock wraps.
it.each([
  1000,
  2 ** 31 - 100,
  2 ** 32 - 100,
])('publishes at once what comes alone, at %i us', async (startUs) => {
  const { clock, published, put, one } = schedule(startUs);
  for (let i = 1; i <= 3; i++) {
    await put();
    expect(published.length).toBe(i);
    expect(one.isDue).toBe(false);
    clock.us += 100;
  }
});

it('publishes together, at the end of the turn, what comes in quick succession', async () => {
  const { clock, published, put, one } = schedule();
  for (let i = 0; i < 5; i++) {
    await put();
    clock.us += 10;
  }
  expect(published).toEqual([1]);
  expect(one.isDue).toBe(true);
  await turn();
  expect(published).toEqual([1, 5]);
  expect(one.isDue).toBe(false);
  // The turn after is as busy, and the one after that is not.
  clock.us += 1000;
  await put();
  await put();
  expect(published).toEqual([1, 5]);
  await turn();
  expect(published).toEqual([1, 5, 7]);
  await turn();
  await turn();
  expect(published).toEqual([1, 5, 7]);
  await put();
  expect(published).toEqual([1, 5, 7]); // close behind
  await turn();
  await turn();
  clock.us += 1000;
  await put();
  expect(published).toEqual([1, 5, 7, 8, 9]);
});

it('is not held up by fake timers', async () => {
  vi.stubGlobal('setImmediate', () => {});
  const log = await openLog(tempDir());
  const lsns: Promise<number>[] = [];
  for (let i = 0; i < 20; i++) {
    lsns.push(log.append('x'));
    await undefined;
  }
  expect(await Promise.all(lsns)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  await log.close();
});

// Nothing was published any more, and no append answered, until 32 KiB had gathered.
it('publishes what comes behind a put that threw at the end of the stack', async () => {
  const { published, put, one } = schedule();
  const queue = vi.fn<typeof queueMicrotask>(() => {
    throw new RangeError('Maximum call stack size exceeded');
  });
  vi.stubGlobal('queueMicrotask', queue);
  expect(() => one.put()).toThrow(RangeError);
  expect(one.isDue).toBe(false);
  vi.unstubAllGlobals();
  await put();
  expect(published).toEqual([1]);
});
