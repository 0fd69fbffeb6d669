/** joined-submitter: a thread's submitter and the worker's side of its ring, joined in one thread; the test is the worker. */
import { Appender } from '../../dist/src/append/appender.js';
import { Submitter } from '../../dist/src/append/submitter.js';
import { CompletionEvents } from '../../dist/src/diagnostics.js';
import { RECORD_FULL } from '../../dist/src/format/record-frame.js';
import { type LogOptions, resolveOptions } from '../../dist/src/options.js';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { CONDITIONAL, CONFLICT, createRing, SYNC, SYNCED } from '../../dist/src/ring/layout.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { GROUP } from './one-ring.js';
import { turn } from './turns.js';

export const frame = (bytes: number) => ({ type: RECORD_FULL, flags: 0, payload: new Uint8Array(bytes) });

export type Joined = ReturnType<typeof joined>;

export function joined(more: LogOptions = {}) {
  const options = resolveOptions({ segmentBytes: 65_536, ringBytes: 16_384, ...more });
  const ring = createRing(options.ringBytes);
  const state = new LogState();
  const submitter = new Submitter(ring, state, options, new CompletionEvents('log'));
  const appender = new Appender(submitter, options);
  return { submitter, appender, state, worker: new RingConsumer(ring) };
}

/** An append whose bytes are known when the test says so. */
export function deferred(submitter: Submitter, bytes = 8) {
  let know: (frames: ReturnType<typeof frame>[]) => void = () => {};
  const frames = new Promise<ReturnType<typeof frame>[]>((resolve) => {
    know = resolve;
  });
  const appended = submitter.defer(bytes, () => frames, {});
  return { appended, know };
}

/** Commits all that is published, as one group; returns the next LSN. */
export function commitGroup(worker: RingConsumer, firstLsn: number): number {
  let lsn = firstLsn;
  for (let chunk = worker.peek(); chunk !== undefined; chunk = worker.peek()) {
    lsn += chunk.records;
    if ((chunk.flags & SYNC) !== 0) worker.settle(SYNCED, lsn - 1);
    else worker.take(lsn - chunk.records);
  }
  worker.complete(firstLsn, GROUP);
  return lsn;
}

/** Commits the oldest published chunk, or tells what became of it; returns the next LSN. */
export function commitChunk(worker: RingConsumer, firstLsn: number): number {
  const chunk = worker.peek();
  if (chunk === undefined) return firstLsn;
  let lsn = firstLsn;
  if ((chunk.flags & SYNC) !== 0) worker.settle(SYNCED, lsn - 1);
  else if ((chunk.flags & CONDITIONAL) !== 0 && chunk.expectedLsn !== lsn) worker.settle(CONFLICT, lsn);
  else {
    lsn += chunk.records;
    worker.take(firstLsn);
  }
  worker.complete(firstLsn, GROUP);
  return lsn;
}

/** Commits chunk by chunk whatever comes, until nothing does. */
export async function commitAll({ submitter, worker, state }: Joined, firstLsn: number): Promise<number> {
  let lsn = firstLsn;
  for (let idle = 0; idle < 3; idle++) {
    while (worker.hasChunks()) {
      lsn = commitChunk(worker, lsn);
      idle = 0;
    }
    if (lsn - 1 > state.durableLsn) state.setDurableLsn(lsn - 1);
    submitter.stateChanged();
    await turn();
  }
  return lsn;
}
