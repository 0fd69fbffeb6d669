/**
 * Errors: every error ringwal gives its callers, each a class with a stable `code`.
 *
 * Codes do not change between major versions; messages may. Match on `code`, not on `instanceof` (two copies
 * of the package in one process have two sets of classes). Misuse and failure are told apart by the code
 * alone; the first cause of a failure is kept in `cause`, also across threads.
 */

/** The codes, with what each means for the caller. */
export type RingwalErrorCode =
  /** An option or argument is of the wrong type or out of range. Nothing was done. */
  | 'RINGWAL_INVALID_ARGUMENT'
  /** The record or batch is larger than one group can be. Nothing was written. */
  | 'RINGWAL_TOO_LARGE'
  /** The log is closed or closing. The append was not, and will not be, written. */
  | 'RINGWAL_CLOSED'
  /** More bytes wait for room in the ring than `maxWaitingBytes`. The append was not written. */
  | 'RINGWAL_OVERLOADED'
  /** Another log, in this or another process, has the directory open. Nothing was touched. */
  | 'RINGWAL_LOCKED'
  /** A write or sync failed; the log takes nothing more. A rejected append may or may not be on disk. */
  | 'RINGWAL_POISONED'
  /** The I/O worker ended before the log was closed. A rejected append may or may not be on disk. */
  | 'RINGWAL_WORKER_DIED'
  /** Acknowledged data is damaged or missing. No file was changed. */
  | 'RINGWAL_CORRUPT'
  /** Another version of the format, or of Node, is needed to read it. No file was changed. */
  | 'RINGWAL_UNSUPPORTED_VERSION'
  /** The file system refused a read, or an operation while opening. No acknowledged data was changed. */
  | 'RINGWAL_IO'
  /** Another record got the LSN that an append expected. It was not written. */
  | 'RINGWAL_CONFLICT'
  /** The transaction was committed or aborted before. Nothing was done. */
  | 'RINGWAL_TRANSACTION_ENDED'
  /** An append of the transaction was rejected, so nothing of it takes effect. */
  | 'RINGWAL_TRANSACTION_ABORTED'
  /** A record could not be encrypted. It was not written. */
  | 'RINGWAL_ENCRYPTION'
  /** A record could not be decrypted: its key is not there or is wrong, it was changed, or it is in plain and must not be. */
  | 'RINGWAL_DECRYPTION'
  /** The LSN lies before the log's first record: it was truncated away. */
  | 'RINGWAL_TRUNCATED'
  /** The LSN lies beyond what the log holds. */
  | 'RINGWAL_OUT_OF_RANGE'
  /** Something else must end first: a transaction or a large record is open. Nothing was done. */
  | 'RINGWAL_BUSY';

/** Base of all errors of this package. `details` holds plain values only and never payload bytes. */
export class RingwalError extends Error {
  /** Stable: what to match on. */
  readonly code: RingwalErrorCode;

  constructor(code: RingwalErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }

  /** Name of the class. */
  override get name(): string {
    return this.constructor.name;
  }
}

export class InvalidArgumentError extends RingwalError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('RINGWAL_INVALID_ARGUMENT', message, options);
  }
}

export class TooLargeError extends RingwalError {
  constructor(message: string) {
    super('RINGWAL_TOO_LARGE', message);
  }
}

export class ClosedError extends RingwalError {
  constructor(message = 'The log is closed; open it again to append.') {
    super('RINGWAL_CLOSED', message);
  }
}

export class OverloadedError extends RingwalError {
  constructor(message: string) {
    super('RINGWAL_OVERLOADED', message);
  }
}

export class LockedError extends RingwalError {
  constructor(message: string) {
    super('RINGWAL_LOCKED', message);
  }
}

export class PoisonedError extends RingwalError {
  constructor(cause: unknown) {
    super(
      'RINGWAL_POISONED',
      `A write or sync of the log failed (${describe(cause)}); it takes no more appends. Appends that were ` +
        'pending may or may not be on disk: close the log, mend the cause, and open it again to see.',
      { cause },
    );
  }
}

export class WorkerDiedError extends RingwalError {
  constructor(cause?: unknown) {
    super(
      'RINGWAL_WORKER_DIED',
      `The log's I/O worker ended unexpectedly${cause === undefined ? '' : ` (${describe(cause)})`}. ` +
        (/^(ERR_)?MODULE_NOT_FOUND$/.test(String((cause as { code?: unknown } | undefined)?.code))
          ? 'In a bundle, copy io-worker.js to the other files, and say where it is (option "workerUrl").'
          : 'Appends that were pending may or may not be on disk: open the log again to see.'),
      { cause },
    );
  }
}

/** Where damage was found; all fields that are known are set. */
export interface DamageDetails {
  /** File name inside the log directory. */
  file?: string;
  /** Byte offset in the file at which verification failed. */
  offset?: number;
  /** LSN of the first record that is lost or unreadable. */
  expectedLsn?: number;
  /** LSN of the last record that verified before the damage. */
  lastGoodLsn?: number;
  /** LSN of the first record that verifies after the damage, when there is one. */
  firstGoodLsnAfter?: number;
  /** What proves that the damaged place held acknowledged data. */
  evidence?: string;
}

export class CorruptError extends RingwalError {
  /** Where the damage is, as far as it is known. */
  readonly details: DamageDetails;

  constructor(message: string, details: DamageDetails = {}) {
    super('RINGWAL_CORRUPT', message);
    this.details = details;
  }
}

export class UnsupportedVersionError extends RingwalError {
  constructor(message: string) {
    super('RINGWAL_UNSUPPORTED_VERSION', message);
  }
}

export class IoError extends RingwalError {
  constructor(doing: string, cause: unknown) {
    super('RINGWAL_IO', `${doing} failed: ${describe(cause)}`, { cause });
  }
}

export class TruncatedError extends RingwalError {
  constructor(lsn: number, firstLsn: number) {
    super(
      'RINGWAL_TRUNCATED',
      `LSN ${lsn} was truncated away; the log's first record is now ${firstLsn}. Read from there on.`,
    );
  }
}

export class ConflictError extends RingwalError {
  /** The LSN that the record would have got. */
  readonly actualLsn: number;

  constructor(actualLsn: number) {
    super(
      'RINGWAL_CONFLICT',
      `The next LSN is ${actualLsn}, not the one that the append expected. Read what came in between, and try again.`,
    );
    this.actualLsn = actualLsn;
  }
}

export class TransactionEndedError extends RingwalError {
  constructor(how: 'committed' | 'aborted') {
    super('RINGWAL_TRANSACTION_ENDED', `The transaction was ${how} before; begin another.`);
  }
}

export class TransactionAbortedError extends RingwalError {
  constructor(cause: unknown) {
    super(
      'RINGWAL_TRANSACTION_ABORTED',
      `The transaction was aborted, as one of its appends was rejected (${describe(cause)}). Nothing of it takes ` +
        'effect: begin it anew.',
      { cause },
    );
  }
}

export class EncryptionError extends RingwalError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('RINGWAL_ENCRYPTION', message, options);
  }
}

export class DecryptionError extends RingwalError {
  /** Never a key, nor a byte of the record. */
  readonly details: {
    /** LSN of the record. */
    readonly lsn: number;
    /** Id of its key; undefined: it has none. */
    readonly keyId: number | undefined;
  };

  constructor(lsn: number, keyId: number | undefined, why: string, options?: { cause?: unknown }) {
    super('RINGWAL_DECRYPTION', `The record with LSN ${lsn} can't be decrypted: ${why}.`, options);
    this.details = { lsn, keyId };
  }
}

export class OutOfRangeError extends RingwalError {
  constructor(message: string) {
    super('RINGWAL_OUT_OF_RANGE', message);
  }
}

export class BusyError extends RingwalError {
  constructor(openLsn: number) {
    super(
      'RINGWAL_BUSY',
      `The log can't be cut while a transaction or a large record is open, which began with LSN ${openLsn}. End it, and try again.`,
    );
  }
}

/** One line for any thrown value: the errno code when there is one, and the message. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : shown(error);
  const code = (error as NodeJS.ErrnoException).code;
  return code === undefined || error.message.includes(code) ? error.message : `${code}: ${error.message}`;
}

/** Any value, in a message about it. Runs nothing of the value's own, as `String` does, which throws for some. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}

/** An error as plain data, for crossing threads. Structured clone would drop `code` and the class. */
export interface WireError {
  code?: string;
  name: string;
  message: string;
  stack?: string;
  syscall?: string;
  errno?: number;
  /** What a RingwalError has of its own: `details` and the like. */
  own?: Record<string, unknown>;
  cause?: WireError;
}

/** Turns any thrown value into plain data, causes included (at most four deep: a cause may point in a circle). */
export function toWire(error: unknown, depth = 0): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: describe(error) };
  const { code, syscall, errno } = error as NodeJS.ErrnoException;
  const wire: WireError = { name: error.name, message: error.message };
  if (typeof code === 'string') wire.code = code;
  if (typeof syscall === 'string') wire.syscall = syscall;
  if (typeof errno === 'number') wire.errno = errno;
  if (error.stack !== undefined) wire.stack = error.stack;
  if (error instanceof RingwalError) wire.own = { ...error };
  if (error.cause !== undefined && depth < 4) wire.cause = toWire(error.cause, depth + 1);
  return wire;
}

const classes: Record<RingwalErrorCode, { prototype: RingwalError }> = {
  RINGWAL_INVALID_ARGUMENT: InvalidArgumentError,
  RINGWAL_TOO_LARGE: TooLargeError,
  RINGWAL_CLOSED: ClosedError,
  RINGWAL_OVERLOADED: OverloadedError,
  RINGWAL_LOCKED: LockedError,
  RINGWAL_POISONED: PoisonedError,
  RINGWAL_WORKER_DIED: WorkerDiedError,
  RINGWAL_CORRUPT: CorruptError,
  RINGWAL_UNSUPPORTED_VERSION: UnsupportedVersionError,
  RINGWAL_IO: IoError,
  RINGWAL_TRUNCATED: TruncatedError,
  RINGWAL_CONFLICT: ConflictError,
  RINGWAL_TRANSACTION_ABORTED: TransactionAbortedError,
  RINGWAL_ENCRYPTION: EncryptionError,
  RINGWAL_DECRYPTION: DecryptionError,
  RINGWAL_TRANSACTION_ENDED: TransactionEndedError,
  RINGWAL_OUT_OF_RANGE: OutOfRangeError,
  RINGWAL_BUSY: BusyError,
};

/** The error that `toWire` was given, with its class or name, code, cause and details; the stack is the other thread's. */
export function fromWire(wire: WireError): Error {
  const cause = wire.cause === undefined ? undefined : fromWire(wire.cause);
  const code = wire.code as RingwalErrorCode;
  const known = Object.hasOwn(classes, code) ? classes[code] : undefined;
  const error: Error = known === undefined ? new Error(wire.message) : new RingwalError(code, wire.message);
  if (known !== undefined) Object.setPrototypeOf(error, known.prototype);
  const own: Record<string, unknown> = { cause, stack: wire.stack };
  if (known !== undefined) Object.assign(own, wire.own);
  else Object.assign(own, { name: wire.name, code, syscall: wire.syscall, errno: wire.errno });
  for (const [key, value] of Object.entries(own)) {
    if (value !== undefined) {
      Object.defineProperty(error, key, {
        value,
        configurable: true,
        writable: true,
        enumerable: !['cause', 'stack', 'name'].includes(key),
      });
    }
  }
  return error;
}
