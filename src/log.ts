/** log: the public face of a log: what can be done with it where it was opened, and on other threads. */
import type { AppendOptions, LsnRange, Receipt } from './append/append-options.js';
import type { Payload } from './append/payload.js';
import type { WorkerStats } from './control/contract.js';
import type { LogFollowing } from './followed-log.js';
import type { LogLifecycle } from './lifecycle/lifecycle-log.js';
import type { ReadOptions } from './read/read-options.js';
import type { LogRecord } from './read/record-assembler.js';
import type { RecoverySummary } from './recovery/summary.js';
import type { LogHandle } from './thread.js';
import type { TransactionSource } from './transaction/transaction.js';

/** Counters since the log was opened. */
export interface LogStats extends WorkerStats {
  /** First LSN of the log. */
  readonly firstLsn: number;
  /** The last LSN known to be on stable storage; 0 in an empty log. */
  readonly durableLsn: number;
  /** Appends of this thread that are neither resolved nor rejected. */
  readonly inFlight: number;
  /** Bytes of this thread's ring in use. */
  readonly ringBytes: number;
  /** Bytes of this thread's ring. */
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
   * The payload's bytes are taken before `append` returns, so its memory can be reused at once; except for those of
   * a record larger than a group (`maxGroupBytes`), which are borrowed until the promise settles. When the thread's
   * ring is full, the append waits its turn.
   *
   * Rejects with RINGWAL_INVALID_ARGUMENT, RINGWAL_TOO_LARGE, RINGWAL_OVERLOADED or RINGWAL_CLOSED (never
   * written), with the signal's reason when aborted while waiting (never written), and with RINGWAL_POISONED
   * or RINGWAL_WORKER_DIED (it may or may not be on disk).
   */
  append(payload: Payload, options?: AppendOptions & { readonly receipt?: false }): Promise<number>;
  /** As `append` above, with a receipt. */
  append(payload: Payload, options: AppendOptions & { readonly receipt: true }): Promise<Receipt>;
  /** As `append` above, with a receipt if the options ask for one. */
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
   * The durable records from `from` to `to` (both included), each verified, in LSN order; those of a transaction where
   * it is committed. Throws, as the iteration starts or goes on, RINGWAL_TRUNCATED when a record asked for is gone,
   * RINGWAL_OUT_OF_RANGE when it is not there yet or was cut off (`truncateAfter`), RINGWAL_CORRUPT when it is damaged,
   * RINGWAL_TOO_LARGE when it is longer than `maxInflatedBytes`, RINGWAL_DECRYPTION when its key is not there or is wrong,
   * RINGWAL_UNSUPPORTED_VERSION when this Node can't inflate it,
   * RINGWAL_IO when it can't be read, RINGWAL_INVALID_ARGUMENT, and RINGWAL_CLOSED, RINGWAL_POISONED or RINGWAL_WORKER_DIED when the log has ended before.
   */
  read(options?: ReadOptions): AsyncGenerator<LogRecord, void, void>;

  /** Counters and distributions since the log was opened. Rejects with RINGWAL_CLOSED and RINGWAL_WORKER_DIED. */
  stats(): Promise<LogStats>;

  /** A handle for another thread; see `attachLog`. */
  handle(): LogHandle;

  /**
   * Waits for this thread's appends and commits, then closes: the log itself when called where it was opened, only this
   * thread's part in it elsewhere. May be called more than once. Rejects with RINGWAL_POISONED or RINGWAL_WORKER_DIED
   * when it is closing that fails; a log that had failed before is closed all the same.
   */
  close(): Promise<void>;
}

/** An open log. Dispose of it with `close`, or `await using`. */
export interface Log extends LogAppender {
  /** What opening found. */
  readonly recovery: RecoverySummary;

  /**
   * Encrypts what is appended from now on with the key that the callback of `encryption` gives for `keyId`; records
   * before keep theirs. Several calls take effect in their order. Rejects with RINGWAL_INVALID_ARGUMENT, and with
   * RINGWAL_ENCRYPTION when there is no such key.
   */
  rotateKey(keyId: number): Promise<void>;
}
