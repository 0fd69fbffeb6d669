/** deferred: an append whose bytes are still being made holds its place, and gives it up when they can't be made. */
import { expect, it } from 'vitest';
import { Submitter } from '../../dist/src/append/submitter.js';
import { CompletionEvents } from '../../dist/src/diagnostics.js';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { resolveOptions } from '../../dist/src/options.js';
import { createRing, PUBLISHED } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';

// They went on a second later, with the look that is the net under wake-ups.
it('who waits behind one that fails goes on at once', async () => {
  const options = resolveOptions({ segmentBytes: 65_536, ringBytes: 16_384 });
  const ring = createRing(options.ringBytes);
  const submitter = new Submitter(ring, new LogState(), options, new CompletionEvents('log'));
  const failed = submitter.defer(0, () => Promise.reject(new Error('simulated')), {});
  const frame = { type: RECORD_FULL, flags: 0, payload: new Uint8Array(8) };
  const behind = submitter.submit([frame], {});
  expect(Atomics.load(ring.words, PUBLISHED)).toBe(0);
  await expect(failed).rejects.toThrow('simulated');
  await new Promise(setImmediate);
  expect(Atomics.load(ring.words, PUBLISHED)).toBe(1);
  submitter.detach();
  await expect(behind).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
});
