/**
 * look: what a log directory holds at one moment, found out from its files alone, while a writer may be at work.
 *
 * With a writer at work, only what is proven durable is shown. (Nobody waits for its proof in vain: the next write
 * brings it, or the mark after 50 ms without one.) Without, all that recovery would accept. Whether there is a writer
 * is asked before the scan and, if there was none, behind it again: what one wrote meanwhile is not taken for the
 * end that a dead one left.
 *
 * The files change while they are read. None of that may pass for damage:
 *   - A group may be written between the scan that missed it and the search that finds its proof: the scan looks at
 *     the place again.
 *   - Files come and go, and are reused, between the listing of the directory and the reading of a file. Every such
 *     failure is believed only when the next look finds the very same. That is enough: what the first look found
 *     missing was made durable before the proof that it is missed was written, so a later look must see it.
 */
import type { ReadableSegment, ReadView } from '../control/contract.js';
import { CorruptError, describe, IoError, RingwalError } from '../errors.js';
import { saltKey } from '../format/group-header.js';
import { sameBytes } from '../format/same-bytes.js';
import { type ChainedSegment, findNewest, followChain } from '../recovery/chain.js';
import { searchBehind } from '../recovery/evidence.js';
import { GroupsSeen, type LogPlace } from '../recovery/groups-seen.js';
import { checkSuccessor, refusal, scanNewest } from '../recovery/scan-newest.js';
import { verdictOf } from '../recovery/verdict.js';
import { type Group, SegmentCursor, type Stop } from '../segment/segment-cursor.js';
import { readDirectory, readSegmentFile } from '../segment/segment-files.js';
import type { Storage, StorageFile } from '../storage/storage.js';

/** Whether a writer has the directory open; true when it can't be told. */
export type IsWriterAlive = () => Promise<boolean>;

/** The log at one moment. */
export interface Look {
  /** What can be read; its `durableLsn` is the last LSN that is shown. */
  readonly view: ReadView;
  /** Those of the view and those without records, oldest first; the newest one as far as it is shown. */
  readonly segments: readonly ReadableSegment[];
  /** LSN of the last checkpoint that is shown; 0: none. */
  readonly checkpointLsn: number;
  /** Whether a writer had the log open. */
  readonly isLive: boolean;
  /** Where the log goes on; undefined: there is no log yet. */
  readonly newest: { readonly segment: ChainedSegment; readonly seen: GroupsSeen } | undefined;
}

/** How far behind its end a segment that is being written is searched for evidence: a group of the default size. */
const LIVE_SEARCH_BYTES = 4 * 1024 * 1024;
/** Looks that may fail, each in another way, before giving up. Each takes a file that vanished or a rotation. */
const ATTEMPTS = 100;

/** Throws CorruptError, UnsupportedVersionError and IoError. Changes nothing. */
export function lookAtLog(storage: Storage, isWriterAlive: IsWriterAlive): Promise<Look> {
  return believed('Reading the log', () => look(storage, isWriterAlive));
}

/** Runs `task` on files that may change meanwhile, again and again, until it succeeds or fails twice in the same way. */
export async function believed<T>(doing: string, task: () => Promise<T>): Promise<T> {
  let before: string | undefined;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return await task();
    } catch (error) {
      const failure = identity(error);
      if (failure === before) throw error instanceof RingwalError ? error : new IoError(doing, error);
      before = failure;
    }
  }
  throw new IoError(doing, new Error('its files change faster than they can be read'));
}

/** What two failures have in common if they are the same. */
export function identity(error: unknown): string {
  if (!(error instanceof CorruptError) || error.details.file === undefined) return describe(error);
  // Not the whole text: that also tells how far the writer has come.
  const { file, offset, expectedLsn, lastGoodLsn } = error.details;
  return JSON.stringify([file, offset, expectedLsn, lastGoodLsn]);
}

async function look(storage: Storage, isWriterAlive: IsWriterAlive): Promise<Look> {
  for (;;) {
    const isLive = await isWriterAlive();
    const { segments } = await readDirectory(storage);
    const newest = findNewest(segments);
    if (newest === undefined)
      return {
        view: { segments: [], firstLsn: 1, durableLsn: 0, cuts: 0 },
        segments: [],
        checkpointLsn: 0,
        isLive,
        newest,
      };
    const seen = isLive ? await scanLive(storage, newest) : (await scanNewest(storage, newest, 0)).seen;
    await checkSuccessor(storage, newest, seen, segments);
    const { closed } = followChain(segments, newest, seen.truncatedBefore);
    await confirm(storage, newest);
    if (!isLive && (await isWriterAlive())) continue;
    const { body, header } = newest.link;
    const shown = isLive ? seen.proven : seen.end;
    const all: ReadableSegment[] = closed.map((segment) => ({ ...segment, isClosed: true }));
    if (shown !== undefined) all.push(readableNewest(newest, shown));
    return {
      segments: all,
      view: {
        segments: all.filter(({ firstLsn, lastLsn }) => lastLsn >= firstLsn),
        firstLsn: Math.max(closed[0]?.firstLsn ?? header.firstLsn, seen.truncatedBefore),
        // A LINK proves all before it: it is written behind the sync of the SEAL, or by recovery, to what was proven.
        durableLsn: shown?.lastLsn ?? header.firstLsn - 1,
        cuts: 0,
      },
      checkpointLsn: shown?.checkpointLsn ?? body.checkpointLsn,
      isLive,
      newest: { segment: newest, seen },
    };
  }
}

/** Walks the newest segment of a log that is being written, and judges the place where it ends at the moment. */
async function scanLive(storage: Storage, segment: ChainedSegment): Promise<GroupsSeen> {
  const seen = new GroupsSeen(segment);
  const file = await storage.open(segment.name, 'read');
  try {
    const cursor = cursorBehind(file, segment, seen.end);
    for (;;) {
      const step = await nextStep(cursor);
      if (step.kind === 'group') {
        const contradiction = seen.visit(step);
        if (contradiction !== undefined) throw contradiction;
        continue;
      }
      const { fileBytes, header } = segment;
      const searched = Math.min(fileBytes, header.segmentBytes, step.offset + LIVE_SEARCH_BYTES);
      const evidence = await searchBehind(file, saltKey(header.salt), step.offset, searched);
      const isCut = fileBytes < header.segmentBytes && !seen.clean && seen.seal === undefined;
      const isFalseEnd = seen.end.lastLsn < evidence.durableLsn;
      const verdict = verdictOf(step.reason, evidence.proofBehind, isFalseEnd, isCut);
      if (verdict === 'clean-end' || verdict === 'torn-tail') return seen;
      const again = await nextStep(cursorBehind(file, segment, seen.end));
      if (again.kind === 'group') return seen; // it has come meanwhile, and is for the next look
      throw refusal(verdict, segment, seen.end, evidence, 0);
    }
  } finally {
    await file.close();
  }
}

/** A cursor over the newest segment that goes on behind a group; `windowBytes` as for SegmentCursor. */
export function cursorBehind(
  file: StorageFile,
  { header, fileBytes }: ChainedSegment,
  place: LogPlace,
  windowBytes?: number,
): SegmentCursor {
  const limit = Math.min(fileBytes, header.segmentBytes);
  const from = { offset: place.end, nextLsn: place.lastLsn + 1, lastChecksum: place.lastChecksum };
  return new SegmentCursor(file, saltKey(header.salt), limit, from, windowBytes);
}

/** The next group of `cursor`, or why there is none. */
export async function nextStep(cursor: SegmentCursor): Promise<Group | Stop> {
  for (;;) {
    const step = cursor.next();
    if (step.kind !== 'more') return step;
    await cursor.fill();
  }
}

/** Throws when a file was reused while it was scanned: its groups then ended where the new ones had come to. */
async function confirm(storage: Storage, { name, number, header }: ChainedSegment): Promise<void> {
  const now = await readSegmentFile(storage, name, number);
  if (!sameBytes(now.header?.salt, header.salt))
    throw new IoError(`Reading ${name}`, new Error('the file was reused meanwhile'));
}

/** The newest segment up to a place in it. */
export function readableNewest(
  { name, number, fileBytes, header, link }: ChainedSegment,
  place: LogPlace,
): ReadableSegment {
  const { end, lastLsn, lastChecksum, sealOffset } = place;
  return {
    name,
    number,
    fileBytes,
    epoch: header.epoch,
    salt: header.salt,
    firstLsn: link.header.firstLsn,
    openLsn: link.body.openLsn,
    previousChecksum: link.header.previousChecksum,
    end,
    lastLsn,
    lastChecksum,
    sealOffset,
    isClosed: false,
  };
}
