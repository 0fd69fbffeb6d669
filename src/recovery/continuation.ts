/** continuation: to which place of the log that was found the next segment is linked, and what is copied into it. */
import type { LinkBody } from '../format/group-body.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import type { SegmentFile } from '../segment/segment-files.js';
import type { ChainedSegment } from './chain.js';
import type { FoundLog } from './find-log.js';

/** The segment that recovery begins. */
export interface NextSegment {
  readonly number: number;
  readonly epoch: number;
  readonly logId: Uint8Array;
  /** As in its header; 0: none. */
  readonly cutFrom: number;
  readonly link: LinkBody;
  /** Header checksum of the predecessor's last group. */
  readonly previousChecksum: number;
  /** Where in which segment the groups lie that are to be logged again. */
  readonly relog:
    | {
        readonly segment: ChainedSegment;
        readonly offset: number;
        readonly end: number;
        /** LSN of the last record there. */
        readonly lastLsn: number;
        /** Header checksum of the group before them. */
        readonly lastChecksum: number;
        readonly openLsn: number;
      }
    | undefined;
}

/**
 * Links the next segment to the newest one; or, when that has no records that are proven durable, to the one
 * before it. Its own LINK is then copied, not relied on: it might exist in the page cache alone. That also
 * keeps a log that is opened and closed without appends from growing. `isEarlierEnded`: whether what is logged again may end
 * a large record or transaction that began before it.
 */
export function continuation(
  { newest, scan, closed, leftovers, cutFrom }: FoundLog,
  epoch: number,
  number: number,
  isEarlierEnded: boolean,
): { next: NextSegment; closed: readonly ClosedSegment[]; leftovers: readonly SegmentFile[] } {
  const { header } = newest;
  const base = { number, epoch, logId: header.logId, cutFrom };
  const firstLsn = newest.link.header.firstLsn;
  const { proven, truncatedBefore } = scan;
  if (proven === undefined || proven.lastLsn < firstLsn) {
    const { previousChecksum } = newest.link.header;
    return {
      next: {
        ...base,
        link: { ...newest.link.body, truncatedBefore },
        // It takes the place of the segment that may have made a cut, and says so in its stead.
        cutFrom: header.cutFrom || cutFrom,
        previousChecksum,
        relog: {
          segment: newest,
          offset: BLOCK_BYTES,
          end: scan.end.end,
          lastLsn: scan.end.lastLsn,
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
    // No other span that was open ends any more: who wrote it is gone. An LSN here that nothing needs would keep every
    // file from there on, through all openings that follow.
    openLsn: isEarlierEnded ? newest.link.body.openLsn || firstLsn : 0,
    // One that is logged again lies behind the LINK, and may be cut off.
    checkpointLsn: proven.checkpointLsn,
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
        lastLsn: scan.end.lastLsn,
        lastChecksum: proven.lastChecksum,
        openLsn: link.openLsn,
      },
    },
    closed: [...closed, itself],
    leftovers,
  };
}

/** What a LINK says in the first segment of a log whose first record is `firstLsn`. */
export function noPredecessor(firstLsn: number, truncatedBefore: number): LinkBody {
  return {
    predecessorSalt: undefined,
    predecessorNumber: 0,
    predecessorLastLsn: firstLsn - 1,
    predecessorEnd: 0,
    predecessorSealOffset: 0,
    truncatedBefore,
    openLsn: 0,
    checkpointLsn: 0,
  };
}
