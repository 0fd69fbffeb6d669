/**
 * thread: one thread's part in an open log: its ring, its control channel, and what both the opener and the
 * attached threads can do with them.
 */
import type { MessagePort } from 'node:worker_threads';
import { Appender } from './append/appender.js';
import { Submitter } from './append/submitter.js';
import type { ControlChannel } from './control/calls.js';
import type { LogTerms, OpenerApi } from './control/contract.js';
import { makeHandle } from './control/handle.js';
import { ClosedError, InvalidArgumentError, IoError, OutOfRangeError, TruncatedError } from './errors.js';
import { readGroups } from './read/read-log.js';
import type { LogRecord, RecordType, TransactionMode } from './read/record-assembler.js';
import { createRing } from './ring/layout.js';
import { DEAD, LogState } from './ring/log-state.js';
import { NodeStorage } from './storage/node-storage.js';
import { RingTransaction, type Transaction } from './transaction/transaction.js';

/** What `read` reads; both ends are included. */
export interface ReadOptions {
  /** First LSN. Default: the log's first. */
  from?: number;
  /** Last LSN. Default: the last that is durable when `read` is called. */
  to?: number;
  /** Types of records to be read. Default: all. */
  types?: readonly RecordType[];
  /**
   * `committed` (default): the records of a transaction come when it is committed, in the order of the commits, and
   * those of one that was aborted, or is open, do not. `all`: everything as it lies, with the records that begin and
   * end transactions.
   */
  transactions?: TransactionMode;
}

/**
 * Passes a log to another thread: send it with `postMessage(handle, [handle])` or as `workerData` with it in
 * `transferList`, and call `attachLog` there. One handle serves one `attachLog`.
 */
export type LogHandle = MessagePort;

export class LogThread {
  readonly control: ControlChannel<OpenerApi>;
  readonly appender: Appender;
  readonly submitter: Submitter;
  readonly state: LogState;
  readonly directory: string;
  readonly #terms: LogTerms;

  /** Joins the log behind `control`: makes this thread's ring and has it take part. */
  static async join(control: ControlChannel<OpenerApi>, terms: LogTerms): Promise<LogThread> {
    const ring = createRing(terms.options.ringBytes);
    const { directory } = await control.call('attach', ring.buffer);
    return new LogThread(control, ring, terms, directory);
  }

  private constructor(
    control: ControlChannel<OpenerApi>,
    ring: ReturnType<typeof createRing>,
    terms: LogTerms,
    directory: string,
  ) {
    this.control = control;
    this.directory = directory;
    this.#terms = terms;
    this.state = new LogState(terms.state);
    this.submitter = new Submitter(ring, this.state, terms.options);
    this.appender = new Appender(this.submitter, terms.options);
  }

  /** Throws why nothing can be appended, if so. */
  begin(): Transaction {
    const refused = this.submitter.refusal();
    if (refused) throw refused;
    return new RingTransaction(this.submitter, this.state, { ...this.#terms.options, refusesLate: false });
  }

  async truncateBefore(lsn: number): Promise<void> {
    checkLsn('The truncation mark', lsn);
    await this.held(() => this.control.call('truncateBefore', lsn));
  }

  /** A handle for another thread. */
  handle(): LogHandle {
    const { handle, workerEnd } = makeHandle(this.#terms);
    // Nobody waits for this. When it fails, the worker never gets its end, and the other thread learns from the
    // closed port that the log is gone.
    this.control.send('adopt', workerEnd).catch(() => workerEnd.close());
    return handle;
  }

  async *read(options: ReadOptions = {}): AsyncGenerator<LogRecord, void, void> {
    const { from, to, types: wanted, transactions = 'committed' } = checkReadOptions(options);
    if (from !== undefined) checkLsn('Option "from"', from);
    if (to !== undefined) checkLsn('Option "to"', to);
    const view = await this.held(() => this.control.call('view'));
    const start = from ?? view.firstLsn;
    if (start < view.firstLsn) throw new TruncatedError(start, view.firstLsn);
    const end = to ?? view.durableLsn;
    if (end > view.durableLsn || start > view.durableLsn + 1) {
      throw new OutOfRangeError(
        `LSN ${Math.max(start, end)} is not in the log: the last one durable is ${view.durableLsn}.`,
      );
    }
    const storage = await NodeStorage.open(this.directory, { create: false }).catch((cause: unknown) => {
      throw new IoError(`Opening the directory ${this.directory}`, cause);
    });
    try {
      const range = { from: start, to: end, transactions, decoder: undefined };
      for await (const records of readGroups(storage, view, range, () => this.state.firstLsn)) {
        if (wanted === undefined) yield* records;
        else yield* records.filter(({ type }) => wanted.includes(type));
      }
    } finally {
      await storage.close();
    }
  }

  /** The I/O worker has ended: in order, if the log is closed; else everything pending is rejected. */
  workerGone(cause?: unknown): void {
    this.state.advance(DEAD); // stays what it is when the log is closed or poisoned
    this.control.fail(this.state.refusal(cause) ?? new ClosedError());
    this.submitter.stateChanged();
  }

  /** Holds the process while `task` runs. */
  async held<T>(task: () => Promise<T>): Promise<T> {
    const { keepAlive } = this.submitter;
    keepAlive.hold();
    try {
      return await task();
    } finally {
      keepAlive.release();
    }
  }
}

function checkLsn(what: string, lsn: unknown): void {
  if (!Number.isSafeInteger(lsn) || (lsn as number) < 1) {
    throw new InvalidArgumentError(`${what} must be an LSN, an integer from 1, not ${String(lsn)}.`);
  }
}

const readOptions = new Set<string>(['from', 'to', 'types', 'transactions'] satisfies (keyof ReadOptions)[]);
const recordTypes: readonly RecordType[] = ['record', 'checkpoint', 'begin', 'commit', 'abort'];

function checkReadOptions(options: ReadOptions): ReadOptions {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError('The options of a read must be an object.');
  for (const name of Object.keys(options)) {
    if (!readOptions.has(name)) throw new InvalidArgumentError(`Unknown option "${name}" of a read.`);
  }
  const { types, transactions } = options;
  if (types !== undefined && !(Array.isArray(types) && types.every((type) => recordTypes.includes(type))))
    throw new InvalidArgumentError(`Option "types" must be an array of ${recordTypes.join(', ')}.`);
  if (transactions !== undefined && transactions !== 'committed' && transactions !== 'all')
    throw new InvalidArgumentError('Option "transactions" must be "committed" or "all".');
  return options;
}
