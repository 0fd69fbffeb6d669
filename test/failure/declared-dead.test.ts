/** declared-dead: a log that a thread takes for dead while its I/O worker lives: the worker stops, and closes. */
import { expect, it } from 'vitest';
import { Submitter } from '../../dist/src/append/submitter.js';
import { CompletionEvents } from '../../dist/src/diagnostics.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { createRing } from '../../dist/src/ring/layout.js';
import { DEAD, LogState } from '../../dist/src/ring/log-state.js';
import { EngineHarness, TINY_OPTIONS } from '../support/engine-harness.js';
import { SimStorage } from '../support/sim-storage.js';

// A thread whose control port closes can't tell why, and declares the log dead. A worker that still ran found the state
// to be other than open, so it never slept again, and not closing, so it never ended: it span, and close() hung.
it('the I/O worker of a log that was declared dead stops, and the log can be closed', async () => {
  const harness = await EngineHarness.open(new SimStorage());
  const running = harness.engine.run();
  harness.state.advance(DEAD);
  await running;
  await harness.engine.close();
  expect(harness.state.state).toBe(DEAD);
  await expect(harness.engine.rotate()).rejects.toMatchObject({ code: 'RINGWAL_WORKER_DIED' });
}, 10_000);

// It was taken for a broken ring: "a completion covers whole appends", as a rejection that nobody handles.
it('a completion that comes after its append was rejected for that reason is not taken', async () => {
  const ring = createRing(TINY_OPTIONS.ringBytes);
  const state = new LogState();
  const submitter = new Submitter(ring, state, TINY_OPTIONS, new CompletionEvents('log'));
  expect(submitter.reserve(32, 1)).toBe(true);
  submitter.put('in flight', 9, 0);
  const append = submitter.settle();
  submitter.publish();
  state.advance(DEAD);
  submitter.stateChanged();
  await expect(append).rejects.toMatchObject({ code: 'RINGWAL_WORKER_DIED' });
  const worker = new RingConsumer(ring);
  worker.peek();
  worker.take(1);
  worker.complete(1, { records: 1, bytes: 32, syncUs: 0, segment: 1 });
  expect(() => submitter.stateChanged()).not.toThrow();
  submitter.detach();
});
