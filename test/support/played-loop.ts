/** played-loop: the commit loop over a writer, rings and a clock that the test plays, without threads and storage. */
import { expect } from 'vitest';
import { CommitLoop } from '../../dist/src/commit/commit-loop.js';
import type { GroupBuilder } from '../../dist/src/commit/group-builder.js';
import type { CommitOutcome, LogWriter } from '../../dist/src/commit/log-writer.js';
import { LogState } from '../../dist/src/ring/log-state.js';

const LIMITS = { bytes: 1000, records: 10 };

export type PlayedLoop = ReturnType<typeof played>;

/** The groups' limits are 1000 bytes and 10 records. */
export function played(windowUs = 0) {
  const state = new LogState();
  const now = {
    us: 5_000_000,
    /** What the rings have published. */
    pending: { bytes: 0, records: 0 },
    leftOver: false,
    lastLsn: 10,
    isStuck: false,
    isBusy: true,
    /** What `commit` says next; without any it takes all that is pending. */
    outcomes: [] as (CommitOutcome | Error)[],
    /** Whether an idle mark finds room; without any it does. */
    marks: [] as boolean[],
  };
  const seen = {
    commits: 0,
    marks: [] as number[],
    turns: 0,
    tallies: 0,
    failures: [] as unknown[],
    looks: 0,
  };
  let onCommit = (): void => {};
  let onLook = (): void => {};
  const group = {
    hasChunks: () => now.pending.records > 0,
    pending: () => {
      seen.looks++;
      onLook();
      return { ...now.pending };
    },
    get leftOver() {
      return now.leftOver;
    },
    openLsn: 7,
  };
  const writer = {
    get lastLsn() {
      return now.lastLsn;
    },
    commit: () => {
      const outcome = now.outcomes.shift() ?? (now.pending.records > 0 ? 'committed' : 'idle');
      if (outcome instanceof Error) throw outcome;
      if (outcome !== 'committed') return outcome;
      seen.commits++;
      now.lastLsn++;
      now.pending = { bytes: 0, records: 0 };
      onCommit();
      return outcome;
    },
    idleMark: (openLsn: number) => {
      expect(openLsn).toBe(7);
      seen.marks.push(now.us);
      return now.marks.shift() ?? true;
    },
    tally: () => {
      seen.tallies++;
    },
  };
  const options = {
    windowUs,
    limits: LIMITS,
    environment: {
      wallUs: () => 0,
      monotonicUs: () => now.us,
      randomBytes: (bytes: number) => new Uint8Array(bytes),
      pause: () => new Promise<void>(() => {}),
    },
    onTurn: () => {
      seen.turns++;
      return now.isBusy;
    },
    isStuck: () => now.isStuck,
    onFailure: (error: unknown) => seen.failures.push(error),
  };
  const loop = new CommitLoop(
    writer as unknown as LogWriter,
    group as unknown as GroupBuilder,
    state,
    options,
  );
  const put = (bytes = 100, records = 1): void => {
    now.pending = { bytes, records };
  };
  const whenCommitted = (task: () => void): void => {
    onCommit = task;
  };
  const whenLooked = (task: () => void): void => {
    onLook = task;
  };
  return { state, now, seen, options, loop, put, whenCommitted, whenLooked };
}
