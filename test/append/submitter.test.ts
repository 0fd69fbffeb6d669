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
