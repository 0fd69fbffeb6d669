/**
 * thread: one thread's part in an open log: its ring, its control channel, and what both the opener and the
 * attached threads can do with them.
 */
import type { MessagePort } from 'node:worker_threads';
import { Appender } from './append/appender.js';
import { DurableWaits } from './append/durable-waits.js';
import { Submitter } from './append/submitter.js';
import { Decoder } from './codec/decoder.js';
import type { KeyCallback } from './codec/keys.js';
import type { ControlChannel } from './control/calls.js';
import type { LogTerms, OpenerApi } from './control/contract.js';
import { makeHandle } from './control/handle.js';
import { ClosedError, IoError } from './errors.js';
import { untilCut } from './read/cut-check.js';
import { readGroups } from './read/read-log.js';
import { checkReadOptions, ofTypes, type ReadOptions, rangeOf } from './read/read-options.js';
import type { LogRecord } from './read/record-assembler.js';
import { createRing } from './ring/layout.js';
import { DEAD, LogState } from './ring/log-state.js';
import { NodeStorage } from './storage/node-storage.js';
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
  readonly directory: string;
  /** For reading what is compressed or encrypted. */
  readonly decoder: Decoder;
  readonly #waits: DurableWaits;
  readonly #terms: LogTerms;

  /** Joins the log behind `control`: makes this thread's ring and has it take part. */
  static async join(
    control: ControlChannel<OpenerApi>,
    terms: LogTerms,
    key: KeyCallback | undefined,
  ): Promise<LogThread> {
    const ring = createRing(terms.options.ringBytes);
    const { directory } = await control.call('attach', ring.buffer);
    return new LogThread(control, ring, terms, directory, key);
  }

  private constructor(
    control: ControlChannel<OpenerApi>,
    ring: ReturnType<typeof createRing>,
    terms: LogTerms,
    directory: string,
    key: KeyCallback | undefined,
  ) {
    this.control = control;
    this.directory = directory;
    this.#terms = terms;
    this.decoder = new Decoder(terms.logId, key, terms.options.maxInflatedBytes);
    this.state = new LogState(terms.state);
    this.#waits = new DurableWaits(this.state);
    this.submitter = new Submitter(ring, this.state, terms.options);
    this.appender = new Appender(this.submitter, terms.options);
  }

  begin(): Transaction {
    const refused = this.submitter.refusal();
    if (refused) throw refused;
    const { options } = this.#terms;
    return new RingTransaction(this.submitter, this.state, { ...options, refusesLate: options.isEncrypted });
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

  async *read(options: ReadOptions = {}): AsyncGenerator<LogRecord, void, void> {
    checkReadOptions(options);
    const { checkpointLsn } = this.state; // before the view, so that it is in it
    const view = await this.held(() => this.control.call('view'));
    const range = rangeOf(options, view, checkpointLsn, this.decoder);
    const storage = await NodeStorage.open(this.directory, { create: false }).catch((cause: unknown) => {
      throw new IoError(`Opening the directory ${this.directory}`, cause);
    });
    try {
      const groups = readGroups(storage, view, range, () => this.state.firstLsn);
      for await (const records of untilCut(groups, range.to, () => this.state.cutAfter(view.cuts))) {
        yield* ofTypes(records, options.types);
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
