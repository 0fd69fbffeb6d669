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
import type { LinkBody } from '../format/group-body.js';
import { DATA, HAS_CHECKPOINT, saltKey } from '../format/group-header.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { SEGMENT_OVERHEAD_BYTES } from '../options.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import { layOutSegment, publishSegment } from '../segment/prepare.js';
import { SegmentCursor } from '../segment/segment-cursor.js';
import { readDirectory, type SegmentFile } from '../segment/segment-files.js';
import { SegmentWriter } from '../segment/segment-writer.js';
import type { Storage } from '../storage/storage.js';
import { type ChainedSegment, findNewest, followChain } from './chain.js';
import { checkSuccessor, type NewestScan, scanNewest } from './scan-newest.js';
import { truncatedPart } from './truncated-part.js';

export interface RecoverOptions {
  readonly segmentBytes: number;
  readonly padGroups: boolean;
  readonly mustInclude: number;
  readonly environment: Environment;
}

/** What recovery found, for the caller. */
export interface RecoverySummary {
  /** Whether the directory held no log before. */
  readonly created: boolean;
  /** LSN of the first record that is part of the log, or of the next one if there is none. */
  readonly firstLsn: number;
  /** LSN of the last record; `firstLsn - 1` if there is none. */
  readonly lastLsn: number;
  /** Where a write was found that had not been completed; it was never acknowledged. */
  readonly tornTail: { readonly file: string; readonly offset: number } | undefined;
  /** Records that were valid but not proven durable, and were logged again. */
  readonly reloggedRecords: number;
  /** How often the log has been opened for writing, this time included, or cut (`truncateAfter`). */
  readonly epoch: number;
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
  readonly nextNumber: number;
  readonly summary: RecoverySummary;
}

/** Throws CorruptError, UnsupportedVersionError or IoError; no old file is changed in any case. */
export async function recover(storage: Storage, options: RecoverOptions): Promise<Recovered> {
  try {
    return await open(storage, options);
  } catch (error) {
    throw error instanceof RingwalError ? error : new IoError('Opening the log', error);
  }
}

async function open(storage: Storage, options: RecoverOptions): Promise<Recovered> {
  const { segments, prepared } = await readDirectory(storage);
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
      link: noPredecessor(0),
      previousChecksum: 0,
      relog: undefined,
    };
    const { writer } = await beginSegment(storage, options, start, prepared);
    return result(writer, start, { closed: [], leftovers: [], abandoned: prepared }, 0, undefined, 0);
  }
  const scan = await scanNewest(storage, newest, options.mustInclude);
  await checkSuccessor(storage, newest, scan, segments);
  const chain = followChain(segments, newest, scan.truncatedBefore);
  const { next, closed, leftovers } = continuation(newest, scan, chain.closed, chain.leftovers, number);
  const { writer, reloggedRecords } = await beginSegment(storage, options, next, prepared);
  if (writer.lastLsn !== scan.end.lastLsn)
    throw new IoError('Logging the last group again', new Error('it changed while it was read'));
  const torn = scan.torn ? { file: newest.name, offset: scan.end.end } : undefined;
  const files = { closed, leftovers, abandoned: prepared, freed: truncatedPart(segments, chain) };
  return result(writer, next, files, scan.checkpointLsn, torn, reloggedRecords);
}

/** The segment that recovery begins. */
interface NextSegment {
  readonly number: number;
  readonly epoch: number;
  readonly logId: Uint8Array;
  readonly link: LinkBody;
  /** Header checksum of the predecessor's last group. */
  readonly previousChecksum: number;
  /** Where in which segment the groups lie that are to be logged again. */
  readonly relog:
    | {
        readonly segment: ChainedSegment;
        readonly offset: number;
        readonly end: number;
        readonly lastChecksum: number;
        readonly openLsn: number;
      }
    | undefined;
}

/**
 * Links the next segment to the newest one; or, when that has no records that are proven durable, to the one
 * before it. Its own LINK is then copied, not relied on: it might exist in the page cache alone. That also
 * keeps a log that is opened and closed without appends from growing.
 */
function continuation(
  newest: ChainedSegment,
  scan: NewestScan,
  closed: readonly ClosedSegment[],
  leftovers: readonly SegmentFile[],
  number: number,
): { next: NextSegment; closed: readonly ClosedSegment[]; leftovers: readonly SegmentFile[] } {
  const { header } = newest;
  const base = { number, epoch: header.epoch + 1, logId: header.logId };
  const firstLsn = newest.link.header.firstLsn;
  const { proven, truncatedBefore } = scan;
  if (proven === undefined || proven.lastLsn < firstLsn) {
    const { previousChecksum } = newest.link.header;
    return {
      next: {
        ...base,
        link: { ...newest.link.body, truncatedBefore },
        previousChecksum,
        relog: {
          segment: newest,
          offset: BLOCK_BYTES,
          end: scan.end.end,
          lastChecksum: previousChecksum,
          openLsn: newest.link.body.openLsn,
        },
      },
      closed,
      leftovers: [...leftovers, newest],
    };
  }
  const link: LinkBody = {
    predecessorSalt: header.salt,
    predecessorNumber: newest.number,
    predecessorLastLsn: proven.lastLsn,
    predecessorEnd: proven.end,
    predecessorSealOffset: proven.sealOffset,
    truncatedBefore,
    // The groups that are logged again may hold the end of a span that began in the segment they come from.
    openLsn: scan.end.end > proven.end ? newest.link.body.openLsn || firstLsn : 0,
    checkpointLsn: scan.checkpointLsn,
  };
  const itself: ClosedSegment = {
    name: newest.name,
    number: newest.number,
    epoch: header.epoch,
    salt: header.salt,
    fileBytes: newest.fileBytes,
    firstLsn,
    lastLsn: proven.lastLsn,
    end: proven.end,
    sealOffset: proven.sealOffset,
    openLsn: newest.link.body.openLsn,
    previousChecksum: newest.link.header.previousChecksum,
    lastChecksum: proven.lastChecksum,
  };
  return {
    next: {
      ...base,
      link,
      previousChecksum: proven.lastChecksum,
      relog: {
        segment: newest,
        offset: proven.end,
        end: scan.end.end,
        lastChecksum: proven.lastChecksum,
        openLsn: link.openLsn,
      },
    },
    closed: [...closed, itself],
    leftovers,
  };
}

/** Builds, syncs and publishes the next segment, with the groups to be logged again in it. */
async function beginSegment(
  storage: Storage,
  options: RecoverOptions,
  next: NextSegment,
  prepared: readonly string[],
): Promise<{ writer: SegmentWriter; reloggedRecords: number }> {
  const relogBytes = next.relog === undefined ? 0 : next.relog.end - next.relog.offset;
  const largest = relogBytes + SEGMENT_OVERHEAD_BYTES;
  const segmentBytes = Math.max(options.segmentBytes, Math.ceil(largest / BLOCK_BYTES) * BLOCK_BYTES);
  const draft = await layOutSegment(storage, {
    ...next,
    segmentBytes,
    environment: options.environment,
    prepared,
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
    if (next.relog === undefined) {
      writer.write();
      writer.sync();
    } else {
      reloggedRecords = await relog(storage, next.relog, lastLsn, writer);
    }
    await publishSegment(storage, next.number);
    return { writer, reloggedRecords };
  } catch (error) {
    await draft.file.close().catch(() => {});
    throw error;
  }
}

/** Copies the DATA groups between two places into the new segment, each written and synced; returns the records. */
async function relog(
  storage: Storage,
  from: NonNullable<NextSegment['relog']>,
  lastLsn: number,
  writer: SegmentWriter,
): Promise<number> {
  const { segment } = from;
  const file = await storage.open(segment.name, 'read');
  let records = 0;
  let staged = true; // the LINK
  try {
    const cursor = new SegmentCursor(file, saltKey(segment.header.salt), from.end, {
      offset: from.offset,
      nextLsn: lastLsn + 1,
      lastChecksum: from.lastChecksum,
    });
    for (;;) {
      const step = cursor.next();
      if (step.kind === 'more') {
        await cursor.fill();
        continue;
      }
      if (step.kind === 'group' && step.header.type === DATA) {
        const { bodyBytes, records: count, flags } = step.header;
        const hasCheckpoint = (flags & HAS_CHECKPOINT) !== 0;
        writer.stageData([step.body], bodyBytes, count, { openLsn: from.openLsn, hasCheckpoint });
        records += step.header.records;
        staged = true;
      }
      if (staged && (step.kind === 'stop' || step.header.type === DATA)) {
        writer.write();
        writer.sync();
        staged = false;
      }
      if (step.kind === 'stop') return records;
    }
  } finally {
    await file.close();
  }
}

function noPredecessor(truncatedBefore: number): LinkBody {
  return {
    predecessorSalt: undefined,
    predecessorNumber: 0,
    predecessorLastLsn: 0,
    predecessorEnd: 0,
    predecessorSealOffset: 0,
    truncatedBefore,
    openLsn: 0,
    checkpointLsn: 0,
  };
}

function result(
  writer: SegmentWriter,
  next: NextSegment,
  files: Pick<Recovered, 'closed' | 'leftovers' | 'abandoned' | 'freed'>,
  checkpointLsn: number,
  tornTail: RecoverySummary['tornTail'],
  reloggedRecords: number,
): Recovered {
  const { link } = next;
  const oldest = files.closed[0]?.firstLsn ?? link.predecessorLastLsn + 1;
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
      created: next.epoch === 1,
      firstLsn: Math.max(oldest, link.truncatedBefore),
      lastLsn: writer.lastLsn,
      tornTail,
      reloggedRecords,
      epoch: next.epoch,
    },
  };
}
