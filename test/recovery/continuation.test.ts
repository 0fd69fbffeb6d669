/** continuation: what the segment that recovery begins is linked to, and what of the old one is logged again in it. */
import { describe, expect, it } from 'vitest';
import { continuation, noPredecessor } from '../../dist/src/recovery/continuation.js';
import type { FoundLog } from '../../dist/src/recovery/find-log.js';
import type { LogPlace } from '../../dist/src/recovery/groups-seen.js';
import { HEAD_LOG_ID, HEAD_SEGMENT_BYTES, linked, saltOf, spare } from '../support/segment-heads.js';

const OLDER = linked(2, 0, 0);
/** Segment 4, whose first record is LSN 10. */
const NEWEST = linked(4, 2, 9, { epoch: 3 }, { checkpointLsn: 6, truncatedBefore: 2 });
const LEFT = spare(5);

function place(end: number, lastLsn: number): LogPlace {
  return { end, lastLsn, lastChecksum: end + 1, sealOffset: 0, checkpointLsn: 8 };
}

function continued(proven: LogPlace | undefined, end: LogPlace, newest = NEWEST, isEarlierEnded = false) {
  const closed = [{ ...OLDER, number: 2 }];
  const scan = { proven, end, truncatedBefore: 7 };
  return continuation(
    { newest, scan, closed, leftovers: [LEFT] } as unknown as FoundLog,
    4,
    6,
    isEarlierEnded,
  );
}

describe('the next segment', () => {
  it.each([
    ['nothing is proven', undefined],
    ['its LINK alone is proven', place(4224, 9)],
  ])('takes the place of the newest one when %s', (_, proven) => {
    const { next, closed, leftovers } = continued(proven, place(5000, 12));
    expect(next).toEqual({
      ...{ number: 6, epoch: 4, logId: HEAD_LOG_ID, previousChecksum: 102 },
      link: { ...NEWEST.link.body, truncatedBefore: 7 },
      relog: { segment: NEWEST, offset: 4096, end: 5000, lastLsn: 12, lastChecksum: 102, openLsn: 0 },
    });
    expect(closed).toEqual([{ ...OLDER, number: 2 }]);
    expect(leftovers).toEqual([LEFT, NEWEST]);
  });

  it.each([
    ['all of it', 10, 4300, 4300, false, 0],
    ['one record', 10, 4300, 5000, true, 10],
    ['some records', 11, 4400, 5000, true, 10],
    ['some records, and no span goes on behind them,', 11, 4400, 5000, false, 0],
  ])('follows the newest one when %s is proven', (_, lastLsn, end, scanEnd, reachesBack, openLsn) => {
    const proven = { ...place(end, lastLsn), sealOffset: 4250 };
    const { next, closed, leftovers } = continued(proven, place(scanEnd, 12), NEWEST, reachesBack);
    expect(next).toEqual({
      ...{ number: 6, epoch: 4, logId: HEAD_LOG_ID, previousChecksum: end + 1 },
      link: {
        ...{ predecessorSalt: saltOf(4), predecessorNumber: 4, predecessorLastLsn: lastLsn },
        ...{ predecessorEnd: end, predecessorSealOffset: 4250 },
        ...{ truncatedBefore: 7, openLsn, checkpointLsn: 8 },
      },
      relog: { segment: NEWEST, offset: end, end: scanEnd, lastLsn: 12, lastChecksum: end + 1, openLsn },
    });
    expect(closed).toEqual([
      { ...OLDER, number: 2 },
      {
        ...{ name: NEWEST.name, number: 4, epoch: 3, salt: saltOf(4), fileBytes: HEAD_SEGMENT_BYTES },
        ...{ firstLsn: 10, lastLsn, end, sealOffset: 4250, openLsn: 0 },
        ...{ previousChecksum: 102, lastChecksum: end + 1 },
      },
    ]);
    expect(leftovers).toEqual([LEFT]);
  });

  it('may end spans that began where those of the newest one do', () => {
    const newest = linked(4, 2, 9, { epoch: 3 }, { openLsn: 3 });
    const { next, closed } = continued(place(4300, 10), place(5000, 12), newest, true);
    expect(next.link.openLsn).toBe(3);
    expect(next.relog?.openLsn).toBe(3);
    expect(closed[1]?.openLsn).toBe(3);
    expect(continued(undefined, place(5000, 12), newest).next.relog?.openLsn).toBe(3);
  });

  it('has no predecessor at the beginning of a log', () => {
    expect(noPredecessor(5, 3)).toEqual({
      ...{ predecessorSalt: undefined, predecessorNumber: 0, predecessorLastLsn: 4 },
      ...{ predecessorEnd: 0, predecessorSealOffset: 0, truncatedBefore: 3, openLsn: 0, checkpointLsn: 0 },
    });
  });
});
