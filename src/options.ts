/** options: what can be set when a log is opened: units, defaults, limits, and the check of all of them. */
import { fileURLToPath } from 'node:url';
import { checkOptions, isOptions } from './check-options.js';
import { type Compression, type CompressionOption, resolveCompression } from './codec/compression.js';
import { SEAL_OVERHEAD_BYTES } from './codec/encryption.js';
import { checkEncryption, type EncryptionOption } from './codec/keys.js';
import { usableCpus } from './cpus.js';
import { InvalidArgumentError, shown } from './errors.js';
import { CHECKSUM_BYTES, ENCRYPTED, FRAME_HEADER_BYTES, HAS_CHECKSUM } from './format/record-frame.js';
import type { OnSegmentFreed } from './lifecycle/freed-hook.js';
import type { SyncMode } from './storage/sync-mode.js';

/** What opening does about a log that does not end in order; see the option `recovery`. */
export type RecoveryMode = 'tolerate-torn-tail' | 'absolute' | 'point-in-time';

/** Options of `openLog`. All are optional; sizes are bytes, times carry their unit in the name. */
export interface LogOptions {
  /**
   * Size of one segment file. Space is freed a segment at a time; of a new segment the first MiB is reserved before it is
   * used, and the rest too while the disk has bandwidth to spare.
   * Default 64 MiB; 64 KiB to 1 GiB, a multiple of 4096.
   */
  segmentBytes?: number;
  /**
   * Size of one producer thread's submission ring: how many bytes of records that thread can have in flight.
   * Memory is taken as it is used: what is never in flight costs address space only.
   * Default 32 MiB; 16 KiB to 1 GiB, a multiple of 4096.
   */
  ringBytes?: number;
  /**
   * Commit window: how long the first record of a group waits for company before the group is written.
   * Default 0: none; what arrives during one sync is the next group. At most 1 000 000 (one second).
   */
  windowUs?: number;
  /**
   * Largest group, in bytes of its records; also bounds the largest batch. A record
   * that is larger is stored in fragments.
   * Default: the smallest of 4 MiB, a quarter of `segmentBytes` and half of `ringBytes`. At least 4096, at
   * most half of `ringBytes` and `segmentBytes` - 32 KiB.
   */
  maxGroupBytes?: number;
  /** Largest group, in records. Default 65 536; 1 to 1 048 576. */
  maxGroupRecords?: number;
  /**
   * How many bytes of appends may wait, copied, for room in a thread's ring before `append` rejects with
   * RINGWAL_OVERLOADED. Default 64 MiB; 0 to 4 GiB.
   */
  maxWaitingBytes?: number;
  /**
   * How long each appending thread's event loop looks for a completion, turn by turn without a pause, before it sleeps
   * until it is woken: a wake-up less for each answer, for a CPU that is busy while appends are in flight. Tried rarely
   * where answers take longer. Default 200; 0 (it sleeps at once) where the process may use less than two CPUs, by their
   * number or by a quota of its control group. At most 10 000.
   */
  busyPollUs?: number;
  /** Reuse the files of truncated segments for new ones instead of deleting them. Default true. */
  recycle?: boolean;
  /**
   * Start every group on a 4096-byte block, so that no write ever touches a block that holds acknowledged
   * bytes. For devices that may damage a whole block when power fails while a part of it is rewritten.
   * Costs up to 4 KiB of disk a group. Default false.
   */
  padGroups?: boolean;
  /**
   * Store a CRC-32 of its own with every record, computed on the caller's thread from the caller's bytes and
   * verified on reading, besides the group's: it also covers the way through memory, and salvage of a damaged log
   * then loses single records, not whole groups. Default false.
   */
  recordChecksums?: boolean;
  /**
   * Compress payloads, where that makes them smaller: `auto` (zstd where Node has it, else deflate), an algorithm, or
   * `{ algorithm, level, minBytes }`. Default: none.
   */
  compression?: CompressionOption;
  /**
   * Encrypt records with AES-256-GCM: `{ keyId, key, plainBefore }`, where `key` is called with a key id and gives 32
   * bytes. Default: none. docs/CODECS.md says what is stored and what it does not hide.
   */
  encryption?: EncryptionOption;
  /**
   * Largest payload that reading inflates, in bytes; a record that says more is refused, and a longer payload appended
   * without compression. Default and most 1 GiB.
   */
  maxInflatedBytes?: number;
  /**
   * How a group is made durable. `auto` measures when the log is opened, for some milliseconds, and takes the
   * fastest of the durable ones. Default `auto`.
   *
   *   direct     one write past the page cache, O_DIRECT|O_DSYNC
   *   fdatasync  a cached write and fdatasync
   *   dsync      a cached write, O_DSYNC
   *   fsync      a cached write and fsync: also the file's times are durable, which nothing here needs
   *   none       a cached write alone: survives the death of the process, not that of the machine
   *
   * Opening rejects with RINGWAL_IO when the file system can't do it (tmpfs has no `direct`).
   */
  syncMode?: SyncMode | 'auto';
  /**
   * An LSN that the caller knows was acknowledged, from its own checkpoint. Opening refuses with
   * RINGWAL_CORRUPT when the log ends before it. Default 0: nothing known.
   */
  mustInclude?: number;
  /**
   * What stays readable although it was truncated, at least: the last `bytes` of the log, and what is younger than
   * `ageMs`. `truncateBefore` then records a wish, which takes effect as the log goes on; the wish is forgotten when
   * the log is closed. Kept are whole segments, and the active one always. Default: nothing.
   */
  retention?: RetentionOptions;
  /**
   * Called in the thread that opens the log with each segment that truncation has freed, oldest first, before its
   * file is removed or reused: the place to archive it. The file stays until the call, or its promise, has ended.
   * When it throws or rejects, the segment stays, is counted in `maintenanceErrors`, and comes again after a second,
   * those behind it not before. So it does when the log was closed, or died, meanwhile: with the next opening; a
   * segment may thus come more than once. Appends never wait for it, and neither does closing. Default: none.
   */
  onSegmentFreed?: OnSegmentFreed;
  /**
   * What opening does about a log that does not end in order. Default `tolerate-torn-tail`.
   *
   *   tolerate-torn-tail  cuts a write off that was never acknowledged; refuses all damage (RINGWAL_CORRUPT)
   *   absolute            refuses a torn write too
   *   point-in-time       reads and verifies the whole log, and ends it with the last record before the first
   *                       damage; `log.recovery.damage` says what that takes away. Files behind the damage are put
   *                       aside as `<name>.lost-<epoch>`, for `salvage`, and never removed. Refuses when no record
   *                       would be left.
   */
  recovery?: RecoveryMode;
  /** Where the I/O worker's file is, for bundlers that move it. Default: beside this module. */
  workerUrl?: URL;
}

/** Option `retention`. */
export interface RetentionOptions {
  /** Bytes of segments, as `segments()` tells them: records with what the log stores around them. Default 0. */
  bytes?: number;
  /** Milliseconds since a record's segment was closed. Default 0. */
  ageMs?: number;
}

/** All options with their defaults filled in; what the threads pass to each other. */
export interface ResolvedOptions {
  readonly segmentBytes: number;
  readonly ringBytes: number;
  readonly windowUs: number;
  readonly maxGroupBytes: number;
  readonly maxGroupRecords: number;
  readonly maxWaitingBytes: number;
  readonly busyPollUs: number;
  readonly recycle: boolean;
  readonly padGroups: boolean;
  readonly recordChecksums: boolean;
  readonly compression: Compression | undefined;
  readonly isEncrypted: boolean;
  /** The LSN from which on no record may be in plain; Infinity when the log does not encrypt. */
  readonly plainBefore: number;
  readonly maxInflatedBytes: number;
  readonly syncMode: SyncMode | 'auto';
  readonly mustInclude: number;
  readonly retention?: Required<RetentionOptions>;
  readonly recovery: RecoveryMode;
}

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/**
 * What a segment needs besides its largest group: header block, LINK, SEAL with a full index, the move to the
 * next block boundary before a mark or a padded group, and the zeros behind the last group. The sum is under
 * 24 KiB; asserted where segments are laid out.
 */
export const SEGMENT_OVERHEAD_BYTES = 32 * KiB;

/**
 * Of option `busyPollUs`. A disk that answers within 200 us is one beside which a wake-up counts; 400 brought nothing more
 * (docs/PERFORMANCE). Where the I/O worker has no CPU beside the one that is kept busy, or a quota would be used up by it,
 * nothing is gained.
 */
export function defaultBusyPollUs(cpus = usableCpus()): number {
  return cpus < 2 ? 0 : 200;
}

/** Checks `options` and fills in the defaults. Throws InvalidArgumentError that names the option. */
export function resolveOptions(options: LogOptions = {}): ResolvedOptions {
  checkOptions('openLog', options, known);
  const segmentBytes = integer(options, 'segmentBytes', 64 * MiB, 64 * KiB, GiB, 4096);
  const ringBytes = integer(options, 'ringBytes', 32 * MiB, 16 * KiB, GiB, 4096);
  const largestGroup = Math.min(ringBytes / 2, segmentBytes - SEGMENT_OVERHEAD_BYTES);
  const maxGroupBytes = integer(
    options,
    'maxGroupBytes',
    Math.min(4 * MiB, segmentBytes / 4, ringBytes / 2),
    4 * KiB,
    largestGroup,
    1,
  );
  const maxInflatedBytes = integer(options, 'maxInflatedBytes', GiB, 1, GiB, 1);
  if (options.workerUrl !== undefined) checkWorkerUrl(options.workerUrl);
  if (options.encryption !== undefined) checkEncryption(options.encryption);
  if (options.onSegmentFreed !== undefined && typeof options.onSegmentFreed !== 'function') {
    throw new InvalidArgumentError('Option "onSegmentFreed" must be a function.');
  }
  return {
    segmentBytes,
    ringBytes,
    windowUs: integer(options, 'windowUs', 0, 0, 1_000_000, 1),
    maxGroupBytes: maxGroupBytes & ~7,
    maxGroupRecords: integer(options, 'maxGroupRecords', 65_536, 1, 1_048_576, 1),
    maxWaitingBytes: integer(options, 'maxWaitingBytes', 64 * MiB, 0, 4 * GiB, 1),
    busyPollUs:
      options.busyPollUs === undefined
        ? defaultBusyPollUs()
        : integer(options, 'busyPollUs', 0, 0, 10_000, 1),
    recycle: boolean(options, 'recycle', true),
    padGroups: boolean(options, 'padGroups', false),
    recordChecksums: boolean(options, 'recordChecksums', false),
    compression:
      options.compression === undefined
        ? undefined
        : resolveCompression(options.compression, maxInflatedBytes),
    isEncrypted: options.encryption !== undefined,
    plainBefore:
      options.encryption === undefined ? Number.POSITIVE_INFINITY : (options.encryption.plainBefore ?? 0),
    maxInflatedBytes,
    syncMode: oneOf(options, 'syncMode', 'auto', ['auto', 'direct', 'dsync', 'fdatasync', 'fsync', 'none']),
    mustInclude: integer(options, 'mustInclude', 0, 0, Number.MAX_SAFE_INTEGER, 1),
    ...(options.retention === undefined ? {} : { retention: resolveRetention(options.retention) }),
    recovery: oneOf(options, 'recovery', 'tolerate-torn-tail', [
      'tolerate-torn-tail',
      'absolute',
      'point-in-time',
    ]),
  };
}

/** What a Worker takes. */
function checkWorkerUrl(url: URL): void {
  if (!(url instanceof URL)) throw new InvalidArgumentError('Option "workerUrl" must be a URL.');
  if (url.protocol === 'data:') return;
  try {
    fileURLToPath(url);
  } catch (cause) {
    throw new InvalidArgumentError(`Option "workerUrl" must be of a file, not ${shown(url.href)}.`, {
      cause,
    });
  }
}

function resolveRetention(retention: RetentionOptions): Required<RetentionOptions> {
  if (!isOptions(retention)) throw new InvalidArgumentError('Option "retention" must be a plain object.');
  for (const [name, value] of Object.entries(retention)) {
    if (name !== 'bytes' && name !== 'ageMs')
      throw new InvalidArgumentError(`Unknown option "retention.${name}".`);
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0))
      throw new InvalidArgumentError(
        `Option "retention.${name}" must be an integer from 0, not ${shown(value)}.`,
      );
  }
  return { bytes: retention.bytes ?? 0, ageMs: retention.ageMs ?? 0 };
}

/** The largest payload of any record, 1 GiB. */
export const LARGEST_PAYLOAD_BYTES = GiB;

/** Flags of every record's frame. */
export function recordFlags(options: Pick<ResolvedOptions, 'recordChecksums' | 'isEncrypted'>): number {
  return options.isEncrypted ? ENCRYPTED : options.recordChecksums ? HAS_CHECKSUM : 0;
}

/** The largest payload that a record can carry in one piece; a larger one is stored in fragments. */
export function maxPayloadBytes(
  options: Pick<ResolvedOptions, 'maxGroupBytes' | 'recordChecksums' | 'isEncrypted'>,
): number {
  // An encrypted record has no checksum: its tag is stronger, and a checksum of the plaintext would tell of it.
  const extra = options.isEncrypted ? SEAL_OVERHEAD_BYTES : options.recordChecksums ? CHECKSUM_BYTES : 0;
  return options.maxGroupBytes - FRAME_HEADER_BYTES - extra;
}

const known = new Set<string>([
  'segmentBytes',
  'ringBytes',
  'windowUs',
  'maxGroupBytes',
  'maxGroupRecords',
  'maxWaitingBytes',
  'busyPollUs',
  'recycle',
  'padGroups',
  'recordChecksums',
  'compression',
  'encryption',
  'maxInflatedBytes',
  'syncMode',
  'mustInclude',
  'retention',
  'onSegmentFreed',
  'recovery',
  'workerUrl',
] satisfies (keyof LogOptions)[]);

function integer(
  options: LogOptions,
  name: keyof LogOptions,
  fallback: number,
  least: number,
  most: number,
  multipleOf: number,
): number {
  const value: unknown = options[name];
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
    throw new InvalidArgumentError(
      `Option "${name}" must be an integer from ${least} to ${most}, not ${shown(value)}.`,
    );
  }
  if (value % multipleOf !== 0) {
    throw new InvalidArgumentError(`Option "${name}" must be a multiple of ${multipleOf}, not ${value}.`);
  }
  return value;
}

function boolean(options: LogOptions, name: keyof LogOptions, fallback: boolean): boolean {
  const value: unknown = options[name];
  if (value === undefined) return fallback;
  if (typeof value !== 'boolean')
    throw new InvalidArgumentError(`Option "${name}" must be true or false, not ${shown(value)}.`);
  return value;
}

function oneOf<T extends string>(
  options: LogOptions,
  name: keyof LogOptions,
  fallback: T,
  values: readonly T[],
): T {
  const value: unknown = options[name];
  if (value === undefined) return fallback;
  if (!values.includes(value as T)) {
    throw new InvalidArgumentError(
      `Option "${name}" must be one of ${values.map((one) => `"${one}"`).join(', ')}, not ${shown(value)}.`,
    );
  }
  return value as T;
}
