/**
 * log-history: what became durable in a log, frame by frame, noted as it did: what readers must see then, and what the
 * next opening must find.
 */
import type { ReadView } from '../../dist/src/control/contract.js';
import { DATA, saltKey } from '../../dist/src/format/group-header.js';
import { walkRecords } from '../../dist/src/segment/records.js';
import { SegmentCursor } from '../../dist/src/segment/segment-cursor.js';
import { type RawFrame, type SeenRecord, seenFrom } from './frames.js';
import type { SimStorage } from './sim-storage.js';

/** Type of a checkpoint's frame. */
const CHECKPOINT = 5;

export class LogHistory {
  /** Every frame since the log's first one, also those that truncation has taken: by LSN, without a gap. */
  #frames: RawFrame[] = [];
  readonly #firstLsn: number;
  /** Where the frame is that comes next. */
  #place: { segment: string; offset: number; nextLsn: number; lastChecksum: number } | undefined;
  #seen: SeenRecord[] | undefined;
  /** A cut behind this LSN may have happened. */
  #mayEndWith = Number.POSITIVE_INFINITY;

  constructor(firstLsn: number) {
    this.#firstLsn = firstLsn;
  }

  /** The last LSN. */
  get last(): number {
    return this.#firstLsn + this.#frames.length - 1;
  }

  get checkpointLsn(): number {
    return this.#frames.findLast(({ type }) => type === CHECKPOINT)?.lsn ?? 0;
  }

  /** Takes note of what has become durable. */
  async follow(storage: SimStorage, view: ReadView): Promise<void> {
    if (view.durableLsn <= this.last) return;
    await storage.spared(async () => {
      for (const segment of view.segments) {
        if (segment.lastLsn <= this.last || segment.firstLsn > view.durableLsn) continue;
        const id = `${segment.name} ${segment.salt}`;
        const start = { offset: 4096, nextLsn: segment.firstLsn, lastChecksum: segment.previousChecksum };
        const from = this.#place?.segment === id ? this.#place : start;
        const file = await storage.open(segment.name, 'read');
        const cursor = new SegmentCursor(file, saltKey(segment.salt), segment.end, from);
        const last = Math.min(view.durableLsn, segment.lastLsn);
        while (cursor.nextLsn <= last) {
          const step = cursor.next();
          if (step.kind === 'stop')
            throw new Error(`${segment.name} stops at ${step.offset}, before ${last}`);
          if (step.kind === 'more') await cursor.fill();
          else if (step.header.type === DATA) {
            const { body, header } = step;
            walkRecords(body, header.records, header.firstLsn, (lsn, type, flags, begin, end) => {
              if (lsn <= this.last) return;
              if (lsn !== this.last + 1)
                throw new Error(`LSN ${lsn} is durable, and ${this.last + 1} is not`);
              this.#frames.push({ lsn, type, flags, content: body.slice(begin, end) });
            });
          }
        }
        const { offset, nextLsn, lastChecksum } = cursor;
        this.#place = { segment: id, offset, nextLsn, lastChecksum };
        await file.close();
      }
    });
    this.#seen = undefined;
    if (this.last !== view.durableLsn)
      throw new Error(`LSN ${view.durableLsn} is durable by its word, the files end with ${this.last}`);
  }

  /** What callers see that takes effect from `from` to `to`, in that order. */
  seen(from: number, to = this.last): SeenRecord[] {
    this.#seen ??= seenFrom(this.#frames, this.#firstLsn);
    return this.#seen.filter(({ commitLsn }) => commitLsn >= from && commitLsn <= to);
  }

  /** The log was cut behind `lsn`; with `isCertain` false it may have been. */
  cut(lsn: number, isCertain: boolean): void {
    if (!isCertain) {
      this.#mayEndWith = Math.min(this.#mayEndWith, lsn);
      return;
    }
    this.#frames.length = Math.max(0, Math.min(this.#frames.length, lsn + 1 - this.#firstLsn));
    this.#place = undefined;
    this.#seen = undefined;
  }

  /** What is wrong with an opening that has found these frames, and says that the log begins with `firstLsn`. */
  check(found: readonly RawFrame[], firstLsn: number): string[] {
    const problems: string[] = [];
    const byLsn = new Map(found.map((frame) => [frame.lsn, frame]));
    for (const frame of this.#frames) {
      const { lsn } = frame;
      if (lsn < firstLsn || lsn > this.#mayEndWith) continue;
      const now = byLsn.get(lsn);
      if (now === undefined) problems.push(`history: LSN ${lsn} was durable, and is gone`);
      else if (!isSame(now, frame)) problems.push(`history: LSN ${lsn} was durable as another record`);
    }
    return problems.slice(0, 5);
  }

  /** An opening has found these frames. Returns what is wrong with that. */
  reopened(found: readonly RawFrame[], firstLsn: number): string[] {
    const problems = this.check(found, firstLsn);
    const last = found.at(-1)?.lsn ?? Math.max(firstLsn - 1, this.#firstLsn - 1);
    this.cut(Math.min(this.last, this.#mayEndWith, last), true);
    for (const frame of found) if (frame.lsn === this.last + 1) this.#frames.push(frame);
    this.#mayEndWith = Number.POSITIVE_INFINITY;
    this.#seen = undefined;
    this.#place = undefined;
    return problems;
  }
}

function isSame(a: RawFrame, b: RawFrame): boolean {
  return a.type === b.type && a.flags === b.flags && Buffer.compare(a.content, b.content) === 0;
}
