/** deferred: an append whose bytes are still being made holds its place, and gives it up when they can't be made. */
import { expect, it, vi } from 'vitest';
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
/** What was put is published in this turn of the event loop or in the next one. */
const turns = async (): Promise<void> => {
  for (let i = 0; i < 2; i++) await new Promise(setImmediate);
};

/** What waited behind one that is gone is on its way. */
async function goesOn(
  { submitter, published }: ReturnType<typeof made>,
  behind: Promise<number>,
): Promise<void> {
  await turns();
  expect(published()).toBe(1);
  submitter.detach();
  await expect(behind).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
}

// They went on a second later, with the look that is the net under wake-ups.
it('who waits behind one that fails goes on at once', async () => {
  const one = made();
  const { submitter, published } = one;
  const failed = submitter.defer(0, () => Promise.reject(new Error('simulated')), {});
  const behind = submitter.submit([frame], {});
  expect(published()).toBe(0);
  await expect(failed).rejects.toThrow('simulated');
  await goesOn(one, behind);
});

// As above: up to a second later.
it('who waits behind one that is aborted goes on at once', async () => {
  const one = made();
  const { submitter } = one;
  const controller = new AbortController();
  const aborted = submitter.defer(0, () => new Promise<never>(() => {}), { signal: controller.signal });
  const behind = submitter.submit([frame], {});
  controller.abort(new Error('given up'));
  await expect(aborted).rejects.toThrow('given up');
  await goesOn(one, behind);
});

// Its payload was copied and handed to zlib first: thousands that were refused took all memory.
it('nothing is begun for one that may not wait', async () => {
  const { submitter } = made({ maxWaitingBytes: 1000 });
  const never = vi.fn(() => new Promise<never>(() => {}));
  const waits = submitter.defer(600, never, {});
  await expect(submitter.defer(401, never, {})).rejects.toMatchObject({ code: 'RINGWAL_OVERLOADED' });
  expect(never).toHaveBeenCalledTimes(1);
  const fits = submitter.defer(400, never, {});
  expect(submitter.fill.waitingBytes).toBe(1000);
  submitter.detach();
  for (const one of [waits, fits]) await expect(one).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
});

// It never could be appended, on an idle log either.
it('one that alone is more than may wait passes when nothing waits, and leaves those behind it their room', async () => {
  const { submitter, published } = made({ maxWaitingBytes: 1000 });
  const alone = submitter.defer(5000, async () => [frame], {});
  const another = submitter.defer(5000, async () => [frame], {});
  const behind = submitter.defer(1000, async () => [frame], {});
  await expect(another).rejects.toMatchObject({ code: 'RINGWAL_OVERLOADED' });
  await turns();
  expect([submitter.inFlight, submitter.fill.waitingBytes]).toEqual([2, 0]);
  expect(published()).toBeGreaterThan(0);
  submitter.detach();
  for (const one of [alone, behind]) await expect(one).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
});
