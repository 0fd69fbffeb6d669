/**
 * segment-writer: appends groups to the active segment: stage what belongs into one write, write it, sync it.
 *
 * A write holds one DATA group at most, with a LINK before it when it is the segment's first and a SEAL
 * behind it when it is the last. 64 zero bytes follow the last group of a write, so that recovery finds
 * zeros at the end of the log also in a file whose former content is still there.
 *
 *   W1  Groups never overlap: a write starts at or behind the end of the one before.
 *   W2  "Durable end" and "durable LSN" are taken from the last sync that returned; so they are true, and a group
 *       that verifies proves all writes before them. Unless callers ask for less, each write is synced before the
 *       next, and what stays unproven at a crash is the last write only.
 *   W3  There is always room left for a SEAL; and, when the segment is full, for one MARK, so that a truncation
 *       can free space even when there is none for another segment.
 */
import { assert } from '../assert.js';
import type { Environment } from '../environment.js';
import { checksum, joinedChecksum, UNKNOWN_CHECKSUM } from '../format/checksum.js';
import {
  encodeLink,
  encodeMark,
  encodeSeal,
  type IndexEntry,
  type LinkBody,
  MARK_BODY_BYTES,
  MAX_INDEX_ENTRIES,
  MAX_OPEN_BACK,
  MAX_SEAL_BODY_BYTES,
} from '../format/group-body.js';
import {
  DATA,
  encodeGroupHeader,
  GROUP_HEADER_BYTES,
  type GroupHeader,
  HAS_CHECKPOINT,
  LINK,
  MARK,
  type SaltKey,
  SEAL,
  saltKey,
} from '../format/group-header.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import type { StorageFile } from '../storage/storage.js';

/** A file that is laid out, published under its name and durable, waiting to become the active segment. */
export interface PreparedSegment {
  readonly file: StorageFile;
  readonly number: number;
  /** 16 bytes. */
  readonly salt: Uint8Array;
  readonly segmentBytes: number;
  /** Bytes whose blocks were written before: syncing in them does not touch the file system's journal. */
  readonly backedBytes: number;
}

/** Where the log stands in a segment: what the next group is chained to. */
export interface SegmentPosition {
  /** End of the last group, in bytes. */
  readonly end: number;
  readonly lastLsn: number;
  /** Header checksum of the last group. */
  readonly lastChecksum: number;
}

/** Zero bytes written behind the last group of a write. */
const TERMINATOR_BYTES = 64;
export const MARK_BYTES = GROUP_HEADER_BYTES + MARK_BODY_BYTES;
/** Room that must be left for an idle MARK: the one that W3 keeps in reserve is for truncation. */
const IDLE_MARK_ROOM_BYTES = 2 * BLOCK_BYTES;
const HEADERS_PER_WRITE = 4;
const zeros = new Uint8Array(BLOCK_BYTES);

export class SegmentWriter {
  readonly segment: PreparedSegment;
  readonly #environment: Environment;
  readonly #padGroups: boolean;
  readonly #key: SaltKey;
  /** Least distance between groups in the index: so wide that no segment has more than MAX_INDEX_ENTRIES. */
  readonly #indexStrideBytes: number;
  readonly #index: IndexEntry[] = [];
  #end: number;
  #lastLsn: number;
  #lastChecksum: number;
  #durableEnd: number;
  #durableLsn: number;
  #sealOffset = 0;

  #staged: Uint8Array[] = [];
  #stagedStart = 0;
  #stagedHeaders = 0;
  readonly #headers = new Uint8Array(HEADERS_PER_WRITE * GROUP_HEADER_BYTES);
  readonly #headersView = new DataView(this.#headers.buffer);
  readonly #header: GroupHeader = {
    type: 0,
    flags: 0,
    firstLsn: 0,
    durableLsn: 0,
    timestampUs: 0,
    records: 0,
    bodyBytes: 0,
    previousChecksum: 0,
    bodyChecksum: 0,
    durableEnd: 0,
    headerChecksum: 0,
  };

  /** Continues `segment` at `position`, up to which it is durable. A new segment begins at BLOCK_BYTES. */
  constructor(
    segment: PreparedSegment,
    position: SegmentPosition,
    options: { padGroups: boolean; environment: Environment },
  ) {
    this.segment = segment;
    this.#environment = options.environment;
    this.#padGroups = options.padGroups;
    this.#key = saltKey(segment.salt);
    this.#indexStrideBytes = Math.max(BLOCK_BYTES, Math.ceil(segment.segmentBytes / MAX_INDEX_ENTRIES));
    this.#end = position.end;
    this.#durableEnd = position.end;
    this.#lastLsn = position.lastLsn;
    this.#durableLsn = position.lastLsn;
    this.#lastChecksum = position.lastChecksum;
  }

  get end(): number {
    return this.#end;
  }

  get lastLsn(): number {
    return this.#lastLsn;
  }

  get lastChecksum(): number {
    return this.#lastChecksum;
  }

  /** Whether the segment's first group is durable: until then nothing on disk shows that it is part of the log. */
  get isLinkDurable(): boolean {
    return this.#durableEnd > BLOCK_BYTES;
  }

  /** Offset of the SEAL, 0 as long as none is durable: one whose write has failed is not there to be read. */
  get sealOffset(): number {
    return this.#durableEnd === this.#end ? this.#sealOffset : 0;
  }

  /** Bytes of records that the next DATA group may hold. */
  get room(): number {
    return this.#roomBehind(this.#end) - GROUP_HEADER_BYTES - BLOCK_BYTES - MARK_BYTES;
  }

  /** Whether a MARK can still be written. */
  get hasRoomForMark(): boolean {
    return this.#roomBehind(alignUp(this.#end)) >= MARK_BYTES;
  }

  /** Whether a MARK can be written besides the one for which there is always room (W3). */
  get hasRoomForIdleMark(): boolean {
    return this.room > IDLE_MARK_ROOM_BYTES;
  }

  stageLink(link: LinkBody): void {
    assert(this.#end === BLOCK_BYTES, 'W1 a LINK is the first group of a segment');
    const body = encodeLink(link);
    this.#stage(LINK, [body], body.length, 0);
  }

  /** Whether something was written that no sync has made durable. A LINK that is only staged was not. */
  get hasUnsynced(): boolean {
    return this.#staged.length === 0 && this.#durableEnd !== this.#end;
  }

  /**
   * Stages the records in `views`, `bytes` bytes and `records` records; their LSNs follow the last one. `openLsn` is
   * where the oldest span begins that is open before them (0: none is). `isPacked`: right behind the group before, also
   * where groups are padded: for what is written before the segment is published, and synced together. `checksums`: the
   * CRC-32 of each view, or UNKNOWN_CHECKSUM; left out where none is known.
   */
  stageData(
    views: readonly Uint8Array[],
    bytes: number,
    records: number,
    {
      openLsn,
      hasCheckpoint,
      isPacked = false,
      checksums,
    }: { openLsn: number; hasCheckpoint: boolean; isPacked?: boolean; checksums?: readonly number[] },
  ): void {
    assert(bytes <= this.room, 'W3 a group leaves room for the SEAL');
    const offset = isPacked ? this.#end : this.#groupStart();
    const last = this.#index.at(-1)?.offset ?? -this.#indexStrideBytes;
    if (offset - last >= this.#indexStrideBytes) {
      const firstLsn = this.#lastLsn + 1;
      const openBack = openLsn === 0 ? 0 : Math.min(firstLsn - openLsn, MAX_OPEN_BACK);
      this.#index.push({ firstLsn, offset, openBack });
    }
    this.#stage(DATA, views, bytes, records, offset, hasCheckpoint ? HAS_CHECKPOINT : 0, checksums);
  }

  stageSeal(successor: PreparedSegment): void {
    const body = encodeSeal({
      successorSalt: successor.salt,
      successorNumber: successor.number,
      index: this.#index,
    });
    this.#sealOffset = this.#groupStart();
    this.#stage(SEAL, [body], body.length, 0);
  }

  /** Stages a MARK that rides in the write of the group that is staged next. */
  stageRidingMark(truncatedBefore: number): void {
    const body = encodeMark({ truncatedBefore, clean: false });
    this.#stage(MARK, [body], body.length, 0);
  }

  /** Stages a MARK on a block of its own: one lost sector can't take the last group and its proof together. */
  stageMark(truncatedBefore: number, clean: boolean): void {
    assert(
      this.#staged.length === 0 && this.hasRoomForMark,
      'W3 a MARK is a write of its own and leaves room for the SEAL',
    );
    const body = encodeMark({ truncatedBefore, clean });
    this.#stage(MARK, [body], body.length, 0, alignUp(this.#end));
  }

  /**
   * Writes what is staged, in one write; `willSync` says that `sync` follows at once. Throws what the storage
   * throws; the segment is then not to be written again.
   */
  write(willSync = true): void {
    if (this.#sealOffset === 0) this.#staged.push(zeros.subarray(0, TERMINATOR_BYTES));
    this.segment.file.writeGroup(this.#staged, this.#stagedStart, willSync);
    this.#staged = [];
    this.#stagedHeaders = 0;
  }

  /**
   * Makes all writes durable. Soundness: it is issued after they returned, so it covers all their bytes;
   * they lie inside the file's size, which was durable before the segment was published.
   */
  sync(): void {
    assert(this.#staged.length === 0, 'W2 what is only staged is not durable');
    this.segment.file.syncGroup();
    this.#durableEnd = this.#end;
    this.#durableLsn = this.#lastLsn;
  }

  /** Bytes for groups behind `position`, with a SEAL and the terminator kept in reserve (W3). */
  #roomBehind(position: number): number {
    const start = this.#padGroups ? alignUp(position) : position;
    const seal = GROUP_HEADER_BYTES + MAX_SEAL_BODY_BYTES + (this.#padGroups ? BLOCK_BYTES : 0);
    return this.segment.segmentBytes - start - seal - TERMINATOR_BYTES;
  }

  #groupStart(): number {
    return this.#padGroups ? alignUp(this.#end) : this.#end;
  }

  #stage(
    type: number,
    views: readonly Uint8Array[],
    bodyBytes: number,
    records: number,
    start = this.#groupStart(),
    flags = 0,
    checksums: readonly number[] = [],
  ): void {
    assert(
      start >= this.#end && start + GROUP_HEADER_BYTES + bodyBytes <= this.segment.segmentBytes,
      'W1 groups do not overlap',
    );
    if (this.#staged.length === 0) {
      this.#stagedStart = start;
    } else if (start > this.#end) {
      this.#staged.push(zeros.subarray(0, start - this.#end));
    }
    let bodyChecksum = this.#key.seed;
    for (let i = 0; i < views.length; i++) {
      const view = views[i] as Uint8Array;
      const sum = checksums[i] ?? UNKNOWN_CHECKSUM;
      bodyChecksum =
        sum === UNKNOWN_CHECKSUM
          ? checksum(view, bodyChecksum)
          : joinedChecksum(bodyChecksum, sum, view.length);
    }
    const header = this.#header;
    header.type = type;
    header.flags = flags;
    header.firstLsn = this.#lastLsn + 1;
    header.durableLsn = this.#durableLsn;
    header.timestampUs = this.#environment.wallUs();
    header.records = records;
    header.bodyBytes = bodyBytes;
    header.previousChecksum = this.#lastChecksum;
    header.bodyChecksum = bodyChecksum;
    header.durableEnd = this.#durableEnd;
    const at = this.#stagedHeaders * GROUP_HEADER_BYTES;
    encodeGroupHeader(header, this.#key, this.#headers, this.#headersView, at);
    this.#staged.push(this.#headers.subarray(at, at + GROUP_HEADER_BYTES), ...views);
    this.#stagedHeaders++;
    this.#lastChecksum = header.headerChecksum;
    this.#lastLsn += records;
    this.#end = start + GROUP_HEADER_BYTES + bodyBytes;
  }
}

function alignUp(position: number): number {
  return Math.ceil(position / BLOCK_BYTES) * BLOCK_BYTES;
}
