/** scan-segment: verifies every group and every record frame of one segment, up to its stated end. */
import { CorruptError } from '../errors.js';
import { DATA, saltKey } from '../format/group-header.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import type { ClosedSegment } from '../segment/closed-segment.js';
import { walkRecords } from '../segment/records.js';
import { SegmentCursor } from '../segment/segment-cursor.js';
import type { Storage } from '../storage/storage.js';

export interface SegmentScan {
  readonly groups: number;
  readonly records: number;
  /** Bytes read and verified. */
  readonly bytes: number;
}

/** Throws CorruptError at the first thing that does not verify, and what the storage throws. */
export async function scanSegment(storage: Storage, segment: ClosedSegment): Promise<SegmentScan> {
  const file = await storage.open(segment.name, 'read');
  try {
    const cursor = new SegmentCursor(file, saltKey(segment.salt), segment.end, {
      offset: BLOCK_BYTES,
      nextLsn: segment.firstLsn,
      lastChecksum: segment.previousChecksum,
    });
    let groups = 0;
    for (;;) {
      const step = cursor.next();
      if (step.kind === 'more') {
        await cursor.fill();
      } else if (step.kind === 'group') {
        groups++;
        if (step.header.type !== DATA) continue;
        const wrong = walkRecords(step.body, step.header.records, step.header.firstLsn, () => {});
        if (wrong !== undefined) throw damaged(segment, step.offset, step.header.firstLsn, wrong);
      } else {
        const { offset, nextLsn } = cursor;
        if (step.reason !== 'end')
          throw damaged(segment, offset, nextLsn, `${step.reason} bytes before the segment's end`);
        if (cursor.lastChecksum !== segment.lastChecksum || nextLsn !== segment.lastLsn + 1) {
          throw damaged(segment, offset, nextLsn, 'it ends otherwise than the segment behind it says');
        }
        return { groups, records: nextLsn - segment.firstLsn, bytes: segment.end };
      }
    }
  } finally {
    await file.close();
  }
}

function damaged(segment: ClosedSegment, offset: number, expectedLsn: number, why: string): CorruptError {
  return new CorruptError(`${segment.name} is damaged at offset ${offset}, LSN ${expectedLsn}: ${why}.`, {
    file: segment.name,
    offset,
    expectedLsn,
    lastGoodLsn: expectedLsn - 1,
  });
}
