/** segment-heads: segments as their first bytes describe them, made by hand, for tests of what follows from that. */
import type { LinkBody } from '../../dist/src/format/group-body.js';
import { LINK } from '../../dist/src/format/group-header.js';
import { segmentName } from '../../dist/src/format/segment-header.js';
import type { ChainedSegment } from '../../dist/src/recovery/chain.js';
import type { ClosedSegment } from '../../dist/src/segment/closed-segment.js';
import type { SegmentFile } from '../../dist/src/segment/segment-files.js';

export const HEAD_LOG_ID = new Uint8Array(16).fill(200);
export const HEAD_SEGMENT_BYTES = 65_536;

/** What else than the usual is to be said of a segment. */
export interface HeadTerms {
  readonly epoch?: number;
  readonly fileBytes?: number;
  readonly logId?: Uint8Array;
  readonly salt?: Uint8Array;
  readonly asideEpoch?: number;
  /** LSN of its first record, as the header of its LINK says it. */
  readonly firstLsn?: number;
}

/** The salt of a segment that was given none. */
export function saltOf(number: number): Uint8Array {
  return new Uint8Array(16).fill(number);
}

/** A segment without a LINK: prepared, or cut. */
export function spare(number: number, terms: HeadTerms = {}): SegmentFile & Pick<ChainedSegment, 'header'> {
  const { epoch = 1, fileBytes = HEAD_SEGMENT_BYTES, logId = HEAD_LOG_ID, salt = saltOf(number) } = terms;
  return {
    ...{ name: segmentName(number), number, fileBytes, asideEpoch: terms.asideEpoch, link: undefined },
    header: { logId, salt, number, epoch, segmentBytes: HEAD_SEGMENT_BYTES, createdUs: 1, cutFrom: 0 },
  };
}

/** One whose first block is damaged. */
export function damaged(number: number, terms: HeadTerms = {}): SegmentFile {
  return { ...spare(number, terms), header: undefined };
}

/** One behind the segment `predecessor` (0: the first), which ends with `lastLsn`; its LINK says so. */
export function linked(
  number: number,
  predecessor: number,
  lastLsn: number,
  terms: HeadTerms = {},
  body: Partial<LinkBody> = {},
): ChainedSegment {
  return {
    ...spare(number, terms),
    link: {
      header: {
        ...{ type: LINK, flags: 0, records: 0, bodyBytes: 64, bodyChecksum: 1, durableEnd: 4096 },
        ...{ firstLsn: terms.firstLsn ?? lastLsn + 1, durableLsn: lastLsn, timestampUs: 1000 + number },
        ...{ previousChecksum: 100 + predecessor, headerChecksum: 50 + number },
      },
      body: {
        predecessorSalt: predecessor === 0 ? undefined : saltOf(predecessor),
        predecessorNumber: predecessor,
        predecessorLastLsn: lastLsn,
        predecessorEnd: predecessor === 0 ? 0 : 5000 + predecessor,
        predecessorSealOffset: predecessor === 0 ? 0 : 4900 + predecessor,
        ...{ truncatedBefore: 0, openLsn: 0, checkpointLsn: 0, ...body },
      },
    },
  };
}

/** What is known of segment `number` once it is closed, its chain being that of `linked` with the usual terms. */
export function closedHead(number: number, firstLsn: number, lastLsn: number): ClosedSegment {
  return {
    ...{ name: segmentName(number), number, epoch: 1, salt: saltOf(number), fileBytes: HEAD_SEGMENT_BYTES },
    ...{
      firstLsn,
      lastLsn,
      end: 5000 + number,
      sealOffset: 4900 + number,
      openLsn: 0,
      closedUs: 1001 + number,
    },
    ...{ previousChecksum: 99 + number, lastChecksum: 100 + number },
  };
}
