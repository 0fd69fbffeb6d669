/**
 * ringwal: a durable write-ahead log with group commit. The public surface; nothing else is.
 *
 *   caller's thread                 shared memory              I/O worker
 *   append -> appender -> producer --> submission ring --> consumer -> group-builder -> segment-writer (write, sync)
 *   promise <- pending  <- producer <-- completion ring <-- consumer <- log-writer <-----------'
 */
export type { AppendOptions, LsnRange, Receipt } from './append/append-options.js';
export type { Payload } from './append/payload.js';
export type { CompressionAlgorithm, CompressionOption } from './codec/compression.js';
export type { EncryptionOption, KeyCallback } from './codec/keys.js';
export type { Distribution } from './commit/commit-metrics.js';
export type { FreedSegment } from './control/contract.js';
export type { CursorInfo } from './control/cursor-info.js';
export type { SegmentInfo } from './control/segment-info.js';
export type {
  CloseMessage,
  CutMessage,
  FailureMessage,
  GroupMessage,
  OpenMessage,
  RotateMessage,
  TruncateMessage,
} from './diagnostics.js';
export {
  BusyError,
  ClosedError,
  ConflictError,
  CorruptError,
  type DamageDetails,
  DecryptionError,
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
export type { OnSegmentFreed } from './lifecycle/freed-hook.js';
export type { LogCursor } from './lifecycle/log-cursor.js';
export type { LiveOptions, LiveStats } from './live/contract.js';
export { liveStats } from './live/live-stats.js';
export type { Log, LogAppender, LogStats } from './log.js';
export { type AttachOptions, attachLog, openLog } from './open-log.js';
export type { LogOptions, RecoveryMode, RetentionOptions } from './options.js';
export { durable, highThroughput, lowLatency } from './presets.js';
export type { ReadOptions } from './read/read-options.js';
export type { LogRecord, RecordType, TransactionMode } from './read/record-assembler.js';
export type { TailOptions } from './read/tail.js';
export { listCursors } from './reader/list-cursors.js';
export { listSegments, type SegmentListing } from './reader/list-segments.js';
export type { LogReader, ReaderTailOptions } from './reader/log-reader.js';
export { openReader, type ReaderOptions } from './reader/open-reader.js';
export type { RecoveryDamage, RecoverySummary } from './recovery/summary.js';
export type { LostRange, SalvageFinding, SalvageReport, SavedRange } from './salvage/report.js';
export { type SalvageOptions, salvage } from './salvage/salvage.js';
export type { SyncMode } from './storage/sync-mode.js';
export type { LogHandle } from './thread.js';
export type { Transaction, TransactionSource } from './transaction/transaction.js';
export {
  type VerifyOptions,
  type VerifyProgress,
  type VerifyReport,
  verifyLog,
} from './verify/verify-log.js';
