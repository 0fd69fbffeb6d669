/** thread-log: a thread's part in a log, behind the public face; how it ends differs for who opened it and who attached. */
import type { AppendOptions, LsnRange, Receipt } from './append/append-options.js';
import type { Payload } from './append/payload.js';
import { checkKeyId, type KeySource } from './codec/keys.js';
import { closeChannel } from './diagnostics.js';
import { ClosedError, InvalidArgumentError } from './errors.js';
import { FollowedLog } from './followed-log.js';
import type { Log, LogAppender, LogStats } from './log.js';
import type { ReadOptions } from './read/read-options.js';
import type { LogRecord } from './read/record-assembler.js';
import type { RecoverySummary } from './recovery/summary.js';
import { POISONED } from './ring/log-state.js';
import type { LogHandle, LogThread } from './thread.js';
import type { Transaction } from './transaction/transaction.js';

/** What both kinds share: everything but the way they close. */
abstract class ThreadLog extends FollowedLog implements LogAppender {
  #closing: Promise<void> | undefined;

  get directory(): string {
    return this.thread.directory;
  }

  get durableLsn(): number {
    return this.thread.state.durableLsn;
  }

  get firstLsn(): number {
    return this.thread.state.firstLsn;
  }

  get checkpointLsn(): number {
    return this.thread.state.checkpointLsn;
  }

  append(payload: Payload, options?: AppendOptions & { readonly receipt?: false }): Promise<number>;
  append(payload: Payload, options: AppendOptions & { readonly receipt: true }): Promise<Receipt>;
  append(payload: Payload, options?: AppendOptions): Promise<number | Receipt> {
    return this.thread.appender.append(payload, options);
  }

  tryAppend(payload: Payload): Promise<number> | undefined {
    return this.thread.appender.tryAppend(payload);
  }

  appendBatch(payloads: readonly Payload[], options?: AppendOptions): Promise<LsnRange> {
    return this.thread.appender.appendBatch(payloads, options);
  }

  checkpoint(payload: Payload): Promise<number> {
    return this.thread.appender.checkpoint(payload);
  }

  begin(): Transaction {
    return this.thread.begin();
  }

  sync(): Promise<number> {
    return this.thread.submitter.sync();
  }

  read(options?: ReadOptions): AsyncGenerator<LogRecord, void, void> {
    return this.thread.read(options);
  }

  async stats(): Promise<LogStats> {
    const { submitter, state, control } = this.thread;
    const worker = await this.thread.held(() => control.call('stats'));
    const { firstLsn, durableLsn } = state;
    return { ...worker, firstLsn, durableLsn, inFlight: submitter.inFlight, ...submitter.fill };
  }

  handle(): LogHandle {
    return this.thread.handle();
  }

  close(): Promise<void> {
    this.#closing ??= this.thread
      .held(() => this.shutDown())
      .finally(() => closeChannel.publish({ directory: this.directory })); // all is released, also when it rejects
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected abstract shutDown(): Promise<void>;
}

export class OpenedLog extends ThreadLog implements Log {
  readonly recovery: RecoverySummary;
  readonly #endWorker: () => Promise<unknown>;
  readonly #keys: KeySource | undefined;
  /** Settles with the rotation that was called last: the next one waits for it, however long its callback takes. */
  #rotated: Promise<unknown> = Promise.resolve();

  constructor(
    thread: LogThread,
    recovery: RecoverySummary,
    endWorker: () => Promise<unknown>,
    keys: KeySource | undefined,
  ) {
    super(thread);
    this.#keys = keys;
    this.recovery = recovery;
    this.#endWorker = endWorker;
  }

  async rotateKey(keyId: number): Promise<void> {
    checkKeyId(keyId);
    const keys = this.#keys;
    if (keys === undefined)
      throw new InvalidArgumentError(
        'The log was opened without option "encryption": there is no key to rotate.',
      );
    const rotated = this.#rotated.then(async () => {
      const key = await keys(keyId);
      await this.thread.held(() => this.thread.control.call('rotateKey', { keyId, key }));
    });
    this.#rotated = rotated.catch(() => {});
    await rotated;
  }

  workerGone(cause: unknown): void {
    this.thread.workerGone(cause);
  }

  protected override async shutDown(): Promise<void> {
    const { submitter, control } = this.thread;
    await submitter.close(this.thread.commits);
    const hadFailed = this.thread.state.state >= POISONED;
    try {
      await control.call('close');
    } catch (error) {
      // A log that had failed is closed all the same: who appended was told. And one whose worker died behind its
      // last write, before the answer, is closed.
      if (!hadFailed && !(error instanceof ClosedError)) throw error;
    } finally {
      control.close();
      // All is released. Not left to end by itself: what else runs there, as a module of NODE_OPTIONS, may keep it.
      await this.#endWorker();
      submitter.detach();
      this.thread.leave();
    }
  }
}

export class AttachedLog extends ThreadLog {
  #left = false;

  /** The channel closed; unless it was this side that left, the log is closed or its worker dead. */
  workerGone(): void {
    if (!this.#left) this.thread.workerGone();
  }

  protected override async shutDown(): Promise<void> {
    const { submitter, control } = this.thread;
    this.thread.abandonTransactions();
    await submitter.close(this.thread.commits);
    // Something is pending still: the disk is full. The worker is to take nothing more of it, or it would be written some
    // day, and its caller has been told that it never will. A log that has ended takes nothing either.
    if (submitter.inFlight > 0) await control.call('withdraw').catch(() => {});
    this.#left = true;
    submitter.detach();
    this.thread.leave();
    control.close();
  }
}
