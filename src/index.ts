/**
 * ringwal: a durable write-ahead log with group commit. The public surface; nothing else is.
 *
 *   caller's thread                 shared memory              I/O worker
 *   append -> appender -> producer --> submission ring --> consumer -> group-builder -> segment-writer (write, sync)
 *   promise <- pending  <- producer <-- completion ring <-- consumer <- log-writer <-----------'
 */
export type { AppendOptions, LsnRange, Receipt } from './append/append-options.js';
export type { Payload } from './append/payload.js';
export type { Distribution } from './commit/commit-metrics.js';
export {
  ClosedError,
  ConflictError,
  CorruptError,
  type DamageDetails,
  EncryptionError,
  InvalidArgumentError,
  IoError,
  LockedError,
  OutOfRangeError,
  OverloadedError,
  PoisonedError,
  RingwalError,
  type RingwalErrorCode,
  TooLargeError,
  TransactionAbortedError,
  TransactionEndedError,
  TruncatedError,
  UnsupportedVersionError,
  WorkerDiedError,
} from './errors.js';
export { attachLog, type Log, type LogAppender, type LogStats, openLog, type SegmentInfo } from './log.js';
export type { LogOptions } from './options.js';
export type { LogRecord, RecordType, TransactionMode } from './read/record-assembler.js';
export type { RecoverySummary } from './recovery/recover.js';
export type { LogHandle, ReadOptions } from './thread.js';
export type { Transaction, TransactionSource } from './transaction/transaction.js';
export { type VerifyOptions, type VerifyReport, verifyLog } from './verify/verify-log.js';
