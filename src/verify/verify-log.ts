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
  RingwalError,
  shown,
  type WireError,
} from '../errors.js';
import { findNewest, followChain } from '../recovery/chain.js';
import { checkSuccessor, scanNewest } from '../recovery/scan-newest.js';
import { readDirectory } from '../segment/segment-files.js';
import { openDirectory } from '../storage/open-directory.js';
import type { Storage } from '../storage/storage.js';
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
 * without changing anything. The log should be closed: while it is written, its newest segment can look torn.
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
    const { segments, firstLsn } = await readableSegments(storage);
    const scans = await scanAll(storage.directory, segments, threads, options);
    const sum = (of: (scan: SegmentScan) => number): number =>
      scans.reduce((total, outcome) => total + ('scan' in outcome ? of(outcome.scan) : 0), 0);
    return {
      segments: segments.length,
      groups: sum((scan) => scan.groups),
      records: sum((scan) => scan.records),
      bytes: sum((scan) => scan.bytes),
      firstLsn,
      lastLsn: segments.at(-1)?.lastLsn ?? 0,
      damage: scans.flatMap((outcome) => ('error' in outcome ? [damageOf(outcome.error)] : [])),
    };
  } catch (error) {
    throw error instanceof RingwalError ? error : new IoError(`Verifying ${path}`, error);
  } finally {
    await storage.close();
  }
}

/** All segments of the log, the newest one up to the end of the log. */
async function readableSegments(
  storage: Storage,
): Promise<{ segments: readonly ReadableSegment[]; firstLsn: number }> {
  const { segments } = await readDirectory(storage);
  const newest = findNewest(segments);
  if (newest === undefined) throw new RingwalError('RINGWAL_OUT_OF_RANGE', 'The directory holds no log.');
  const scan = await scanNewest(storage, newest, 0);
  await checkSuccessor(storage, newest, scan, segments);
  const { closed } = followChain(segments, newest, scan.truncatedBefore);
  const { firstLsn, previousChecksum } = newest.link.header;
  const { name, number, fileBytes, header } = newest;
  const last = {
    name,
    number,
    fileBytes,
    epoch: header.epoch,
    salt: header.salt,
    firstLsn,
    openLsn: newest.link.body.openLsn,
    previousChecksum,
    ...scan.end,
  };
  return {
    segments: [...closed.map((segment) => ({ ...segment, isClosed: true })), { ...last, isClosed: false }],
    firstLsn: Math.max(closed[0]?.firstLsn ?? firstLsn, scan.truncatedBefore),
  };
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
