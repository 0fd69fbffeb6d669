/**
 * groups-seen: what the groups of the newest segment say, added up one group after the other: where the log ends,
 * and up to where it is proven durable.
 *
 * Every header proves all writes before its own (its durable end), so what stays unproven is the last write, or the
 * last ones when callers asked for no sync.
 */
import { CorruptError } from '../errors.js';
import { decodeMark, decodeSeal, type SealBody } from '../format/group-body.js';
import { DATA, HAS_CHECKPOINT, MARK, SEAL } from '../format/group-header.js';
import { RECORD_CHECKPOINT } from '../format/record-frame.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import { walkRecords } from '../segment/records.js';
import type { Group } from '../segment/segment-cursor.js';
import type { ChainedSegment } from './chain.js';

/** A place between two groups. */
export interface LogPlace {
  readonly end: number;
  readonly lastLsn: number;
  readonly lastChecksum: number;
  /** Offset of the SEAL, if one lies before this place; else 0. */
  readonly sealOffset: number;
  /** LSN of the last checkpoint before this place; 0: none. */
  readonly checkpointLsn: number;
}

export class GroupsSeen {
  readonly #segment: ChainedSegment;
  /** Places, oldest first; from `#firstUnproven` on those behind the last one proven. */
  #places: LogPlace[] = [];
  #firstUnproven = 0;
  /** Up to here durability is proven. Undefined: not even the segment's LINK is. */
  proven: LogPlace | undefined;
  /** Where the groups end. */
  end: LogPlace;
  /** The highest truncation mark in the segment. */
  truncatedBefore: number;
  /** Whether the log was closed here. */
  clean = false;
  /** The SEAL at the end, if the segment was sealed. */
  seal: SealBody | undefined;

  constructor(segment: ChainedSegment) {
    this.#segment = segment;
    const { header, body } = segment.link;
    this.truncatedBefore = body.truncatedBefore;
    this.end = {
      end: BLOCK_BYTES,
      lastLsn: header.firstLsn - 1,
      lastChecksum: header.previousChecksum,
      sealOffset: 0,
      checkpointLsn: body.checkpointLsn,
    };
  }

  /** Adds the group that follows; returns why it can't be, when it contradicts those before it. */
  visit(group: Group): CorruptError | undefined {
    const { header } = group;
    this.#prove(header.durableEnd);
    if ((this.proven?.end ?? BLOCK_BYTES) !== header.durableEnd) {
      return misplaced(
        this.#segment,
        group.offset,
        header.firstLsn,
        'its durable end is not where a group ends',
      );
    }
    this.clean = false;
    if (header.type === MARK) {
      const mark = decodeMark(group.body);
      if (mark === undefined || mark.truncatedBefore > header.firstLsn) {
        const why = 'its truncation mark is none, or lies beyond the log';
        return misplaced(this.#segment, group.offset, header.firstLsn, why);
      }
      this.truncatedBefore = Math.max(this.truncatedBefore, mark.truncatedBefore);
      this.clean = mark.clean;
    }
    let { checkpointLsn } = this.end;
    if ((header.flags & HAS_CHECKPOINT) !== 0) {
      walkRecords(group.body, header.records, header.firstLsn, (lsn, type) => {
        if (type === RECORD_CHECKPOINT) checkpointLsn = lsn;
      });
    }
    this.seal = header.type === SEAL ? decodeSeal(group.body) : undefined;
    this.end = {
      end: group.end,
      lastLsn: header.type === DATA ? header.firstLsn + header.records - 1 : header.firstLsn - 1,
      lastChecksum: header.headerChecksum,
      sealOffset: this.seal ? group.offset : 0,
      checkpointLsn,
    };
    this.#places.push(this.end);
    return undefined;
  }

  /** Passes each place once: a file in which no group ever proves another must not take time by its square. */
  #prove(durableEnd: number): void {
    for (;;) {
      const place = this.#places[this.#firstUnproven];
      if (place === undefined || place.end > durableEnd) break;
      this.proven = place;
      this.#firstUnproven++;
    }
    if (2 * this.#firstUnproven <= this.#places.length) return;
    this.#places = this.#places.slice(this.#firstUnproven);
    this.#firstUnproven = 0;
  }
}

/** A group that verifies where it has no place. */
export function misplaced(
  segment: ChainedSegment,
  offset: number,
  expectedLsn: number,
  why: string,
): CorruptError {
  return new CorruptError(
    `A group in ${segment.name} behind offset ${offset} verifies but is not the one that belongs there (${why}). No file was changed.`,
    { file: segment.name, offset, expectedLsn, lastGoodLsn: expectedLsn - 1 },
  );
}
