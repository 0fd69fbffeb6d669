/**
 * recover: opens the log of a directory for writing: finds where it ends, and begins a new segment there.
 *
 * No old file is ever written. The new segment is built beside them: a LINK to the end that is proven
 * durable, and a copy of every valid group behind it (the last write, normally one group). It is synced,
 * published under its name with one `link`, and the directory synced; only then are records returned.
 *
 *   - What recovery returns is durable: also what was only in the page cache after a kill -9, and what a
 *     failed sync left there as clean pages that never reached the disk (the copy is written and synced anew).
 *   - A crash anywhere in it changes nothing, or completes it: the `link` is one atomic entry.
 *   - The bytes behind the end, torn ones included, stay where they are as evidence, in a file that ends
 *     before them by the new segment's LINK.
 */
import type { Environment } from '../environment.js';
import { CorruptError, IoError, RingwalError } from '../errors.js';
import { asideName, BLOCK_BYTES, LARGEST_EPOCH, preparedName } from '../format/segment-header.js';
import { type RecoveryMode, SEGMENT_OVERHEAD_BYTES } from '../options.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import { layOutSegment, publishSegment } from '../segment/prepare.js';
import { readDirectory } from '../segment/segment-files.js';
import { SegmentWriter } from '../segment/segment-writer.js';
import type { Storage } from '../storage/storage.js';
import { findNewest } from './chain.js';
import { continuation, type NextSegment, noPredecessor } from './continuation.js';
import { findLog } from './find-log.js';
import { type Filling, unusedSpares, withRoom } from './make-room.js';
import { findPointInTime } from './point-in-time.js';
import { endsEarlierSpan, relog } from './relog.js';
import type { RecoverySummary } from './summary.js';
import { truncatedPart } from './truncated-part.js';

export interface RecoverOptions {
  readonly segmentBytes: number;
  readonly padGroups: boolean;
  readonly mustInclude: number;
  readonly recovery: RecoveryMode;
  readonly environment: Environment;
}

/** The log, ready for the next group. */
export interface Recovered {
  readonly writer: SegmentWriter;
  /** LSN of the first record in the writer's segment, or of the next one. */
  readonly firstLsn: number;
  /** Header checksum of the group before the writer's segment. */
  readonly previousChecksum: number;
  readonly logId: Uint8Array;
  readonly truncatedBefore: number;
  /** Where spans may begin that end in the writer's segment; 0: none. */
  readonly openLsn: number;
  /** LSN of the last checkpoint; 0: none. */
  readonly checkpointLsn: number;
  /** Segments before the writer's, oldest first. */
  readonly closed: readonly ClosedSegment[];
  /** Names of files that are not part of the log: prepared, or left over. */
  readonly leftovers: readonly { readonly name: string; readonly fileBytes: number }[];
  readonly abandoned: readonly string[];
  /** Leftovers that truncation has freed, oldest first. */
  readonly freed?: readonly ClosedSegment[];
  /** Names of files that have a second name as evidence: they are removed when freed, and never reused. */
  readonly kept: ReadonlySet<string>;
  readonly nextNumber: number;
  readonly summary: RecoverySummary;
}

/**
 * Throws CorruptError, UnsupportedVersionError or IoError; no old file is changed in any case. On a full disk those go
 * that hold nothing.
 */
export async function recover(storage: Storage, options: RecoverOptions): Promise<Recovered> {
  try {
    return await open(storage, options);
  } catch (error) {
    throw error instanceof RingwalError ? error : new IoError('Opening the log', error);
  }
}

async function open(storage: Storage, options: RecoverOptions): Promise<Recovered> {
  const startMs = performance.now(); // only told, never stored: no business of the environment
  const isLenient = options.recovery === 'point-in-time';
  const { segments, prepared, aside } = await readDirectory(storage, isLenient);
  const number = (segments.at(-1)?.number ?? 0) + 1;
  const newest = findNewest(segments);
  if (newest === undefined) {
    if (options.mustInclude > 0) {
      throw new CorruptError(
        `The directory holds no log, and LSN ${options.mustInclude} is known to have been durable (option "mustInclude").`,
      );
    }
    const start: NextSegment = {
      number,
      epoch: 1,
      logId: options.environment.randomBytes(16),
      cutFrom: 0,
      link: noPredecessor(1, 0),
      previousChecksum: 0,
      relog: undefined,
    };
    const { writer } = await beginSegment(storage, options, start, prepared);
    const files = { closed: [], leftovers: [], abandoned: prepared, kept: new Set<string>() };
    return result(options, startMs, writer, start, files, { keptAside: aside });
  }
  const found = isLenient
    ? await findPointInTime(storage, segments, newest, options.mustInclude)
    : await findLog(storage, segments, newest, options.mustInclude, options.recovery);
  const epochs = segments.map(({ header, asideEpoch }) => Math.max(header?.epoch ?? 0, asideEpoch ?? 0));
  const epoch = 1 + Math.max(...epochs);
  if (epoch > LARGEST_EPOCH) {
    throw new CorruptError(
      `A file says that the log was opened ${LARGEST_EPOCH} times, which is as far as is counted. No file was changed.`,
    );
  }
  const isEarlierEnded = await endsEarlierSpan(storage, found);
  const { next, closed, leftovers } = continuation(found, epoch, number, isEarlierEnded);
  await putAside(storage, found.aside, epoch);
  const unused = unusedSpares(found).map(({ name }) => name);
  const { writer, reloggedRecords, spent } = await beginSegment(storage, options, next, [
    ...prepared,
    ...unused,
  ]);
  const isThere = ({ name }: { name: string }): boolean => spent.includes(name) || !unused.includes(name);
  const kept = segments.filter(({ asideEpoch }) => asideEpoch !== undefined).map(({ name }) => name);
  const freed = truncatedPart(segments, found);
  const files = {
    closed,
    leftovers: leftovers.filter(isThere),
    abandoned: prepared,
    freed,
    kept: new Set([...kept, ...found.aside]),
  };
  const { torn } = found;
  return result(options, startMs, writer, next, files, {
    checkpointLsn: found.scan.checkpointLsn,
    tornTail: torn && { file: torn.file, offset: torn.offset },
    tornBytes: torn?.bytes ?? 0,
    reloggedRecords,
    damage: found.damage.map((one) =>
      found.aside.includes(one.file) ? { ...one, keptAs: asideName(one.file, epoch) } : one,
    ),
    keptAside: [...aside, ...found.aside.map((name) => asideName(name, epoch))],
  });
}

/**
 * Gives files second names, durably, before the log ends without them: whatever becomes of the first names, by
 * truncation or by an opening after a crash, what was found in them stays.
 */
async function putAside(storage: Storage, names: readonly string[], epoch: number): Promise<void> {
  for (const name of names) await storage.link(name, asideName(name, epoch));
  if (names.length > 0) await storage.syncDirectory();
}

interface Begun {
  readonly writer: SegmentWriter;
  readonly reloggedRecords: number;
  /** Files that hold nothing, as far as they are still there. */
  readonly spent: readonly string[];
}

/**
 * Builds, syncs and publishes the next segment, with the groups to be logged again in it. On a full disk the files `spent`
 * are removed for it.
 */
async function beginSegment(
  storage: Storage,
  options: RecoverOptions,
  next: NextSegment,
  spent: readonly string[],
): Promise<Begun> {
  const begun = await withRoom(storage, preparedName(next.number), spent, (filling) =>
    draftSegment(storage, options, next, filling),
  );
  const { writer } = begun;
  try {
    await publishSegment(storage, next.number);
    // Counted as durable only now that the name is: until then no group may claim it of another. Should the name never
    // reach the disk, and be seen all the same (a failed directory sync), nothing proves what is in the segment, and
    // the next opening logs it again.
    writer.sync();
    return begun;
  } catch (error) {
    await writer.segment.file.close().catch(() => {});
    throw error;
  }
}

async function draftSegment(
  storage: Storage,
  options: RecoverOptions,
  next: NextSegment,
  { fillBytes, spent }: Filling,
): Promise<Begun> {
  const relogBytes = next.relog === undefined ? 0 : next.relog.end - next.relog.offset;
  const largest = relogBytes + SEGMENT_OVERHEAD_BYTES;
  const segmentBytes = Math.max(options.segmentBytes, Math.ceil(largest / BLOCK_BYTES) * BLOCK_BYTES);
  const draft = await layOutSegment(storage, {
    ...next,
    segmentBytes,
    environment: options.environment,
    prepared: spent,
    fillBytes,
  });
  try {
    const lastLsn = next.link.predecessorLastLsn;
    const writer = new SegmentWriter(
      draft,
      { end: BLOCK_BYTES, lastLsn, lastChecksum: next.previousChecksum },
      options,
    );
    writer.stageLink(next.link);
    let reloggedRecords = 0;
    if (next.relog === undefined) writer.write();
    else reloggedRecords = await relog(storage, next.relog, lastLsn, writer);
    await draft.file.sync();
    return { writer, reloggedRecords, spent };
  } catch (error) {
    await draft.file.close().catch(() => {});
    throw error;
  }
}

function result(
  options: RecoverOptions,
  startMs: number,
  writer: SegmentWriter,
  next: NextSegment,
  files: Pick<Recovered, 'closed' | 'leftovers' | 'abandoned' | 'kept' | 'freed'>,
  found: Partial<RecoverySummary> & Pick<RecoverySummary, 'keptAside'>,
): Recovered {
  const { link } = next;
  const oldest = files.closed[0]?.firstLsn ?? link.predecessorLastLsn + 1;
  const firstLsn = Math.max(oldest, link.truncatedBefore);
  const checkpointLsn = found.checkpointLsn ?? 0;
  return {
    ...files,
    writer,
    firstLsn: link.predecessorLastLsn + 1,
    previousChecksum: next.previousChecksum,
    logId: next.logId,
    truncatedBefore: link.truncatedBefore,
    openLsn: link.openLsn,
    checkpointLsn,
    nextNumber: next.number + 1,
    summary: {
      mode: options.recovery,
      created: next.epoch === 1,
      firstLsn,
      lastLsn: writer.lastLsn,
      records: writer.lastLsn - firstLsn + 1,
      segments: files.closed.length + 1,
      lastSegment: next.number,
      tornTail: undefined,
      tornBytes: 0,
      reloggedRecords: 0,
      damage: [],
      ...found,
      checkpointLsn,
      epoch: next.epoch,
      durationMs: performance.now() - startMs,
    },
  };
}
