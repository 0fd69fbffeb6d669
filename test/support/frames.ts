/**
 * frames: the record frames of a log as they lie on its disk, and what callers should see of them, by the page on the
 * format and by no code of the package.
 */

import type { ReadView } from '../../dist/src/control/contract.js';
import { DATA, saltKey } from '../../dist/src/format/group-header.js';
import { walkRecords } from '../../dist/src/segment/records.js';
import { SegmentCursor } from '../../dist/src/segment/segment-cursor.js';
import type { SimStorage } from './sim-storage.js';

export interface RawFrame {
  readonly lsn: number;
  readonly type: number;
  readonly flags: number;
  readonly content: Uint8Array;
}

/** A record as `read` should give it. */
export interface SeenRecord {
  readonly lsn: number;
  readonly commitLsn: number;
  readonly payload: Uint8Array;
}

const [FULL, FIRST, LAST, BEGIN, COMMIT] = [1, 2, 4, 6, 7];
const IN_TRANSACTION = 8;

/** Tells frames apart also by what they are; a plain record is its payload. */
export function identity(type: number, flags: number, content: Uint8Array): Uint8Array {
  if (type === FULL && flags === 0) return content.slice();
  const bytes = new Uint8Array(content.length + 2);
  bytes[0] = type;
  bytes[1] = flags;
  bytes.set(content, 2);
  return bytes;
}

/** All frames in the segments of `view`, also those below the truncation mark that are still kept. */
export async function readFrames(storage: SimStorage, view: ReadView): Promise<RawFrame[]> {
  const frames: RawFrame[] = [];
  for (const segment of view.segments) {
    const file = await storage.open(segment.name, 'read');
    const cursor = new SegmentCursor(file, saltKey(segment.salt), segment.end, {
      offset: 4096,
      nextLsn: segment.firstLsn,
      lastChecksum: segment.previousChecksum,
    });
    while (cursor.nextLsn <= segment.lastLsn) {
      const step = cursor.next();
      if (step.kind === 'stop') throw new Error(`frames: ${segment.name} stops at ${step.offset}`);
      if (step.kind === 'more') await cursor.fill();
      else if (step.header.type === DATA) {
        const { body, header } = step;
        walkRecords(body, header.records, header.firstLsn, (lsn, type, flags, start, end) => {
          frames.push({ lsn, type, flags, content: body.slice(start, end) });
        });
      }
    }
    await file.close();
  }
  return frames;
}

/** The records that take effect at `from` or later, in that order. Throws when the beginning of one is missing. */
export function seenFrom(frames: readonly RawFrame[], from: number): SeenRecord[] {
  const seen: SeenRecord[] = [];
  const parts = new Map<bigint, Uint8Array[]>();
  const transactions = new Map<bigint, SeenRecord[]>();
  for (const { lsn, type, flags, content } of frames) {
    const bytes = Buffer.from(content);
    const isBoundary = type >= BEGIN;
    const transaction = isBoundary || flags & IN_TRANSACTION ? bytes.readBigUInt64LE(0) : undefined;
    const at = transaction === undefined ? 0 : 8;
    if (isBoundary) {
      const records = transactions.get(transaction as bigint);
      if (type === BEGIN) transactions.set(transaction as bigint, []);
      else if (type === COMMIT && lsn >= from) {
        if (records === undefined) throw new Error(`frames: the transaction of COMMIT ${lsn} has no BEGIN`);
        seen.push(...records.map((record) => ({ ...record, commitLsn: lsn })));
      }
      continue;
    }
    let payload: Uint8Array = bytes.subarray(at);
    if (type >= FIRST && type <= LAST) {
      const id = bytes.readBigUInt64LE(at);
      if (type === FIRST) parts.set(id, []);
      const own = parts.get(id);
      own?.push(bytes.subarray(at + 8));
      if (type !== LAST) continue;
      if (own === undefined) {
        if (lsn >= from) throw new Error(`frames: LAST ${lsn} has no FIRST`);
        continue;
      }
      payload = Buffer.concat(own);
    }
    const record = { lsn, commitLsn: lsn, payload };
    if (transaction !== undefined) transactions.get(transaction)?.push(record);
    else if (lsn >= from) seen.push(record);
  }
  return seen;
}
