/**
 * segment-cursor: walks the groups of a segment file from a known place and verifies each; says where and
 * why it stops. Recovery, readers and `verifyLog` all use it: there is one opinion on what a valid group is.
 *
 * A group is valid if and only if
 *   1. it starts where the group before it ended, or at the first block boundary behind that;
 *   2. its header verifies under the segment's salt;
 *   3. it carries the LSN that follows, and the header checksum of the group before it;
 *   4. its type is known, its body lies inside the file, and records go with DATA only;
 *   5. its body verifies.
 *
 * A header that verifies right where the last group ended, and does not follow it, is out of place.
 *
 * The file is read in windows, so memory is bounded by the largest group, whose length is believed only after
 * its header verified, and never beyond the end of the file. `next` is synchronous, as most groups lie in
 * the window already; when it needs more it says so, and the caller awaits `fill`.
 */
import { checksum } from '../format/checksum.js';
import {
  DATA,
  decodeGroupHeader,
  GROUP_ALIGNMENT,
  GROUP_HEADER_BYTES,
  type GroupHeader,
  MARK,
  type SaltKey,
} from '../format/group-header.js';
import { FRAME_HEADER_BYTES } from '../format/record-frame.js';
import { BLOCK_BYTES } from '../format/segment-header.js';
import type { StorageFile } from '../storage/storage.js';

/** Why the walk ended: the file or limit is reached, zeros, bytes that don't verify, or a group out of place. */
export type StopReason = 'end' | 'zeros' | 'invalid' | 'misplaced';

export interface Group {
  readonly kind: 'group';
  readonly header: GroupHeader;
  readonly offset: number;
  readonly end: number;
  /** The body; valid until the next call of `fill`. */
  readonly body: Uint8Array;
}

export interface Stop {
  readonly kind: 'stop';
  readonly reason: StopReason;
  /** Where the group should have started. */
  readonly offset: number;
}

/** More bytes are needed: await `fill`, then call `next` again. */
export interface NeedMore {
  readonly kind: 'more';
}

const NEED_MORE: NeedMore = { kind: 'more' };
const WINDOW_BYTES = 1024 * 1024;

export class SegmentCursor {
  readonly #file: StorageFile;
  readonly #limit: number;
  readonly #key: SaltKey;
  #windowBytes: number;
  #buffer = new Uint8Array(0);
  #window = this.#buffer;
  #view = new DataView(this.#window.buffer);
  #windowStart = 0;
  #wantedEnd = 0;

  /** End of the last valid group. */
  offset: number;
  /** LSN that the next record must have. */
  nextLsn: number;
  /** Header checksum of the last valid group. */
  lastChecksum: number;

  /**
   * Starts behind the group that ends at `from.offset`; reads nothing at or beyond `limit`. The first window has
   * `windowBytes` bytes and each one after it twice as many, up to a mebibyte: for who expects little, a small one.
   */
  constructor(
    file: StorageFile,
    key: SaltKey,
    limit: number,
    from: { readonly offset: number; readonly nextLsn: number; readonly lastChecksum: number },
    windowBytes = WINDOW_BYTES,
  ) {
    this.#file = file;
    this.#key = key;
    this.#windowBytes = windowBytes;
    this.#limit = limit;
    this.offset = from.offset;
    this.nextLsn = from.nextLsn;
    this.lastChecksum = from.lastChecksum;
  }

  /** The next group, why there is none, or that `fill` must be awaited first. */
  next(): Group | Stop | NeedMore {
    if (this.offset >= this.#limit) return this.#stop('end');
    const aligned = Math.ceil(this.offset / BLOCK_BYTES) * BLOCK_BYTES;
    const headerEnd = Math.min(aligned + GROUP_HEADER_BYTES, this.#limit);
    if (!this.#holds(headerEnd)) return this.#need(headerEnd);
    const here = this.#header(this.offset);
    const at = here === undefined ? aligned : this.offset;
    const header = here ?? this.#header(aligned);
    const isNext = header?.firstLsn === this.nextLsn && header.previousChecksum === this.lastChecksum;
    if (header === undefined || !isNext) {
      // At the boundary a later group of a write may begin of which only that part reached the disk.
      if (here !== undefined) return this.#stop('misplaced');
      return this.#stop(this.#isZero() ? 'zeros' : 'invalid');
    }
    const bodyStart = at + GROUP_HEADER_BYTES;
    const end = bodyStart + header.bodyBytes;
    if (end > this.#limit || !isPlausible(header)) return this.#stop('invalid');
    if (!this.#holds(end)) return this.#need(end);
    const body = this.#window.subarray(bodyStart - this.#windowStart, end - this.#windowStart);
    if (checksum(body, this.#key.seed) !== header.bodyChecksum) return this.#stop('invalid');
    this.offset = end;
    this.nextLsn += header.records;
    this.lastChecksum = header.headerChecksum;
    return { kind: 'group', header, offset: at, end, body };
  }

  /**
   * Reads what the last `next` found missing, and as much behind it as a window holds. Always from the end of the last
   * group on, also where zeros lie before the next one: there the next look begins.
   */
  async fill(): Promise<void> {
    const start = this.offset;
    const bytes = Math.min(Math.max(this.#wantedEnd - start, this.#windowBytes), this.#limit - start);
    this.#windowBytes = Math.min(2 * this.#windowBytes, WINDOW_BYTES);
    if (this.#buffer.length < bytes) this.#buffer = new Uint8Array(bytes);
    const window = this.#buffer.subarray(0, bytes);
    const read = await this.#file.read(window, start);
    this.#window = window.subarray(0, read);
    this.#view = new DataView(window.buffer, 0, read);
    this.#windowStart = start;
    if (start + read < this.#wantedEnd)
      throw new Error(`The file ended at ${start + read}, before the size it had.`);
  }

  #stop(reason: StopReason): Stop {
    return { kind: 'stop', reason, offset: this.offset };
  }

  #need(end: number): NeedMore {
    this.#wantedEnd = end;
    return NEED_MORE;
  }

  /** Whether the window reaches to `end`; it never begins behind `offset`. */
  #holds(end: number): boolean {
    return end <= this.#windowStart + this.#window.length;
  }

  #header(at: number): GroupHeader | undefined {
    if (at + GROUP_HEADER_BYTES > this.#limit) return undefined;
    return decodeGroupHeader(this.#window, this.#view, at - this.#windowStart, this.#key);
  }

  /** Whether the place where the next group's header would start holds zeros. */
  #isZero(): boolean {
    const start = this.offset - this.#windowStart;
    return this.#window
      .subarray(start, Math.min(start + GROUP_HEADER_BYTES, this.#window.length))
      .every((byte) => byte === 0);
  }
}

function isPlausible(header: GroupHeader): boolean {
  if (header.type < DATA || header.type > MARK || header.bodyBytes % GROUP_ALIGNMENT !== 0) return false;
  if (header.type !== DATA) return header.records === 0;
  return header.records > 0 && header.records <= header.bodyBytes / FRAME_HEADER_BYTES;
}
