/** sync: ends the commit window for all that was appended before it, also for what was not yet published then. */
import { expect, it } from 'vitest';
import { Appender } from '../../dist/src/append/appender.js';
import { Submitter } from '../../dist/src/append/submitter.js';
import { CompletionEvents } from '../../dist/src/diagnostics.js';
import { openLog } from '../../dist/src/index.js';
import { resolveOptions } from '../../dist/src/options.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { CONFLICT, createRing, PUBLISHED } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { GROUP } from '../support/one-ring.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL = { segmentBytes: 65_536, ringBytes: 16_384 };

it('publishes first and hurries the worker then, which would else forget the hurry with an earlier group', () => {
  const ring = createRing(SMALL.ringBytes);
  const publishedAtHurry: number[] = [];
  class WatchedState extends LogState {
    override hurry(): void {
      publishedAtHurry.push(Atomics.load(ring.words, PUBLISHED));
      super.hurry();
    }
  }
  const options = resolveOptions(SMALL);
  const submitter = new Submitter(ring, new WatchedState(), options, new CompletionEvents('log'));
  const pending = [new Appender(submitter, options).append('in the same turn'), submitter.sync()];
  expect(publishedAtHurry.at(-1)).toBe(1);
  for (const promise of pending) promise.catch(() => {});
  submitter.detach();
});

it('tells what is durable behind an append that is refused, not what another thread had written with durability os', async () => {
  const ring = createRing(SMALL.ringBytes);
  const state = new LogState();
  const options = resolveOptions(SMALL);
  const submitter = new Submitter(ring, state, options, new CompletionEvents('log'));
  const refused = new Appender(submitter, options).append('refused', { expectedLsn: 17 });
  const synced = submitter.sync();
  const consumer = new RingConsumer(ring);
  consumer.peek();
  state.setDurableLsn(3);
  consumer.settle(CONFLICT, 6);
  consumer.complete(6, GROUP);
  await expect(refused).rejects.toMatchObject({ actualLsn: 6 });
  expect(await synced).toBe(3);
  submitter.detach();
});

// It settled when that was written: whether something need not be durable was noted only when it entered the ring.
it.each([
  ['room in the ring', {}, Buffer.alloc(8000)],
  [
    'what is compressed off the thread',
    { compression: { algorithm: 'deflate', minBytes: 64 } },
    Buffer.alloc(200_000, 'ab'),
  ],
] as const)('is for an append with durability os too that waits behind %s', async (_, options, payload) => {
  const log = await openLog(tempDir(), { ...SMALL, ...options, maxGroupRecords: 1 });
  const before = [1, 2, 3].map(() => log.append(payload));
  const os = log.append('os', { durability: 'os' });
  const synced = await log.sync();
  expect([synced, log.durableLsn]).toEqual([4, 4]);
  expect(await Promise.all([...before, os])).toEqual([1, 2, 3, 4]);
  await log.close();
});

it('does not wait for a window on behalf of appends that had to wait for room in the ring', async () => {
  const log = await openLog(tempDir(), { ...SMALL, windowUs: 1_000_000 });
  const start = performance.now();
  // More than two rings full, so that the last of them make up a small group at the very end.
  const appends = Array.from({ length: 45 }, () => log.append(Buffer.alloc(900)));
  expect(await log.sync()).toBe(45);
  expect((await Promise.all(appends)).at(-1)).toBe(45);
  expect(performance.now() - start).toBeLessThan(900);
  await log.close();
});
