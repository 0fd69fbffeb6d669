/**
 * verdict: what the end of a log's newest segment means. One table; recovery asks it and does as it says.
 *
 * The scan of the newest segment ends at some place p, for one of the reasons of segment-cursor.ts. Whether p
 * is the end of the log, or acknowledged records lie behind damage, follows from three more facts:
 *
 *   proofBehind  a group header that verifies, somewhere behind p, says that bytes at p had been synced when
 *                it was written (its durable end lies beyond p). One sync stream: it can't say so otherwise.
 *   falseEnd     the log would end before an LSN that is known to be durable: the highest "durable LSN" of
 *                any header that was read, or the caller's `mustInclude`.
 *   isCut        the file is shorter than it was laid out for, and neither a CLEAN mark nor a SEAL is its last
 *                group. Its size was durable before it was published, and is made smaller only behind one of
 *                these two, once that is durable: so it was there, and is lost.
 */
import type { StopReason } from '../segment/segment-cursor.js';

export type Verdict =
  /** The log ends at p, as its writer left it. */
  | 'clean-end'
  /** The log ends at p; behind it lies what remains of a write that was never acknowledged. */
  | 'torn-tail'
  /** Bytes that were acknowledged do not verify. */
  | 'damaged'
  /** A group verifies and is not the one that belongs there: a misdirected write, a swapped file, or a bug. */
  | 'misplaced'
  /** All that is there verifies, and records that are known to have been durable are not there. */
  | 'lost-end'
  /** All that is there verifies, and the file is shorter than its writer left it. */
  | 'cut';

interface Row {
  readonly reason: StopReason;
  readonly proofBehind: boolean | 'any';
  readonly falseEnd: boolean | 'any';
  readonly isCut: boolean | 'any';
  readonly verdict: Verdict;
  /** The events that lead here. */
  readonly because: string;
}

export const VERDICTS: readonly Row[] = [
  {
    reason: 'misplaced',
    proofBehind: 'any',
    falseEnd: 'any',
    isCut: 'any',
    verdict: 'misplaced',
    because: 'no crash makes a group that verifies begin right here and have a wrong LSN or chain',
  },
  {
    reason: 'end',
    proofBehind: true,
    falseEnd: 'any',
    isCut: 'any',
    verdict: 'damaged',
    because: 'cannot happen: nothing lies behind the end of the file',
  },
  {
    reason: 'zeros',
    proofBehind: true,
    falseEnd: 'any',
    isCut: 'any',
    verdict: 'damaged',
    because: 'a lost write or zeroed sectors, and a later group that survived',
  },
  {
    reason: 'invalid',
    proofBehind: true,
    falseEnd: 'any',
    isCut: 'any',
    verdict: 'damaged',
    because: 'rotten bytes, and a later group that survived',
  },
  {
    reason: 'end',
    proofBehind: false,
    falseEnd: true,
    isCut: 'any',
    verdict: 'lost-end',
    because: 'the file was cut, or replaced by an older copy',
  },
  {
    reason: 'zeros',
    proofBehind: false,
    falseEnd: true,
    isCut: 'any',
    verdict: 'lost-end',
    because: 'the end of the log was overwritten with zeros',
  },
  {
    reason: 'invalid',
    proofBehind: false,
    falseEnd: true,
    isCut: 'any',
    verdict: 'lost-end',
    because: 'the last acknowledged groups are rotten',
  },
  {
    reason: 'end',
    proofBehind: false,
    falseEnd: false,
    isCut: false,
    verdict: 'clean-end',
    because: 'closed, or died between two groups at the very end of a segment',
  },
  {
    reason: 'zeros',
    proofBehind: false,
    falseEnd: false,
    isCut: false,
    verdict: 'clean-end',
    because: 'closed, or died between two groups, or before any of a write reached the disk',
  },
  {
    reason: 'invalid',
    proofBehind: false,
    falseEnd: false,
    isCut: false,
    verdict: 'torn-tail',
    because: 'died while a group was being written',
  },
  {
    reason: 'end',
    proofBehind: false,
    falseEnd: false,
    isCut: true,
    verdict: 'cut',
    because: 'the end of a log that was closed was cut off',
  },
  {
    reason: 'zeros',
    proofBehind: false,
    falseEnd: false,
    isCut: true,
    verdict: 'cut',
    because: 'the file was cut, or zeros took the place of its last mark',
  },
  {
    reason: 'invalid',
    proofBehind: false,
    falseEnd: false,
    isCut: true,
    verdict: 'cut',
    because: 'the file was cut inside a group, or its last mark is rotten',
  },
];

/** The verdict of the only row that matches. */
export function verdictOf(
  reason: StopReason,
  proofBehind: boolean,
  falseEnd: boolean,
  isCut: boolean,
): Verdict {
  for (const row of VERDICTS) {
    const matches =
      row.reason === reason &&
      (row.proofBehind === 'any' || row.proofBehind === proofBehind) &&
      (row.falseEnd === 'any' || row.falseEnd === falseEnd) &&
      (row.isCut === 'any' || row.isCut === isCut);
    if (matches) return row.verdict;
  }
  throw new Error('unreachable: the table of verdicts is complete');
}
