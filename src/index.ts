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
export type { FreedSegment } from './control/contract.js';
export {
  BusyError,
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
  TruncatedError,
  UnsupportedVersionError,
  WorkerDiedError,
} from './errors.js';
export type { LogCursor } from './lifecycle/log-cursor.js';
export { attachLog, type Log, type LogAppender, type LogStats, openLog, type SegmentInfo } from './log.js';
export type { CursorInfo } from './maintenance/cursors.js';
export type { LogOptions, RetentionOptions } from './options.js';
export type { LogRecord, RecordType, TransactionMode } from './read/record-assembler.js';
export type { RecoverySummary } from './recovery/recover.js';
export type { LogHandle, ReadOptions } from './thread.js';
export { type VerifyOptions, type VerifyReport, verifyLog } from './verify/verify-log.js';
