/**
 * find-log: the log that the files of a directory make, or why they make none; for the modes that accept no damage.
 *
 * `tolerate-torn-tail` takes a write that was never acknowledged for what a crash leaves, and ends the log before
 * it. `absolute` refuses that too: for who would rather look at every crash than have a machine judge it.
 */
import { CorruptError } from '../errors.js';
import type { RecoveryMode } from '../options.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import type { SegmentFile } from '../segment/segment-files.js';
import type { Storage } from '../storage/storage.js';
import { type ChainedSegment, followChain } from './chain.js';
import { checkSuccessor, type NewestScan, scanNewest, type TornWrite } from './scan-newest.js';
import type { RecoveryDamage } from './summary.js';

/** Where a log ends, and what it consists of. */
export interface FoundLog {
  /** The segment in which it ends. */
  readonly newest: ChainedSegment;
  readonly scan: NewestScan;
  /** Segments before that one, oldest first. */
  readonly closed: readonly ClosedSegment[];
  /** Segments that are not part of the log. */
  readonly leftovers: readonly SegmentFile[];
  /** The write that was cut off. */
  readonly torn: TornWrite | undefined;
  /** With damage only: the LSN and what is told of it, and the files that are to be put aside. */
  readonly damage: readonly RecoveryDamage[];
  readonly aside: readonly string[];
  /** The LSN from which on records that lie behind the end are not part of the log; 0: none lie there. */
  readonly cutFrom: number;
}

/** Throws CorruptError for everything that is not a log which ends in order, or, tolerated, with a torn write. */
export async function findLog(
  storage: Storage,
  segments: readonly SegmentFile[],
  newest: ChainedSegment,
  mustInclude: number,
  mode: RecoveryMode,
): Promise<FoundLog> {
  const scan = await scanNewest(storage, newest, mustInclude);
  const tornSuccessor = await checkSuccessor(storage, newest, scan, segments);
  const { closed, leftovers } = followChain(segments, newest, scan.truncatedBefore);
  const torn = scan.torn ? { file: newest.name, offset: scan.end.end, bytes: scan.tornBytes } : tornSuccessor;
  if (torn !== undefined && mode === 'absolute') throw tornTail(torn, scan.end.lastLsn);
  // Of a write that was torn a part may be sound, and is not to be found again should the next LINK be lost.
  const cutFrom = torn === undefined ? 0 : scan.end.lastLsn + 1;
  return { newest, scan, closed, leftovers, torn, damage: [], aside: [], cutFrom };
}

function tornTail({ file, offset, bytes }: TornWrite, lastLsn: number): CorruptError {
  return new CorruptError(
    `${file} ends with a write that was not completed: ${bytes} bytes from offset ${offset} on do not verify, and nothing proves that they were acknowledged. The log would end with LSN ${lastLsn}. Option "recovery" is "absolute", so this is refused; "tolerate-torn-tail" cuts it off. No file was changed.`,
    { file, offset, expectedLsn: lastLsn + 1, lastGoodLsn: lastLsn, evidence: 'option "recovery"' },
  );
}
