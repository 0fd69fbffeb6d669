/**
 * thread: one thread's part in an open log: its ring, its control channel, and what both the opener and the
 * attached threads can do with them.
 */
import type { MessagePort } from 'node:worker_threads';
import { Appender } from './append/appender.js';
import { DurableWaits } from './append/durable-waits.js';
import { Submitter } from './append/submitter.js';
import { Decoder } from './codec/decoder.js';
import type { KeySource } from './codec/keys.js';
import type { ControlChannel } from './control/calls.js';
import type { LogTerms, OpenerApi, ReadView } from './control/contract.js';
import { makeHandle } from './control/handle.js';
import { CompletionEvents } from './diagnostics.js';
import { ClosedError, RingwalError } from './errors.js';
import { cutOff, untilCut } from './read/cut-check.js';
import { disposable } from './read/disposable.js';
import { interruptible } from './read/interruptible.js';
import { lookAtLog } from './read/look.js';
import { readGroups } from './read/read-log.js';
import { checkReadOptions, ofTypes, type ReadOptions, rangeOf, startOf } from './read/read-options.js';
import type { LogRecord } from './read/record-assembler.js';
import { checkTailOptions, type TailOptions, type TailSource, tailLog } from './read/tail.js';
import { createRing } from './ring/layout.js';
import { CLOSED, DEAD, LogState } from './ring/log-state.js';
import type { NodeStorage } from './storage/node-storage.js';
import { type LogPlace, openPlace } from './storage/open-directory.js';
import { RingTransaction, type Transaction } from './transaction/transaction.js';

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
  /** For reading what is compressed or encrypted. */
  readonly decoder: Decoder;
  readonly #waits: DurableWaits;
  readonly #transactions = new Set<RingTransaction>();
  readonly #terms: LogTerms;
  readonly #place: LogPlace;

  /** Joins the log behind `control`: makes this thread's ring and has it take part. */
  static async join(
    control: ControlChannel<OpenerApi>,
    terms: LogTerms,
    key: KeySource | undefined,
  ): Promise<LogThread> {
    const ring = createRing(terms.options.ringBytes);
    const { place } = await control.call('attach', ring.buffer);
    return new LogThread(control, ring, terms, place, key);
  }

  private constructor(
    control: ControlChannel<OpenerApi>,
    ring: ReturnType<typeof createRing>,
    terms: LogTerms,
    place: LogPlace,
    key: KeySource | undefined,
  ) {
    this.control = control;
    this.#place = place;
    this.#terms = terms;
    const { maxInflatedBytes, plainBefore } = terms.options;
    this.decoder = new Decoder(terms.logId, key, maxInflatedBytes, plainBefore);
    this.state = new LogState(terms.state);
    this.#waits = new DurableWaits(this.state);
    this.submitter = new Submitter(ring, this.state, terms.options, new CompletionEvents(place.directory));
    this.appender = new Appender(this.submitter, terms.options);
  }

  /** Absolute path of the log directory. */
  get directory(): string {
    return this.#place.directory;
  }

  begin(): Transaction {
    const refused = this.submitter.refusal();
    if (refused) throw refused;
    const { options } = this.#terms;
    const terms = { ...options, refusesLate: options.isEncrypted };
    return new RingTransaction(this.submitter, this.state, terms, this.#transactions);
  }

  /** Settles with the commits that wait for their records: they were called before this thread closes its part. */
  get commits(): Promise<unknown> {
    return Promise.all([...this.#transactions].map(({ committing }) => committing));
  }

  /** Gives up the transactions that are open here. Called as this thread leaves a log that goes on. */
  abandonTransactions(): void {
    if (this.submitter.refusal() !== undefined) return;
    for (const transaction of this.#transactions) transaction.abandon();
  }

  /** Resolves with the last durable LSN once that is `lsn` or more. */
  waitForDurable(lsn: number, signal?: AbortSignal): Promise<number> {
    return this.held(() => this.#waits.wait(lsn, signal));
  }

  /** This thread has no part in the log any more: nobody waits for it here. */
  leave(): void {
    this.#waits.fail(this.state.refusal() ?? new ClosedError());
  }

  /** A handle for another thread. */
  handle(): LogHandle {
    const { handle, workerEnd } = makeHandle(this.#terms);
    // Nobody waits for this. When it fails, the worker never gets its end, and the other thread learns from the
    // closed port that the log is gone.
    this.control.send('adopt', workerEnd).catch(() => workerEnd.close());
    return handle;
  }

  read(options: ReadOptions = {}): AsyncGenerator<LogRecord, void, void> {
    return disposable(this.#read(options));
  }

  async *#read(options: ReadOptions): AsyncGenerator<LogRecord, void, void> {
    checkReadOptions(options);
    const { checkpointLsn } = this.state; // before the view, so that it is in it
    const view = await this.held(() => this.control.call('view'));
    const range = rangeOf(options, view, checkpointLsn, this.decoder);
    const storage = await openPlace(this.#place);
    try {
      const groups = readGroups(storage, view, range, () => this.state.firstLsn);
      for await (const records of untilCut(groups, range.to, () => this.state.cutAfter(view.cuts))) {
        // Not by `yield*`: arrays take no `throw`, and newer versions of Node make an error of that.
        for (const record of ofTypes(records, options.types)) yield record;
      }
    } finally {
      await storage.close();
    }
  }

  /** The records from `options.from` on, as they become durable. */
  tail(options: TailOptions = {}): AsyncGenerator<LogRecord, void, void> {
    return interruptible(options, (own) => this.#tail(own));
  }

  async *#tail(options: TailOptions): AsyncGenerator<LogRecord, void, void> {
    checkTailOptions(options);
    const { checkpointLsn, firstLsn } = this.state;
    const from = startOf(options.from, firstLsn, checkpointLsn);
    let { cuts } = this.state;
    const storage = await openPlace(this.#place);
    try {
      const newest = async (lsn: number): Promise<ReadView | undefined> => {
        try {
          await this.waitForDurable(lsn, options.signal);
          return await this.held(() => this.control.call('view'));
        } catch (error) {
          if (!(error instanceof RingwalError && error.code === 'RINGWAL_CLOSED')) throw error;
          return this.#viewOfClosed(storage, lsn);
        }
      };
      const next = async (lsn: number): Promise<ReadView | undefined> => {
        const view = await newest(lsn);
        const last = this.state.cutAfter(cuts);
        if (last < lsn - 1) throw cutOff(last); // what was given is no longer part of the log
        cuts = view?.cuts ?? cuts; // those before it were behind what was given
        return view;
      };
      const whileThere: TailSource['whileThere'] = (groups, view) =>
        untilCut(groups, view.durableLsn, () => this.state.cutAfter(view.cuts));
      const check = (): void => {}; // what was durable is given also when the log is closed
      const source = { next, firstLsn: () => this.state.firstLsn, whileThere, check };
      yield* tailLog(storage, source, this.decoder, from, options);
    } finally {
      await storage.close();
    }
  }

  /** The log was closed, or this thread left it: what is still to be read from `lsn` on, if anything is. */
  async #viewOfClosed(storage: NodeStorage, lsn: number): Promise<ReadView | undefined> {
    const { state, durableLsn } = this.state;
    if (state > CLOSED) throw this.state.refusal() ?? new ClosedError();
    if (state !== CLOSED || durableLsn < lsn) return undefined;
    // Nobody can be asked any more; but the files tell. What another writer adds is not this log's.
    const { view } = await lookAtLog(storage, async () => false);
    if (view.durableLsn < lsn) return undefined;
    return { ...view, durableLsn: Math.min(view.durableLsn, durableLsn), cuts: this.state.cuts };
  }

  /** The I/O worker has ended: in order, if the log is closed; else everything pending is rejected. */
  workerGone(cause?: unknown): void {
    this.state.advance(DEAD); // stays what it is when the log is closed or poisoned
    this.control.fail(this.state.refusal(cause) ?? new ClosedError());
    this.submitter.stateChanged();
    this.#waits.stateChanged();
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
