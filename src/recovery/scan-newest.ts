/** scan-newest: reads the newest segment from its LINK to the end of the log, and judges that end. */
import { CorruptError } from '../errors.js';
import type { SealBody } from '../format/group-body.js';
import { saltKey } from '../format/group-header.js';
import { sameBytes } from '../format/same-bytes.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { SegmentCursor } from '../segment/segment-cursor.js';
import type { Storage, StorageFile } from '../storage/storage.js';
import type { ChainedSegment } from './chain.js';
import { bytesBehind, type Evidence, searchBehind } from './evidence.js';
import { GroupsSeen, type LogPlace, misplaced } from './groups-seen.js';
import { type Verdict, verdictOf } from './verdict.js';

export type { LogPlace };

/** Where a write lies that was not completed, and how many bytes of it there may be. */
export interface TornWrite {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

export interface NewestScan {
  /** Up to here durability is proven. Undefined: not even the segment's LINK is. */
  readonly proven: LogPlace | undefined;
  /** The end of the log. */
  readonly end: LogPlace;
  readonly torn: boolean;
  /** Bytes behind the end, with a torn tail; see RecoverySummary. */
  readonly tornBytes: number;
  /** Why this is no end of the log; the scan then ends before the damage. Undefined: it is one. */
  readonly refusal: CorruptError | undefined;
  /** The highest truncation mark in the segment. */
  readonly truncatedBefore: number;
  /** LSN of the last checkpoint of the log; 0: none. */
  readonly checkpointLsn: number;
  /** Whether the log was closed here. */
  readonly clean: boolean;
  /** The SEAL at the end, if the segment was sealed. */
  readonly seal: SealBody | undefined;
  /** All of this, ready to go on from the end. */
  readonly seen: GroupsSeen;
}

/** Throws CorruptError for every verdict that is not an end of the log. Changes nothing. */
export async function scanNewest(
  storage: Storage,
  segment: ChainedSegment,
  mustInclude: number,
): Promise<NewestScan> {
  const found = await scanToEnd(storage, segment, mustInclude);
  if (found.refusal !== undefined) throw found.refusal;
  return found;
}

/**
 * The same, with the verdict in `refusal`, and only of the groups that end at the place `stopAt` or before it, and below
 * LSN `cutFrom`, where `truncateAfter` has ended the segment. Throws only what the storage throws.
 */
export async function scanToEnd(
  storage: Storage,
  segment: ChainedSegment,
  mustInclude: number,
  stopAt = Number.POSITIVE_INFINITY,
  cutFrom = Number.POSITIVE_INFINITY,
): Promise<NewestScan> {
  const file = await storage.open(segment.name, 'read');
  try {
    return await scan(file, segment, mustInclude, stopAt, cutFrom);
  } finally {
    await file.close();
  }
}

async function scan(
  file: StorageFile,
  segment: ChainedSegment,
  mustInclude: number,
  stopAt: number,
  cutFrom: number,
): Promise<NewestScan> {
  const key = saltKey(segment.header.salt);
  const limit = Math.min(segment.fileBytes, segment.header.segmentBytes, stopAt);
  const { firstLsn, previousChecksum } = segment.link.header;
  const cursor = new SegmentCursor(file, key, limit, {
    offset: BLOCK_BYTES,
    nextLsn: firstLsn,
    lastChecksum: previousChecksum,
  });
  const seen = new GroupsSeen(segment);
  for (;;) {
    const step = cursor.next();
    if (step.kind === 'more') {
      await cursor.fill();
      continue;
    }
    const isCutOff = step.kind === 'group' && step.header.firstLsn + step.header.records > cutFrom;
    const contradiction = step.kind === 'group' && !isCutOff ? seen.visit(step) : undefined;
    if (step.kind === 'group' && !isCutOff && contradiction === undefined) continue;
    const { proven, end: found, truncatedBefore, clean, seal } = seen;
    const { checkpointLsn } = found;
    const result = { proven, end: found, truncatedBefore, checkpointLsn, clean, seal, seen };
    if (step.kind === 'group') return { ...result, torn: false, tornBytes: 0, refusal: contradiction };
    const evidence = await searchBehind(file, key, step.offset, limit);
    const known = Math.max(evidence.durableLsn, mustInclude);
    const isCut = segment.fileBytes < segment.header.segmentBytes && !clean && seal === undefined;
    const verdict = verdictOf(step.reason, evidence.proofBehind, found.lastLsn < known, isCut);
    const isEnd = verdict === 'torn-tail' || verdict === 'clean-end';
    // Zeros first, and then a header: the first sectors of a write are missing, and others of it are there.
    const torn = verdict === 'torn-tail' || (isEnd && evidence.headers > 0);
    return {
      ...result,
      torn,
      tornBytes: torn ? await bytesBehind(file, found.end) : 0,
      refusal: isEnd ? undefined : refusal(verdict, segment, found, evidence, mustInclude),
    };
  }
}

/**
 * Checks the successor that the newest segment's SEAL names: it was published before the SEAL was written,
 * and no record may lie in it, or it would be the newest segment itself. Throws CorruptError. Returns the place of
 * a write that was not completed: the successor's first one, of which only a part is there.
 */
export async function checkSuccessor(
  storage: Storage,
  newest: ChainedSegment,
  scan: Pick<NewestScan, 'seal' | 'end'>,
  segments: readonly {
    name: string;
    number: number;
    fileBytes: number;
    header: ChainedSegment['header'] | undefined;
  }[],
): Promise<TornWrite | undefined> {
  if (scan.seal === undefined) return undefined;
  const { successorNumber, successorSalt } = scan.seal;
  const expectedLsn = scan.end.lastLsn + 1;
  const successor = segments.find((segment) => segment.number === successorNumber);
  if (successor === undefined || !sameBytes(successor.header?.salt, successorSalt)) {
    throw new CorruptError(
      `${newest.name} is sealed and names segment ${successorNumber} as the next, which is missing or another file. Records from LSN ${expectedLsn} on may be lost. No file was changed.`,
      {
        file: newest.name,
        expectedLsn,
        lastGoodLsn: scan.end.lastLsn,
        evidence: 'the SEAL of the segment before',
      },
    );
  }
  const file = await storage.open(successor.name, 'read');
  try {
    const evidence = await searchBehind(file, saltKey(successorSalt), BLOCK_BYTES, successor.fileBytes);
    if (evidence.proofBehind) {
      throw new CorruptError(
        `The first group of ${successor.name} is damaged, and later groups in it are not: acknowledged records from LSN ${expectedLsn} on are lost. No file was changed.`,
        damageDetails(successor.name, BLOCK_BYTES, scan.end.lastLsn, evidence),
      );
    }
    if (evidence.headers === 0) return undefined;
    return { file: successor.name, offset: BLOCK_BYTES, bytes: await bytesBehind(file, BLOCK_BYTES) };
  } finally {
    await file.close();
  }
}

/** The error for a verdict that is no end of a log. */
export function refusal(
  verdict: Verdict,
  segment: ChainedSegment,
  end: LogPlace,
  evidence: Evidence,
  mustInclude: number,
): CorruptError {
  const expectedLsn = end.lastLsn + 1;
  if (verdict === 'misplaced') {
    return misplaced(segment, end.end, expectedLsn, 'it has another LSN, or follows another group');
  }
  const details = damageDetails(segment.name, end.end, end.lastLsn, evidence);
  if (verdict === 'damaged') {
    const after =
      evidence.firstGoodLsnAfter === undefined
        ? ''
        : ` The next group that verifies starts with LSN ${evidence.firstGoodLsnAfter}.`;
    return new CorruptError(
      `Acknowledged data in ${segment.name} is damaged at offset ${end.end}: LSN ${expectedLsn} and what follows it can't be read.${after} No file was changed.`,
      details,
    );
  }
  if (verdict === 'cut') {
    return new CorruptError(
      `${segment.name} has ${segment.fileBytes} of ${segment.header.segmentBytes} bytes and does not end with the mark of a log that was closed: it was cut, or that mark is damaged. Records from LSN ${expectedLsn} on may be lost. No file was changed.`,
      { ...details, evidence: 'the size of the file' },
    );
  }
  const known = Math.max(evidence.durableLsn, mustInclude);
  return new CorruptError(
    `The log ends with LSN ${end.lastLsn} in ${segment.name}, and LSN ${known} is known to have been durable: its end is lost. No file was changed.`,
    {
      ...details,
      evidence: known === mustInclude ? 'option "mustInclude"' : 'the durable LSN of a later group',
    },
  );
}

function damageDetails(file: string, offset: number, lastGoodLsn: number, evidence: Evidence) {
  return {
    file,
    offset,
    expectedLsn: lastGoodLsn + 1,
    lastGoodLsn,
    ...(evidence.firstGoodLsnAfter === undefined ? {} : { firstGoodLsnAfter: evidence.firstGoodLsnAfter }),
    ...(evidence.proofBehind ? { evidence: 'a later group that states this place to be durable' } : {}),
  };
}
