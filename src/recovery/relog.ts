/** relog: the groups behind the end that is proven durable: what they hold, and their copy into the next segment. */
import { IoError } from '../errors.js';
import { DATA, HAS_CHECKPOINT, saltKey } from '../format/group-header.js';
import {
  ID_BYTES,
  idBytes,
  RECORD_FIRST,
  RECORD_LAST,
  RECORD_TXN_BEGIN,
  RECORD_TXN_COMMIT,
} from '../format/record-frame.js';
import { walkRecords } from '../segment/records.js';
import { type Group, SegmentCursor } from '../segment/segment-cursor.js';
import type { SegmentWriter } from '../segment/segment-writer.js';
import type { Storage } from '../storage/storage.js';
import type { ChainedSegment } from './chain.js';
import type { NextSegment } from './continuation.js';
import type { FoundLog } from './find-log.js';

type Relog = NonNullable<NextSegment['relog']>;

/**
 * Whether what lies behind the proven end ends a large record or commits a transaction that began before it; also when it
 * can't be read.
 */
export async function endsEarlierSpan(storage: Storage, { newest, scan }: FoundLog): Promise<boolean> {
  const { proven, end } = scan;
  if (proven === undefined || proven.lastLsn === end.lastLsn) return false;
  const place = { offset: proven.end, end: end.end, lastChecksum: proven.lastChecksum };
  const begun = new Set<bigint>();
  let { lastLsn } = proven;
  for await (const { header, body } of dataGroups(storage, newest, place, lastLsn)) {
    const view = new DataView(body.buffer, body.byteOffset, body.length);
    let isEarlier = false;
    walkRecords(body, header.records, header.firstLsn, (lsn, type, flags, content) => {
      lastLsn = lsn;
      const ids = idBytes(type, flags);
      if (ids === 0) return;
      const id = view.getBigUint64(content + ids - ID_BYTES, true); // of a fragment its own, not that of its transaction
      if (type === RECORD_FIRST || type === RECORD_TXN_BEGIN) begun.add(id);
      else if (type === RECORD_LAST || type === RECORD_TXN_COMMIT) isEarlier ||= !begun.has(id);
    });
    if (isEarlier) return true;
  }
  return lastLsn !== end.lastLsn;
}

/**
 * Copies the DATA groups between two places into the new segment, behind its LINK, which is staged, and syncs nothing;
 * returns the records. `lastLsn`: the last one before them. Throws when they are not those that were found there before:
 * published, the segment would end the log without the rest.
 */
export async function relog(
  storage: Storage,
  from: Relog,
  lastLsn: number,
  writer: SegmentWriter,
): Promise<number> {
  const openLsn = from.openLsn || lastLsn + 1; // for those that end a span which began in one before
  let records = 0;
  for await (const { header, body } of dataGroups(storage, from.segment, from, lastLsn)) {
    const hasCheckpoint = (header.flags & HAS_CHECKPOINT) !== 0;
    // Packed, as they may have been: padded, more of them than blocks in a segment would not fit into the new one.
    writer.stageData([body], header.bodyBytes, header.records, { openLsn, hasCheckpoint, isPacked: true });
    writer.write(false);
    records += header.records;
  }
  if (records === 0) writer.write(false); // the LINK alone
  if (writer.lastLsn === from.lastLsn) return records;
  throw new IoError('Logging the last group again', new Error('it changed while it was read'));
}

/** The DATA groups between two places of a segment. The body of one is gone when the next is asked for. */
async function* dataGroups(
  storage: Storage,
  segment: ChainedSegment,
  { offset, end, lastChecksum }: Pick<Relog, 'offset' | 'end' | 'lastChecksum'>,
  lastLsn: number,
): AsyncGenerator<Group> {
  const file = await storage.open(segment.name, 'read');
  try {
    const place = { offset, nextLsn: lastLsn + 1, lastChecksum };
    const cursor = new SegmentCursor(file, saltKey(segment.header.salt), end, place);
    for (;;) {
      const step = cursor.next();
      if (step.kind === 'stop') return;
      if (step.kind === 'more') await cursor.fill();
      else if (step.header.type === DATA) yield step;
    }
  } finally {
    await file.close();
  }
}
