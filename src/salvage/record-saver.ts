/**
 * record-saver: takes the groups that were found, in LSN order, and puts their records into the new log under the
 * LSNs that they had.
 *
 * LSNs have no gaps, so the place of a record that is lost is kept by one that readers skip: the abort of a
 * transaction that never was (id 0), in plain. A gap so large that this would fill the disk closes instead: what follows
 * moves down, and the report says where to. An encrypted record can't: it opens under its LSN, in the log with its id, and
 * is lost anywhere else.
 */
import type { GroupHeader } from '../format/group-header.js';
import {
  ENCRYPTED,
  FRAME_HEADER_BYTES,
  frameBytes,
  ID_BYTES,
  RECORD_CHECKPOINT,
  RECORD_TXN_ABORT,
} from '../format/record-frame.js';
import { walkRecords } from '../segment/records.js';
import { LostRanges, SavedRanges } from './report.js';
import type { SalvagedLog } from './salvaged-log.js';
import { SpanGuard } from './span-guard.js';

/** Where damage was found, for the ranges that are lost to it. */
export interface Place {
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly reason: string;
}

interface Frame {
  readonly lsn: number;
  readonly type: number;
  readonly flags: number;
  /** Of the whole frame in its body. */
  readonly start: number;
  readonly end: number;
}

/** Bytes of an abort's frame, in plain. */
const ABORT_BYTES = frameBytes(ID_BYTES);
/** A record that keeps the place of a lost one: an abort, with id 0. */
const FILLERS_A_GROUP = 4096;
const fillers = Buffer.concat(new Array(FILLERS_A_GROUP).fill(abortOf(new Uint8Array(ID_BYTES))));

const UNEXPLAINED = 'no file was found that holds these records';
const NO_ID =
  'it is encrypted, and the id of its log, without which no key opens it, is damaged in every file';
const MOVED =
  'it is encrypted, and would not open under another LSN: a larger maxFillers keeps the gap before it';

export class RecordSaver {
  readonly lost = new LostRanges();
  readonly saved = new SavedRanges();
  readonly #begin: (firstLsn: number) => SalvagedLog;
  readonly #hasId: boolean;
  readonly #spans = new SpanGuard();
  #fillersLeft: number;
  #log: SalvagedLog | undefined;
  /** The next LSN of the damaged log of which nothing is known yet. */
  #next: number;
  /** How far LSNs have moved down. */
  #shift = 0;
  /** LSNs, in the damaged log, of the commits that became aborts. */
  readonly abortedLsns: number[] = [];
  /** The LSN behind the last record that it made itself, in the new log. */
  plainBefore = 0;

  /**
   * `begin` makes the new log, at the first record; `firstLsn` is where the damaged one began. `hasId`: the new log has the
   * id of the damaged one.
   */
  constructor(
    begin: (firstLsn: number) => SalvagedLog,
    firstLsn: number,
    maxFillers: number,
    hasId: boolean,
  ) {
    this.#begin = begin;
    this.#hasId = hasId;
    this.#next = firstLsn;
    this.#fillersLeft = maxFillers;
  }

  get log(): SalvagedLog | undefined {
    return this.#log;
  }

  /** The first LSN that was neither saved nor called lost. */
  get nextLsn(): number {
    return this.#next;
  }

  /**
   * Saves the records of a DATA group from `nextLsn` to `lsnLimit` (excluded); with `good` only those. Returns how many,
   * and what is wrong with the group if it can't be taken apart. What is lost before or in it is lost at `place`.
   */
  async save(
    header: GroupHeader,
    body: Uint8Array,
    lsnLimit: number,
    good: ReadonlySet<number> | undefined,
    place: Place | undefined,
  ): Promise<{ saved: number; wrong: string | undefined }> {
    const { firstLsn, records } = header;
    const frames: Frame[] = [];
    const from = this.#next;
    const wrong = walkRecords(body, records, firstLsn, (lsn, type, flags, start, end) => {
      if (lsn < from || lsn >= lsnLimit || good?.has(lsn) === false) return;
      const at = start - FRAME_HEADER_BYTES;
      frames.push({ lsn, type, flags, start: at, end: at + frameBytes(end - start, flags) });
    });
    // Without a checksum for each record, a group is believed as a whole or not at all.
    if (wrong !== undefined && good === undefined) frames.length = 0;
    const saved = await this.#saveFrames(header, body, frames, place);
    const end = Math.min(firstLsn + records, lsnLimit);
    if (end > this.#next) this.lose(end - 1, place);
    return { saved, wrong };
  }

  /** The LSNs up to `lastLsn` that nothing is known of are lost. */
  lose(lastLsn: number, place: Place | undefined): void {
    if (lastLsn < this.#next) return;
    const { file, offset, reason } = place ?? { file: undefined, offset: undefined, reason: UNEXPLAINED };
    this.lost.add({ firstLsn: this.#next, lastLsn, file, offset, reason });
    this.#next = lastLsn + 1;
    this.#spans.gap();
  }

  async #saveFrames(
    { timestampUs }: GroupHeader,
    body: Uint8Array,
    frames: readonly Frame[],
    place: Place | undefined,
  ): Promise<number> {
    let parts: Uint8Array[] = [];
    let checkpointLsn = 0;
    let openLsn = 0;
    let saved = 0;
    let runFrom = 0;
    let abortLsn = 0;
    const flush = async (): Promise<void> => {
      if (parts.length === 0) return;
      const whole = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
      const log = await this.#openAt(runFrom, openLsn, timestampUs);
      await log.add({ body: whole, records: parts.length, openLsn, checkpointLsn, timestampUs });
      if (abortLsn > 0) this.plainBefore = abortLsn - this.#shift + 1;
      abortLsn = 0;
      this.saved.add(runFrom, parts.length, runFrom - this.#shift);
      saved += parts.length;
      parts = [];
      checkpointLsn = 0;
    };
    for (const { lsn, type, flags, start, end } of frames) {
      if (lsn > this.#next) {
        await flush();
        this.lose(lsn - 1, place);
      }
      const isMoved = this.#shiftAt(parts.length === 0 ? lsn : runFrom) > 0;
      if ((flags & ENCRYPTED) !== 0 && (isMoved || !this.#hasId)) {
        await flush();
        const reason = isMoved ? MOVED : NO_ID;
        this.lose(lsn, { file: place?.file, offset: place?.offset, reason });
        continue;
      }
      const openBefore = this.#spans.openLsn;
      const decision = this.#spans.take(lsn, type, flags, body, start + FRAME_HEADER_BYTES);
      if (decision === 'drop') {
        await flush();
        const reason = 'a part of a large record of which other parts are lost';
        this.lost.add({ firstLsn: lsn, lastLsn: lsn, file: place?.file, offset: place?.offset, reason });
        this.#next = lsn + 1;
        continue;
      }
      if (parts.length === 0) {
        runFrom = lsn;
        // Spans are forgotten at gaps, so all that are open moved as far as this record, or less: an LSN too low
        // does no harm.
        openLsn = openBefore === 0 ? 0 : Math.max(1, openBefore - this.#shiftAt(lsn));
      }
      let frame = body.subarray(start, end);
      if (decision === 'abort') {
        frame = abortOf(body.subarray(start + FRAME_HEADER_BYTES));
        this.abortedLsns.push(lsn);
        abortLsn = lsn;
      }
      parts.push(frame);
      if (type === RECORD_CHECKPOINT) checkpointLsn = lsn - this.#shiftAt(runFrom);
      this.#next = lsn + 1;
    }
    await flush();
    return saved;
  }

  /** How far the record with `lsn` moves down, if it is the next one saved. */
  #shiftAt(lsn: number): number {
    if (this.#log === undefined) return 0;
    const gap = lsn - this.#shift - this.#log.lastLsn - 1;
    return gap > this.#fillersLeft ? this.#shift + gap : this.#shift;
  }

  /** The new log, with all places before `lsn` kept. */
  async #openAt(lsn: number, openLsn: number, timestampUs: number): Promise<SalvagedLog> {
    this.#log ??= this.#begin(lsn);
    const log = this.#log;
    this.#shift = this.#shiftAt(lsn);
    for (let gap = lsn - this.#shift - log.lastLsn - 1; gap > 0; ) {
      const records = Math.min(gap, FILLERS_A_GROUP);
      const body = fillers.subarray(0, records * ABORT_BYTES);
      await log.add({ body, records, openLsn, checkpointLsn: 0, timestampUs });
      this.#fillersLeft -= records;
      this.plainBefore = log.lastLsn + 1;
      gap -= records;
    }
    return log;
  }
}

/** The abort of the transaction whose id `content` begins with. */
function abortOf(content: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ABORT_BYTES);
  frame[0] = ID_BYTES;
  frame[4] = RECORD_TXN_ABORT;
  frame.set(content.subarray(0, ID_BYTES), FRAME_HEADER_BYTES);
  return frame;
}
