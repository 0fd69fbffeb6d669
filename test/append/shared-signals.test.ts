/** shared-signals: one AbortSignal for all that a service has under way costs what one costs, and ends all that waits. */
import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const MANY = 200;
const SMALL = { segmentBytes: 65_536, ringBytes: 16_384 };

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

/** What became of each: what it resolved with, or the message of what it was rejected with. */
const outcomes = (promises: Promise<number>[]): Promise<(number | string)[]> =>
  Promise.all(promises.map((promise) => promise.catch((error: Error) => error.message)));

// With one each, adding the n-th took n steps, and Node warned of a memory leak from the 11th on.
it('appends that wait have one listener on it together, and it takes back all of them and no other', async () => {
  const log = await openLog(tempDir(), SMALL);
  const controller = new AbortController();
  const { signal } = controller;
  const appended = outcomes(Array.from({ length: MANY }, () => log.append('x'.repeat(1000), { signal })));
  const other = log.append('other', { signal: new AbortController().signal });
  expect(listeners(signal)).toBe(1);
  controller.abort(new Error('enough'));
  const became = await appended;
  const inRing = became.filter((one) => one !== 'enough').length;
  expect(inRing).toBeGreaterThan(0);
  expect(inRing).toBeLessThan(20);
  expect(became.slice(0, inRing)).toEqual(Array.from({ length: inRing }, (_, i) => i + 1));
  expect(await other).toBe(inRing + 1);
  expect(listeners(signal)).toBe(0);
  await log.close();
});

it('appends that have had their turn leave none behind', async () => {
  const log = await openLog(tempDir(), SMALL);
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: MANY }, () => log.append('x'.repeat(1000), { signal })));
  expect(log.durableLsn).toBe(MANY);
  expect(listeners(signal)).toBe(0);
  await log.close();
});

it('waits for durability have one listener on it together, until the last of them is settled', async () => {
  const log = await openLog(tempDir(), SMALL);
  const controller = new AbortController();
  const { signal } = controller;
  const waits = outcomes(Array.from({ length: MANY }, (_, i) => log.waitForDurable(1 + (i % 2), { signal })));
  expect(listeners(signal)).toBe(1);
  await log.append('x');
  await log.waitForDurable(1, { signal });
  expect(listeners(signal)).toBe(1);
  controller.abort(new Error('enough'));
  expect(await waits).toEqual(Array.from({ length: MANY }, (_, i) => (i % 2 === 0 ? 1 : 'enough')));
  expect(listeners(signal)).toBe(0);
  await log.close();
});

it('ends also what waits for it after all that did before was settled', async () => {
  const log = await openLog(tempDir(), SMALL);
  const controller = new AbortController();
  const { signal } = controller;
  const before = log.waitForDurable(1, { signal });
  await log.append('x');
  expect(await before).toBe(1);
  const waiting = log.waitForDurable(2, { signal });
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  expect(listeners(signal)).toBe(0);
  await log.close();
});
