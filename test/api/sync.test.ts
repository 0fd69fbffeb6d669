/** sync: ends the commit window for all that was appended before it, also for what was not yet published then. */
import { expect, it } from 'vitest';
import { Appender } from '../../dist/src/append/appender.js';
import { Submitter } from '../../dist/src/append/submitter.js';
import { CompletionEvents } from '../../dist/src/diagnostics.js';
import { openLog } from '../../dist/src/index.js';
import { resolveOptions } from '../../dist/src/options.js';
import { createRing, PUBLISHED } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
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
