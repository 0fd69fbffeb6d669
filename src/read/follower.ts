/**
 * follower: reads a log that grows: each time from where it left off, in the file that it holds open, so that what it
 * reads in all is what was written, however often it is told that there is more.
 *
 * Spans that are open at the place keep their beginning in memory (record-assembler); only when it starts does it go
 * back to where the oldest of them began.
 */
import type { ReadableSegment, ReadView } from '../control/contract.js';
import { IoError, RingwalError, TruncatedError } from '../errors.js';
import { DATA, saltKey } from '../format/group-header.js';
import { sameBytes } from '../format/same-bytes.js';
import { SegmentCursor } from '../segment/segment-cursor.js';
import type { Storage, StorageFile } from '../storage/storage.js';
import { holding } from './cut-check.js';
import { checkWithin, cursorAt, damaged, type ReadRange, recordsOf, spanStart } from './read-log.js';
import {
  type LogRecord,
  type PayloadDecoder,
  RecordAssembler,
  type TransactionMode,
} from './record-assembler.js';

/** Where it stands in which segment. */
interface Place {
  readonly segment: ReadableSegment;
  readonly file: StorageFile;
  offset: number;
  nextLsn: number;
  lastChecksum: number;
}

export class Follower {
  readonly #storage: Storage;
  readonly #decoder: PayloadDecoder | undefined;
  readonly #transactions: TransactionMode;
  #from: number;
  #assembler: RecordAssembler;
  #place: Place | undefined;
  /** The salt of the segment that it read last. */
  #salt: Uint8Array | undefined;
  /** The LSN with which the last record took effect that it gave. */
  #given: number;
  /** The first LSN that was not read yet, of those it wants. */
  next: number;
  /** The first LSN that it still has to read; undefined before it started. */
  reading: number | undefined;

  constructor(storage: Storage, { from, transactions, decoder }: Omit<ReadRange, 'to'>) {
    this.#storage = storage;
    this.#decoder = decoder;
    this.#transactions = transactions;
    this.#from = from;
    this.#assembler = new RecordAssembler(from, transactions, decoder);
    this.#given = from - 1;
    this.next = from;
  }

  /**
   * Yields the records that `view` has behind those it gave before, those of a group at a time. `firstLsn` says where
   * the log begins at the moment. Throws TruncatedError, CorruptError and IoError; after the last two, what was not
   * given can still be had with another view.
   */
  async *advance(view: ReadView, firstLsn: () => number): AsyncGenerator<LogRecord[], void, void> {
    let name = '';
    try {
      this.#checkThere(firstLsn);
      // Of what it has read behind the last one that it gave there may be other records now.
      if (this.#isRewritten(view)) await this.#beginAnew(this.#given + 1);
      const first = view.segments.find(({ lastLsn }) => lastLsn >= this.next);
      if (this.next > view.durableLsn || first === undefined) return;
      name = first.name;
      this.reading ??= await spanStart(this.#storage, first, this.next);
      for (const segment of view.segments) {
        if (segment.lastLsn < this.reading) continue;
        if (segment.firstLsn > view.durableLsn) return;
        name = segment.name;
        yield* this.#segment(segment, Math.min(view.durableLsn, segment.lastLsn), firstLsn);
      }
    } catch (error) {
      // Of the group that failed a part may have been taken; another attempt must not take it twice.
      await this.#beginAnew(this.next);
      this.#checkThere(firstLsn);
      throw error instanceof RingwalError ? error : new IoError(`Reading ${name}`, error);
    }
  }

  /** Closes the file that it holds open; it can go on after that. */
  async close(): Promise<void> {
    const file = this.#place?.file;
    this.#place = undefined;
    await file?.close().catch(() => {}); // it was only read
  }

  /**
   * Whether the log ends before what it read last, or another segment has that by now: it was cut off, and its LSNs may be
   * given out anew, or a recovery logs it again.
   */
  #isRewritten(view: ReadView): boolean {
    const last = (this.reading ?? 0) - 1;
    if (last > view.durableLsn) return true;
    const now = holding(view, last);
    return now !== undefined && this.#salt !== undefined && !sameBytes(this.#salt, now.salt);
  }

  /**
   * Has it begin at `from`, as if it had not read before: what it holds of spans is void, and those that end behind `from`
   * may have begun before it, with LSNs that it has given to others.
   */
  async #beginAnew(from: number): Promise<void> {
    await this.close();
    this.next = from;
    this.#from = from;
    this.#assembler = new RecordAssembler(from, this.#transactions, this.#decoder);
    this.#salt = undefined;
    this.reading = undefined;
  }

  async *#segment(
    segment: ReadableSegment,
    last: number,
    firstLsn: () => number,
  ): AsyncGenerator<LogRecord[], void, void> {
    const place = await this.#placeIn(segment);
    const cursor = new SegmentCursor(place.file, saltKey(segment.salt), segment.end, place);
    while (cursor.nextLsn <= last) {
      const step = cursor.next();
      if (step.kind === 'more') {
        await cursor.fill();
        continue;
      }
      if (step.kind === 'stop') throw damaged(segment, step.offset, cursor.nextLsn);
      // The index may lead to a place before the one sought: what was read is not taken twice.
      const isNew = step.header.type === DATA && cursor.nextLsn > (this.reading ?? 0);
      const { records: count, firstLsn: groupLsn } = step.header;
      if (isNew) checkWithin(segment, step);
      if (isNew) await this.#decoder?.prepare(step.body, count, groupLsn, this.#from);
      const records = isNew ? recordsOf(segment, step, this.#assembler) : [];
      this.#checkThere(firstLsn);
      place.offset = cursor.offset;
      place.nextLsn = cursor.nextLsn;
      place.lastChecksum = cursor.lastChecksum;
      if (isNew) this.#salt = segment.salt;
      this.reading = Math.max(this.reading ?? 0, cursor.nextLsn);
      this.next = Math.max(this.next, cursor.nextLsn);
      this.#given = records.at(-1)?.commitLsn ?? this.#given;
      if (records.length > 0) yield records;
    }
  }

  /** The place in `segment` where reading goes on. */
  async #placeIn(segment: ReadableSegment): Promise<Place> {
    const held = this.#place;
    if (held?.segment.number === segment.number && sameBytes(held.segment.salt, segment.salt)) return held;
    await this.close();
    const file = await this.#storage.open(segment.name, 'read');
    try {
      const from = Math.max(this.reading ?? this.next, segment.firstLsn);
      const { offset, nextLsn, lastChecksum } = await cursorAt(file, segment, from);
      this.#place = { segment, file, offset, nextLsn, lastChecksum };
      return this.#place;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  #checkThere(firstLsn: () => number): void {
    if (this.next < firstLsn()) throw new TruncatedError(this.next, firstLsn());
  }
}
