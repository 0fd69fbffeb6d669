/** verify-log: verifies a whole log directory, its segments side by side on a pool of threads. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { checkOptions } from '../check-options.js';
import type { ReadableSegment } from '../control/contract.js';
import {
  CorruptError,
  fromWire,
  InvalidArgumentError,
  IoError,
  OutOfRangeError,
  RingwalError,
  shown,
  type WireError,
} from '../errors.js';
import { sameBytes } from '../format/same-bytes.js';
import { DirectoryLock } from '../lock/directory-lock.js';
import { lookAtLog } from '../read/look.js';
import { openDirectory } from '../storage/open-directory.js';
import type { SegmentScan } from './scan-segment.js';

/** Options of `verifyLog`. */
export interface VerifyOptions {
  /** Threads to verify with. Default: as many as the machine runs side by side; at most 64. */
  threads?: number;
  /** Called when a segment has been verified; must not throw. Default: none. */
  onProgress?: (progress: VerifyProgress) => void;
  /** Where the scan worker's file is, for bundlers that move it. Default: beside this module. */
  workerUrl?: URL;
}

const known = new Set<string>(['threads', 'onProgress', 'workerUrl'] satisfies (keyof VerifyOptions)[]);

/** How far `verifyLog` is. */
export interface VerifyProgress {
  /** Of the segments that have been verified, sound or not. */
  readonly bytes: number;
  /** Bytes of all segments. */
  readonly totalBytes: number;
  /** Segments that have been verified, sound or not. */
  readonly segments: number;
  /** Segments of the log. */
  readonly totalSegments: number;
}

/** What `verifyLog` found. The log is sound if `damage` is empty. */
export interface VerifyReport {
  /** Segments of the log. */
  readonly segments: number;
  /** Groups that verify. */
  readonly groups: number;
  /** Records that verify, those before the truncation mark included while their files are there. */
  readonly records: number;
  /** Bytes read and verified. */
  readonly bytes: number;
  /** First LSN of the log. */
  readonly firstLsn: number;
  /** Last LSN of the log. */
  readonly lastLsn: number;
  /** One error for each damaged segment, oldest first. */
  readonly damage: readonly CorruptError[];
}

/** What the scan worker is given, and gives back. */
export interface ScanTask {
  readonly directory: string;
  readonly segment: ReadableSegment;
}
export type ScanOutcome = { readonly scan: SegmentScan } | { readonly error: WireError };

/**
 * Verifies every checksum, length, LSN and chain of the log in `path`, without opening it for writing and
 * without changing anything. Of a log that is open it verifies what is proven durable when it begins, but for segments that
 * truncation frees meanwhile.
 *
 * Damage inside segments is reported in `damage`. When the files do not even hang together, this rejects with
 * RINGWAL_CORRUPT; it rejects with RINGWAL_IO when something can't be read, with RINGWAL_OUT_OF_RANGE when the
 * directory holds no log, and with RINGWAL_UNSUPPORTED_VERSION.
 */
export async function verifyLog(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  checkOptions('verifyLog', options, known);
  const threads = options.threads ?? availableParallelism();
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new InvalidArgumentError(
      `Option "threads" must be an integer from 1 to 64, not ${shown(threads)}.`,
    );
  }
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function')
    throw new InvalidArgumentError('Option "onProgress" must be a function.');
  const storage = await openDirectory(path);
  try {
    const { directory, reach } = storage;
    const look = () => lookAtLog(storage, () => DirectoryLock.isHeld(directory, reach));
    const { newest, segments, view } = await look();
    if (newest === undefined) throw new OutOfRangeError('The directory holds no log.');
    const outcomes = await scanAll(directory, segments, threads, options);
    const isFailure = outcomes.some((outcome) => 'error' in outcome);
    const now = isFailure ? await look() : undefined; // a file that was freed meanwhile is gone, or holds something else
    const isThere = ({ salt }: ReadableSegment): boolean =>
      now === undefined || now.segments.some((segment) => sameBytes(segment.salt, salt));
    const scans = outcomes.filter(
      (outcome, i) => 'scan' in outcome || isThere(segments[i] as ReadableSegment),
    );
    const sum = (of: (scan: SegmentScan) => number): number =>
      scans.reduce((total, outcome) => total + ('scan' in outcome ? of(outcome.scan) : 0), 0);
    return {
      segments: scans.length,
      groups: sum((scan) => scan.groups),
      records: sum((scan) => scan.records),
      bytes: sum((scan) => scan.bytes),
      firstLsn: view.firstLsn,
      lastLsn: view.durableLsn,
      damage: scans.flatMap((outcome) => ('error' in outcome ? [damageOf(outcome.error)] : [])),
    };
  } catch (error) {
    throw error instanceof RingwalError ? error : new IoError(`Verifying ${path}`, error);
  } finally {
    await storage.close();
  }
}

async function scanAll(
  directory: string,
  segments: readonly ReadableSegment[],
  threads: number,
  { workerUrl, onProgress }: VerifyOptions,
): Promise<ScanOutcome[]> {
  const { Piscina } = await import('piscina'); // only here: opening a log needs no pool
  const pool = new Piscina<ScanTask, ScanOutcome>({
    filename: (workerUrl ?? new URL('../../workers/scan-worker.js', import.meta.url)).href,
    execArgv: [], // as for the I/O worker
    maxThreads: Math.min(threads, segments.length),
    minThreads: Math.min(threads, segments.length),
  });
  const loaded = pool.threads.map(hasLoaded);
  try {
    const totalBytes = segments.reduce((sum, { end }) => sum + end, 0);
    let bytes = 0;
    let done = 0;
    return await Promise.all(
      segments.map(async (segment) => {
        const outcome = await pool.run({ directory, segment });
        bytes += segment.end;
        onProgress?.({ bytes, totalBytes, segments: ++done, totalSegments: segments.length });
        return outcome;
      }),
    );
  } finally {
    await Promise.all(loaded);
    await pool.destroy();
  }
}

/**
 * Resolves with the thread's first message, which is that it has loaded, or its end. Some versions of Node 20 crash, and the
 * process with them, when a thread is ended while it loads its modules.
 */
async function hasLoaded(thread: Worker): Promise<void> {
  await Promise.race([once(thread, 'message'), once(thread, 'exit')]).catch(() => {}); // the tasks tell why it can't
}

function damageOf(wire: WireError): CorruptError {
  const error = fromWire(wire);
  if (error instanceof CorruptError) return error;
  throw error;
}
