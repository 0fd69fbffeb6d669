/** log: the public face of a log, for the thread that opens it (`openLog`) and for others (`attachLog`). */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { AppendOptions, LsnRange, Receipt } from './append/append-options.js';
import type { Payload } from './append/payload.js';
import { checkKeyId, type KeyCallback, keyOf } from './codec/keys.js';
import { ControlChannel } from './control/calls.js';
import type { OpenerApi, WorkerInput, WorkerStats } from './control/contract.js';
import { takeHandle } from './control/handle.js';
import { ClosedError, InvalidArgumentError, WorkerDiedError } from './errors.js';
import { FollowedLog, type LogFollowing } from './followed-log.js';
import { serveFreed } from './lifecycle/freed-hook.js';
import type { LogLifecycle } from './lifecycle/lifecycle-log.js';
import { type LogOptions, resolveOptions } from './options.js';
import type { ReadOptions } from './read/read-options.js';
import type { LogRecord } from './read/record-assembler.js';
import type { RecoverySummary } from './recovery/summary.js';
import { CLOSED, DEAD, LogState, POISONED } from './ring/log-state.js';
import { type LogHandle, LogThread } from './thread.js';
import type { Transaction, TransactionSource } from './transaction/transaction.js';

export type { SegmentInfo } from './lifecycle/lifecycle-log.js';

/** Counters since the log was opened. */
export interface LogStats extends WorkerStats {
  readonly firstLsn: number;
  readonly durableLsn: number;
  /** Appends of this thread that are neither resolved nor rejected. */
  readonly inFlight: number;
  /** Bytes of this thread's ring in use, of how many. */
  readonly ringBytes: number;
  readonly ringCapacityBytes: number;
  /** Bytes of this thread's appends that wait for room in the ring. */
  readonly waitingBytes: number;
}

/** What every thread that has a part in a log can do with it. */
export interface LogAppender extends TransactionSource, LogLifecycle, LogFollowing, AsyncDisposable {
  /** Absolute path of the log directory. */
  readonly directory: string;
  /** The last LSN known to be on stable storage; 0 in an empty log. Reads shared memory: cheap. */
  readonly durableLsn: number;
  /** The first LSN of the log; records before it were truncated. Reads shared memory: cheap. */
  readonly firstLsn: number;
  /** LSN of the last checkpoint, also one from before the log was opened; 0: none. Reads shared memory: cheap. */
  readonly checkpointLsn: number;

  /**
   * Appends one record; resolves with its LSN once it is on stable storage.
   *
   * The payload's bytes are taken before `append` returns, so its memory can be reused at once. When the
   * thread's ring is full, the append waits its turn.
   *
   * Rejects with RINGWAL_INVALID_ARGUMENT, RINGWAL_TOO_LARGE, RINGWAL_OVERLOADED or RINGWAL_CLOSED (never
   * written), with the signal's reason when aborted while waiting (never written), and with RINGWAL_POISONED
   * or RINGWAL_WORKER_DIED (it may or may not be on disk).
   */
  append(payload: Payload, options?: AppendOptions & { readonly receipt?: false }): Promise<number>;
  append(payload: Payload, options: AppendOptions & { readonly receipt: true }): Promise<Receipt>;
  append(payload: Payload, options?: AppendOptions): Promise<number | Receipt>;

  /** As `append`, but returns undefined, having done nothing, when the record would have to wait for room. */
  tryAppend(payload: Payload): Promise<number> | undefined;

  /**
   * Appends records that are there all or none, also after a crash, with consecutive LSNs. All of them together
   * must fit into one group (`maxGroupBytes`, `maxGroupRecords`). Rejects as `append` does.
   */
  appendBatch(payloads: readonly Payload[], options?: AppendOptions): Promise<LsnRange>;

  /**
   * Appends a record as a checkpoint: `checkpointLsn` names it from when it is durable on, also when the log is
   * opened again. At most as large as a group. Rejects as `append` does.
   */
  checkpoint(payload: Payload): Promise<number>;

  /** Resolves, with the last durable LSN, once all appends made on this thread so far are durable; ends a commit window. */
  sync(): Promise<number>;

  /**
   * The durable records from `from` to `to` (both included), in LSN order, each verified. Throws, as the
   * iteration starts or goes on, RINGWAL_TRUNCATED when a record asked for is gone, RINGWAL_OUT_OF_RANGE when it
   * is not there yet, RINGWAL_CORRUPT when it is damaged, and RINGWAL_IO when it can't be read.
   */
  read(options?: ReadOptions): AsyncGenerator<LogRecord, void, void>;

  stats(): Promise<LogStats>;

  /** A handle for another thread; see `attachLog`. */
  handle(): LogHandle;

  /**
   * Waits for this thread's appends, then closes: the log itself when called where it was opened, only this
   * thread's part in it elsewhere. May be called more than once.
   */
  close(): Promise<void>;
}

/** An open log. Dispose of it with `close`, or `await using`. */
export interface Log extends LogAppender {
  /** What opening found. */
  readonly recovery: RecoverySummary;

  /**
   * Encrypts what is appended from now on with the key that the callback of `encryption` gives for `keyId`; records
   * before keep theirs. Rejects with RINGWAL_INVALID_ARGUMENT, and with RINGWAL_ENCRYPTION when there is no such key.
   */
  rotateKey(keyId: number): Promise<void>;
}

/**
 * Opens the log in directory `path`, creating both if need be, and recovers it.
 *
 * Rejects with RINGWAL_INVALID_ARGUMENT, RINGWAL_LOCKED when it is open elsewhere, RINGWAL_CORRUPT when
 * acknowledged data is damaged, RINGWAL_UNSUPPORTED_VERSION, and RINGWAL_IO. An open log does not keep the
 * process running; pending appends and calls do.
 */
export async function openLog(path: string, options?: LogOptions): Promise<Log> {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new InvalidArgumentError('The log directory must be a path, a non-empty string.');
  }
  const resolved = resolveOptions(options);
  const encryption = options?.encryption;
  const encryptionKey = encryption && {
    keyId: encryption.keyId,
    key: await keyOf(encryption.key, encryption.keyId),
  };
  const state = new LogState();
  const { port1, port2 } = new MessageChannel();
  const freedPort = serveFreed(options?.onSegmentFreed);
  const input: WorkerInput = {
    directory: path,
    options: resolved,
    state: state.buffer,
    encryptionKey,
    port: port2,
    freedPort,
  };
  const worker = new Worker(options?.workerUrl ?? new URL('../workers/io-worker.js', import.meta.url), {
    name: 'ringwal-io',
    workerData: input,
    transferList: freedPort ? [port2, freedPort] : [port2],
    execArgv: [], // the application's flags (--input-type, --import, --inspect-brk) are not meant for this thread
  });
  const control = new ControlChannel<OpenerApi>(port1);
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let failure: unknown;
  let log: OpenedLog | undefined;
  worker.once('error', (error) => {
    failure = error;
  });
  worker.once('exit', (code) => {
    const cause = failure ?? (code === 0 ? undefined : new Error(`exit code ${code}`));
    if (log === undefined) control.fail(new WorkerDiedError(cause));
    else log.workerGone(cause);
  });
  try {
    const recovery = await control.call('open');
    const thread = await LogThread.join(control, await control.call('options'), encryption?.key);
    log = new OpenedLog(thread, recovery, exited, encryption?.key);
    worker.unref();
    return log;
  } catch (error) {
    await worker.terminate();
    control.close();
    throw error;
  }
}

/**
 * Takes part in a log that another thread opened, through a handle from its `handle()`. Appends from here go
 * through a ring of their own, at full speed. `close` it when done; when the thread ends without, its part ends
 * with it, and what it had published is still written.
 *
 * Rejects with RINGWAL_INVALID_ARGUMENT when `handle` is none or was used, and with RINGWAL_CLOSED when the log is
 * closed, RINGWAL_WORKER_DIED when it ended without.
 */
export async function attachLog(handle: LogHandle, options: AttachOptions = {}): Promise<LogAppender> {
  const { key } = checkAttachOptions(options);
  const { port, terms } = takeHandle(handle);
  const control = new ControlChannel<OpenerApi>(port);
  let log: AttachedLog | undefined;
  port.once('close', () => {
    // The worker closes its end when the log is closed, and the system closes it when the worker dies.
    if (log === undefined) control.fail(new ClosedError());
    else log.workerGone();
  });
  port.ref();
  try {
    const state = new LogState(terms.state);
    if (state.state === CLOSED || state.state === DEAD) throw state.refusal();
    log = new AttachedLog(await LogThread.join(control, terms, key));
    return log;
  } catch (error) {
    control.close();
    throw error;
  } finally {
    port.unref();
  }
}

/** Options of `attachLog`. */
export interface AttachOptions {
  /** Gives the keys for reading a log that is encrypted, as `encryption.key` of `openLog`; appending needs none. */
  readonly key?: KeyCallback;
}

function checkAttachOptions(options: AttachOptions): AttachOptions {
  if (typeof options !== 'object' || options === null)
    throw new InvalidArgumentError('The options of attachLog must be an object.');
  if (options.key !== undefined && typeof options.key !== 'function')
    throw new InvalidArgumentError('Option "key" of attachLog must be a function.');
  return options;
}

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
    this.#closing ??= this.thread.held(() => this.shutDown());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected abstract shutDown(): Promise<void>;
}

class OpenedLog extends ThreadLog implements Log {
  readonly recovery: RecoverySummary;
  readonly #exited: Promise<void>;
  readonly #key: KeyCallback | undefined;

  constructor(
    thread: LogThread,
    recovery: RecoverySummary,
    exited: Promise<void>,
    key: KeyCallback | undefined,
  ) {
    super(thread);
    this.#key = key;
    this.recovery = recovery;
    this.#exited = exited;
  }

  async rotateKey(keyId: number): Promise<void> {
    checkKeyId(keyId);
    const callback = this.#key;
    if (callback === undefined)
      throw new InvalidArgumentError(
        'The log was opened without option "encryption": there is no key to rotate.',
      );
    const key = await keyOf(callback, keyId);
    await this.thread.held(() => this.thread.control.call('rotateKey', { keyId, key }));
  }

  workerGone(cause: unknown): void {
    this.thread.workerGone(cause);
  }

  protected override async shutDown(): Promise<void> {
    const { submitter, control } = this.thread;
    await submitter.close();
    const hadFailed = this.thread.state.state >= POISONED;
    try {
      await control.call('close');
    } catch (error) {
      // A log that had failed is closed all the same: who appended was told. And the worker's exit may be heard
      // of before its answer, which comes another way.
      if (!hadFailed && !(error instanceof WorkerDiedError || error instanceof ClosedError)) throw error;
    } finally {
      control.close();
      await this.#exited;
      submitter.detach();
      this.thread.leave();
    }
  }
}

class AttachedLog extends ThreadLog {
  #left = false;

  /** The channel closed; unless it was this side that left, the log is closed or its worker dead. */
  workerGone(): void {
    if (!this.#left) this.thread.workerGone();
  }

  protected override async shutDown(): Promise<void> {
    const { submitter, control } = this.thread;
    await submitter.close();
    this.#left = true;
    submitter.detach();
    this.thread.leave();
    control.close();
  }
}
