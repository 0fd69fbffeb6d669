/** submitter: what the callers of one thread are told, in whatever order the worker's completions and the log's end are seen. */
import { expect, it } from 'vitest';
import { Submitter } from '../../dist/src/append/submitter.js';
import { CompletionEvents } from '../../dist/src/diagnostics.js';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { type LogOptions, resolveOptions } from '../../dist/src/options.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { createRing } from '../../dist/src/ring/layout.js';
import { CLOSED, LogState } from '../../dist/src/ring/log-state.js';

const GROUP = { records: 1, bytes: 16, syncUs: 0, segment: 1 };
const frame = (bytes: number) => ({ type: RECORD_FULL, flags: 0, payload: new Uint8Array(bytes) });

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A submitter, and the worker's side of its ring. */
function joined(state: LogState, more: LogOptions = {}) {
  const options = resolveOptions({ segmentBytes: 65_536, ringBytes: 16_384, ...more });
  const ring = createRing(options.ringBytes);
  const submitter = new Submitter(ring, state, options, new CompletionEvents('log'));
  return { submitter, worker: new RingConsumer(ring) };
}

/** Commits all that is published; returns the next LSN. */
function commit(worker: RingConsumer, firstLsn: number): number {
  let lsn = firstLsn;
  for (let chunk = worker.peek(); chunk !== undefined; chunk = worker.peek()) {
    lsn += chunk.records;
    worker.take(firstLsn);
  }
  worker.complete(firstLsn, GROUP);
  return lsn;
}

it('what was completed before the log was closed is told as that, also when both happen while it is looked at', async () => {
  let onLook: (() => void) | undefined;
  class Overtaken extends LogState {
    override get state(): number {
      const happen = onLook;
      onLook = undefined;
      happen?.();
      return super.state;
    }
  }
  const state = new Overtaken();
  const { submitter, worker } = joined(state);
  const appended = submitter.submit([frame(8)], {});
  submitter.publish();
  onLook = () => {
    commit(worker, 1);
    state.advance(CLOSED);
  };
  submitter.stateChanged();
  expect(await appended).toBe(1);
  submitter.detach();
});

it('a sync hurries the worker again for what had to wait for room, until it is settled', async () => {
  const state = new LogState();
  const { submitter, worker } = joined(state, { windowUs: 1_000_000, maxGroupBytes: 4096 });
  const appended = Array.from({ length: 6 }, () => submitter.submit([frame(4000)], {}));
  const synced = submitter.sync();
  let lsn = 1;
  for (const rest of ['the last two, and the barrier behind them', '']) {
    expect(state.isHurried).toBe(true);
    state.takeHurry();
    lsn = commit(worker, lsn);
    state.setDurableLsn(lsn - 1);
    submitter.stateChanged();
    await turn();
    expect(worker.hasChunks(), rest).toBe(rest !== '');
  }
  expect(await Promise.all([...appended, synced])).toEqual([1, 2, 3, 4, 5, 6, 6]);
  state.takeHurry();
  submitter.publish();
  expect(state.isHurried).toBe(false);
  submitter.detach();
});

it('a large record of which a part is in the ring is not taken back by its signal', async () => {
  const { submitter, worker } = joined(new LogState(), { maxGroupBytes: 4096 });
  const controller = new AbortController();
  const appended = submitter.submit([frame(40_000)], { signal: controller.signal });
  submitter.publish();
  controller.abort(new Error('given up'));
  let lsn = 1;
  for (let i = 0; i < 20 && worker.hasChunks(); i++) {
    lsn = commit(worker, lsn);
    submitter.stateChanged();
    await turn();
  }
  expect(await appended).toBe(lsn - 1);
  expect(worker.spans.lsn).toBe(0);
  submitter.detach();
});

it('what is aborted gives back the room that it waited with once, also when it fails behind that', async () => {
  const { submitter } = joined(new LogState());
  const controller = new AbortController();
  let fail: (error: Error) => void = () => {};
  const frames = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const aborted = submitter.defer(1000, () => frames, { signal: controller.signal });
  expect(submitter.fill.waitingBytes).toBe(1000);
  controller.abort(new Error('given up'));
  fail(new Error('too late'));
  await expect(aborted).rejects.toThrow('given up');
  await turn();
  expect(submitter.fill.waitingBytes).toBe(0);
  submitter.detach();
});
