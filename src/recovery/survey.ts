/** survey: what the headers of a segment tell that verify on their own, wherever in the file they lie. */
import { checksum } from '../format/checksum.js';
import { decodeLink, decodeMark, LINK_BODY_BYTES } from '../format/group-body.js';
import { GROUP_HEADER_BYTES, LINK, MARK, saltKey } from '../format/group-header.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import type { SegmentFile } from '../segment/segment-files.js';
import type { Storage } from '../storage/storage.js';
import { headersIn } from './evidence.js';

export interface Survey {
  /** Headers that verify. */
  readonly groups: number;
  /** The first and the last LSN that they name; 0: none. */
  readonly firstLsn: number;
  readonly lastLsn: number;
  /** The highest truncation mark in LINK and MARKs. */
  readonly truncatedBefore: number;
}

const NOTHING: Survey = { groups: 0, firstLsn: 0, lastLsn: 0, truncatedBefore: 0 };

/** Reads all of the file; throws what the storage throws. */
export async function surveySegment(storage: Storage, segment: SegmentFile): Promise<Survey> {
  if (segment.header === undefined) return NOTHING;
  const key = saltKey(segment.header.salt);
  const file = await storage.open(segment.name, 'read');
  try {
    let { groups, firstLsn, lastLsn, truncatedBefore } = NOTHING;
    const body = new Uint8Array(LINK_BODY_BYTES);
    for await (const { offset, header } of headersIn(file, key, BLOCK_BYTES, segment.fileBytes)) {
      groups++;
      firstLsn ||= header.firstLsn;
      lastLsn = Math.max(lastLsn, header.firstLsn + header.records - 1, header.durableLsn);
      if (header.type !== LINK && header.type !== MARK) continue;
      const read = await file.read(body.subarray(0, header.bodyBytes), offset + GROUP_HEADER_BYTES);
      const bytes = body.subarray(0, read); // of a body that is cut, or too long for one: it won't verify
      if (checksum(bytes, key.seed) !== header.bodyChecksum) continue;
      const evidence = header.type === LINK ? decodeLink(bytes) : decodeMark(bytes);
      truncatedBefore = Math.max(truncatedBefore, evidence?.truncatedBefore ?? 0);
    }
    return { groups, firstLsn, lastLsn, truncatedBefore };
  } finally {
    await file.close();
  }
}
