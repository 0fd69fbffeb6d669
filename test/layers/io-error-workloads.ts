/**
 * io-error-workloads: the 24 workloads of the layer io-errors, as data: every path on which the engine touches its
 * storage is in at least one of them.
 */
import type { ResolvedOptions } from '../../dist/src/options.js';

/** One thing that a caller does. Sizes are bytes of payload; `back` counts LSNs from the durable end. */
export type Step =
  | { readonly do: 'append'; readonly bytes: number; readonly producer?: number }
  | { readonly do: 'batch'; readonly bytes: readonly number[]; readonly producer?: number }
  /** Put into the ring; committed with what comes next. */
  | { readonly do: 'submit'; readonly bytes: number; readonly producer: number }
  | { readonly do: 'unsynced'; readonly bytes: number; readonly producer?: number }
  | { readonly do: 'expecting'; readonly bytes: number; readonly ahead: number; readonly producer?: number }
  | { readonly do: 'large'; readonly bytes: number; readonly producer?: number }
  | { readonly do: 'begin' | 'commitTx' | 'abortTx' | 'sync'; readonly producer?: number }
  | { readonly do: 'appendTx'; readonly bytes: number; readonly producer?: number }
  | { readonly do: 'commit' | 'rotate' | 'mark' }
  | { readonly do: 'truncate' | 'cut'; readonly back: number }
  | { readonly do: 'cursor' | 'deleteCursor'; readonly name: string }
  | { readonly do: 'ack'; readonly name: string; readonly back: number }
  /** The log is closed and opened; the process is killed and the log opened. */
  | { readonly do: 'reopen' | 'restart' | 'close' };

export interface IoWorkload {
  readonly name: string;
  readonly options?: Partial<ResolvedOptions>;
  readonly steps: readonly Step[];
}

const append = (bytes: number, producer = 0): Step => ({ do: 'append', bytes, producer });
const submit = (bytes: number, producer: number): Step => ({ do: 'submit', bytes, producer });
const batch = (...bytes: number[]): Step => ({ do: 'batch', bytes });
const unsynced = (bytes: number, producer = 0): Step => ({ do: 'unsynced', bytes, producer });
const large = (bytes: number, producer = 0): Step => ({ do: 'large', bytes, producer });
const truncate = (back: number): Step => ({ do: 'truncate', back });
const cut = (back: number): Step => ({ do: 'cut', back });
const ack = (name: string, back: number): Step => ({ do: 'ack', name, back });
const cursor = (name: string): Step => ({ do: 'cursor', name });
const appendTx = (bytes: number, producer = 0): Step => ({ do: 'appendTx', bytes, producer });
const begin = (producer = 0): Step => ({ do: 'begin', producer });
const commitTx = (producer = 0): Step => ({ do: 'commitTx', producer });
const abortTx = (producer = 0): Step => ({ do: 'abortTx', producer });
const sync = (producer = 0): Step => ({ do: 'sync', producer });
const [commit, rotate, mark]: Step[] = [{ do: 'commit' }, { do: 'rotate' }, { do: 'mark' }];
const [reopen, restart, close]: Step[] = [{ do: 'reopen' }, { do: 'restart' }, { do: 'close' }];
const times = (count: number, ...steps: (Step | undefined)[]): Step[] =>
  Array.from({ length: count }, () => list(...steps)).flat();
const list = (...steps: (Step | Step[] | undefined)[]): Step[] =>
  steps.flat().filter((step) => step !== undefined);

const SMALL = 40;
const BIG = 3000;

export const IO_WORKLOADS: readonly IoWorkload[] = [
  { name: 'single appends', steps: times(12, append(SMALL)) },
  {
    name: 'groups of three producers',
    steps: times(6, submit(SMALL, 0), submit(SMALL, 1), submit(900, 2), submit(SMALL, 0), commit),
  },
  { name: 'batches', steps: times(3, batch(SMALL, SMALL, SMALL), batch(BIG, SMALL), append(SMALL)) },
  { name: 'segments that fill up', steps: times(16, append(BIG)) },
  { name: 'rotations on request', steps: times(4, append(SMALL), rotate) },
  { name: 'marks', steps: times(5, append(SMALL), mark) },
  { name: 'padded groups', options: { padGroups: true }, steps: times(4, append(SMALL), append(BIG), mark) },
  {
    name: 'truncation that removes files',
    options: { recycle: false },
    steps: times(3, append(BIG), append(BIG), rotate, append(SMALL), truncate(1), append(SMALL)),
  },
  {
    name: 'truncation that recycles files',
    steps: times(3, append(BIG), append(BIG), rotate, append(BIG), truncate(1), append(BIG)),
  },
  {
    name: 'truncation of everything',
    steps: list(
      append(SMALL),
      append(SMALL),
      truncate(0),
      rotate,
      append(SMALL),
      truncate(0),
      close,
      restart,
      append(SMALL),
    ),
  },
  { name: 'closing and opening', steps: times(3, append(SMALL), append(BIG), reopen) },
  { name: 'processes that are killed', steps: times(4, append(SMALL), append(SMALL), restart) },
  {
    name: 'closing with a full segment',
    steps: list(times(5, append(3800)), append(1500), reopen, times(5, append(3800)), close, restart),
  },
  {
    name: 'transactions',
    steps: times(
      3,
      begin(),
      appendTx(SMALL),
      commit,
      begin(1),
      appendTx(SMALL, 1),
      commitTx(),
      abortTx(1),
      commit,
    ),
  },
  {
    name: 'transactions over rotations',
    steps: list(
      begin(),
      appendTx(SMALL),
      append(BIG, 1),
      rotate,
      appendTx(BIG),
      truncate(0),
      commitTx(),
      commit,
      rotate,
      truncate(0),
      append(SMALL),
    ),
  },
  { name: 'large records', steps: times(2, large(9000), submit(SMALL, 1), large(7000, 2), commit) },
  {
    name: 'large records, truncated and opened again',
    steps: list(
      large(9000),
      commit,
      truncate(0),
      large(9000, 1),
      commit,
      rotate,
      truncate(0),
      reopen,
      large(9000),
      commit,
    ),
  },
  {
    name: 'appends that wait for no sync',
    steps: times(
      3,
      unsynced(SMALL),
      commit,
      unsynced(BIG, 1),
      commit,
      append(SMALL, 2),
      unsynced(SMALL),
      commit,
      sync(),
      commit,
    ),
  },
  {
    name: 'appends that wait for no sync, over rotations',
    steps: list(
      times(3, unsynced(BIG), commit),
      rotate,
      sync(),
      commit,
      times(6, unsynced(BIG, 1), commit),
      mark,
      reopen,
      unsynced(SMALL),
      commit,
      sync(),
      commit,
    ),
  },
  {
    name: 'appends that expect an LSN',
    steps: times(
      4,
      { do: 'expecting', bytes: SMALL, ahead: 1 },
      { do: 'expecting', bytes: SMALL, ahead: 1, producer: 1 },
      { do: 'expecting', bytes: SMALL, ahead: 2, producer: 2 },
      commit,
    ),
  },
  {
    name: 'cursors that are made, moved and deleted',
    steps: list(
      append(SMALL),
      append(SMALL),
      cursor('one'),
      ack('one', 1),
      cursor('two'),
      ack('two', 0),
      ack('one', 0),
      { do: 'deleteCursor', name: 'two' },
      append(SMALL),
      ack('one', 0),
    ),
  },
  {
    name: 'cursors that hold truncation back, and reopening',
    steps: list(
      times(4, append(BIG)),
      cursor('one'),
      rotate,
      append(SMALL),
      truncate(0),
      ack('one', 3),
      reopen,
      cursor('one'),
      ack('one', 0),
      append(BIG),
      truncate(0),
      append(BIG),
    ),
  },
  {
    name: 'cuts',
    steps: list(
      times(3, append(SMALL)),
      cut(1),
      append(SMALL),
      cut(0),
      append(SMALL),
      restart,
      append(SMALL),
    ),
  },
  {
    name: 'cuts over segments, with cursors',
    steps: list(
      append(BIG),
      append(BIG),
      rotate,
      append(BIG),
      cursor('one'),
      ack('one', 0),
      rotate,
      append(BIG),
      cut(3),
      append(BIG),
      rotate,
      append(BIG),
      truncate(1),
      append(SMALL),
    ),
  },
];
