/**
 * point-in-time: the longest part of a damaged log that is whole: from its beginning to the first damage.
 *
 * A log that the default mode refuses, or in which the body of a closed segment does not verify, ends here with the
 * last record before that place. The end is found the way it is found in the newest segment of any log, so the
 * next segment is linked to it as after a crash, and what nothing proves durable is logged again.
 *
 *   P1  What is given back is a prefix: every group of it was verified, back to the log's beginning. A copy that
 *       recovery once made of a segment's last groups, and the originals, hold the same records under the same LSNs,
 *       so either may take the place of the other.
 *   P2  The truncation mark is the highest that verifies anywhere, also behind the damage: files below it may be
 *       gone with good reason.
 *   P3  Nothing is thrown away. Every file that the log ends before gets a second name before the log ends, and so
 *       does the one in which it ends when there is more in it; under that name nothing touches it. Only the first
 *       name is removed, once the log goes on without it.
 *   P4  What was cut off, by `truncateAfter` or an opening, does not come back when it is the LINK of the segment that
 *       did it which is damaged: the headers of later segments say where that was.
 *   P5  When no record would be left, or an LSN is missing that the caller knows of, opening is refused: that
 *       would be no recovery but a new log.
 */
import { CorruptError } from '../errors.js';
import type { SegmentFile } from '../segment/segment-files.js';
import type { Storage } from '../storage/storage.js';
import { scanSegment } from '../verify/scan-segment.js';
import { type Chain, type ChainedSegment, isChained, linkedSegments } from './chain.js';
import { cutOffFrom } from './cut-off.js';
import { type FoundLog, findLog } from './find-log.js';
import { type NewestScan, scanToEnd } from './scan-newest.js';
import type { RecoveryDamage } from './summary.js';
import { type Survey, surveySegment } from './survey.js';

/**
 * Verifies the whole log, and cuts it at the first damage. Throws CorruptError when nothing would be left (P5) or
 * when the files belong to more than one log, and what the storage throws.
 */
export async function findPointInTime(
  storage: Storage,
  segments: readonly SegmentFile[],
  newest: ChainedSegment,
  mustInclude: number,
): Promise<FoundLog> {
  try {
    const found = await findLog(storage, segments, newest, mustInclude, 'point-in-time');
    for (const segment of found.closed) await scanSegment(storage, segment);
    return found;
  } catch (error) {
    if (!(error instanceof CorruptError)) throw error;
    return cut(storage, segments, mustInclude, error);
  }
}

async function cut(
  storage: Storage,
  segments: readonly SegmentFile[],
  mustInclude: number,
  first: CorruptError,
): Promise<FoundLog> {
  checkOneLog(segments, first);
  const surveyed: (SegmentFile & { readonly survey: Survey })[] = [];
  const limitOf = cutOffFrom(segments); // P4
  for (const segment of segments) {
    const survey = await surveySegment(storage, segment);
    surveyed.push({ ...segment, survey: below(survey, limitOf(segment.number)) });
  }
  const mark = Math.max(...surveyed.map(({ survey }) => survey.truncatedBefore));
  const chain = longestChain(segments, mark, limitOf); // P2
  if (chain === undefined) throw nothingLeft(first);
  const { newest, closed, scan, damage } = await firstDamage(storage, chain);
  const { lastLsn } = scan.end;
  const oldestNumber = closed[0]?.number ?? newest.number;
  const oldest = closed[0]?.firstLsn ?? newest.link.header.firstLsn;
  if (lastLsn < Math.max(oldest, mark)) throw nothingLeft(damage ?? first); // P5
  if (lastLsn < mustInclude) {
    throw new CorruptError(
      `The part of the log before the first damage ends with LSN ${lastLsn}, and LSN ${mustInclude} is known to have been durable (option "mustInclude"). ${first.message}`,
      first.details,
    );
  }
  const onLog = new Set([newest.name, ...closed.map(({ name }) => name)]);
  const leftovers = surveyed.filter(({ name }) => !onLog.has(name));
  // What is older than the log's end and sound was a leftover before this; so was what holds no group at all.
  const behind = leftovers.filter(({ number, header, survey }) => {
    if (number < oldestNumber || (header !== undefined && number < newest.number)) return false;
    // In one that holds nothing else, its header may say what was cut off.
    const tellsOfCut = header !== undefined && header.cutFrom > 0 && header.cutFrom < limitOf(number);
    return header === undefined || survey.groups > 0 || tellsOfCut;
  });
  const isCutInside = damage !== undefined;
  const aside = [...(isCutInside ? [newest.name] : []), ...behind.map(({ name }) => name)];
  const reason = damage ?? first;
  const highest = Math.max(...surveyed.map(({ survey }) => survey.lastLsn));
  return {
    newest,
    scan: { ...scan, truncatedBefore: mark },
    closed,
    leftovers,
    torn: scan.torn ? { file: newest.name, offset: scan.end.end, bytes: scan.tornBytes } : undefined,
    damage: [
      {
        file: reason.details.file ?? newest.name,
        offset: reason.details.offset,
        reason: reason.message.replace(' No file was changed.', ''),
        firstLostLsn: lastLsn + 1,
        lastLostLsn: highest > lastLsn ? highest : undefined,
        keptAs: undefined,
      },
      ...behind.map(({ name, survey }): RecoveryDamage => {
        const holds = survey.lastLsn > lastLsn;
        return {
          file: name,
          offset: undefined,
          reason: 'The file lies behind the place where the log was ended.',
          firstLostLsn: holds ? Math.max(survey.firstLsn, lastLsn + 1) : undefined,
          lastLostLsn: holds ? survey.lastLsn : undefined,
          keptAs: undefined,
        };
      }),
    ],
    aside,
    cutFrom: lastLsn + 1,
  };
}

/** What a segment tells without the records that were cut off. */
function below(survey: Survey, limit: number): Survey {
  const lastLsn = Math.min(survey.lastLsn, limit - 1);
  return survey.firstLsn < limit ? { ...survey, lastLsn } : { ...survey, groups: 0, firstLsn: 0, lastLsn: 0 };
}

/** A chain that ends with the last record below `limit`. */
interface LimitedChain extends Omit<Chain, 'leftovers'> {
  /** From newest to oldest. */
  readonly chained: readonly ChainedSegment[];
  /** Infinity: where its groups end. */
  readonly limit: number;
}

/**
 * The chain from the segment with the highest number from which the LINKs lead back to the log's beginning, and of which
 * not all was cut off.
 */
function longestChain(
  segments: readonly SegmentFile[],
  mark: number,
  limitOf: (number: number) => number,
): LimitedChain | undefined {
  for (const segment of segments.filter(isChained).reverse()) {
    try {
      const { chained, closed } = linkedSegments(segments, segment, mark);
      const at = chained.findIndex(({ number, link }) => link.header.firstLsn < limitOf(number));
      const newest = chained[at];
      if (newest === undefined) continue;
      const before = closed.slice(0, closed.length - at);
      return { newest, closed: before, chained: chained.slice(at), limit: limitOf(newest.number) };
    } catch (error) {
      if (error instanceof CorruptError) continue;
      throw error;
    }
  }
  return undefined;
}

/** Verifies the bodies of a chain in their order, up to the first that is damaged: there the log ends. */
async function firstDamage(
  storage: Storage,
  { newest, closed, chained, limit }: LimitedChain,
): Promise<{
  newest: ChainedSegment;
  closed: Chain['closed'];
  scan: NewestScan;
  damage: CorruptError | undefined;
}> {
  for (const [i, segment] of closed.entries()) {
    try {
      await scanSegment(storage, segment);
    } catch (error) {
      if (!(error instanceof CorruptError)) throw error;
      const damaged = chained[chained.length - 1 - i] as ChainedSegment;
      const scan = await scanToEnd(storage, damaged, 0, error.details.offset);
      return { newest: damaged, closed: closed.slice(0, i), scan, damage: error };
    }
  }
  const scan = await scanToEnd(storage, newest, 0, undefined, limit);
  return { newest, closed, scan, damage: scan.refusal };
}

/** Files of another log are not damage: somebody put them there, and must say which log is meant. */
function checkOneLog(segments: readonly SegmentFile[], first: CorruptError): void {
  const ids = new Set(
    segments.flatMap(({ header }) => (header ? [Buffer.from(header.logId).toString('hex')] : [])),
  );
  if (ids.size > 1) throw first;
}

function nothingLeft(first: CorruptError): CorruptError {
  return new CorruptError(
    `No record comes before the damage, so there is no earlier state of the log to open; \`salvage\` saves what lies behind it. ${first.message}`,
    first.details,
  );
}
