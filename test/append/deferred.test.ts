/** deferred: an append whose bytes are still being made holds its place, and gives it up when they can't be made. */
import { expect, it } from 'vitest';
import { Submitter } from '../../dist/src/append/submitter.js';
import { CompletionEvents } from '../../dist/src/diagnostics.js';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { type LogOptions, resolveOptions } from '../../dist/src/options.js';
import { createRing, PUBLISHED } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';

function made(more: LogOptions = {}) {
  const options = resolveOptions({ segmentBytes: 65_536, ringBytes: 16_384, ...more });
  const ring = createRing(options.ringBytes);
  const submitter = new Submitter(ring, new LogState(), options, new CompletionEvents('log'));
  const published = (): number => Atomics.load(ring.words, PUBLISHED);
  return { submitter, published };
}

const frame = { type: RECORD_FULL, flags: 0, payload: new Uint8Array(8) };
const turn = (): Promise<void> => new Promise(setImmediate);

// They went on a second later, with the look that is the net under wake-ups.
it('who waits behind one that fails goes on at once', async () => {
  const { submitter, published } = made();
  const failed = submitter.defer(0, () => Promise.reject(new Error('simulated')), {});
  const behind = submitter.submit([frame], {});
  expect(published()).toBe(0);
  await expect(failed).rejects.toThrow('simulated');
  await turn();
  expect(published()).toBe(1);
  submitter.detach();
  await expect(behind).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
});

// As above: up to a second later.
it('who waits behind one that is aborted goes on at once', async () => {
  const { submitter, published } = made();
  const controller = new AbortController();
  const aborted = submitter.defer(0, () => new Promise<never>(() => {}), { signal: controller.signal });
  const behind = submitter.submit([frame], {});
  controller.abort(new Error('given up'));
  await expect(aborted).rejects.toThrow('given up');
  await turn();
  expect(published()).toBe(1);
  submitter.detach();
  await expect(behind).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
});
