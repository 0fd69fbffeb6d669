/** report: what a salvage found, saved and could not save. */

/** LSNs that the new log does not have. */
export interface LostRange {
  /** The first of them. */
  readonly firstLsn: number;
  /** The last of them; undefined: nothing tells how many there were, if any. */
  readonly lastLsn: number | undefined;
  /** File in which the damage begins, as far as it has a place. */
  readonly file: string | undefined;
  /** Byte offset in the file. */
  readonly offset: number | undefined;
  /** What is wrong. */
  readonly reason: string;
}

/** Records that were saved without a gap, and where they are now. */
export interface SavedRange {
  /** LSN of the first of them in the damaged log. */
  readonly firstLsn: number;
  /** LSN of the last of them in the damaged log. */
  readonly lastLsn: number;
  /** LSN of the first of them in the new log; the same unless a gap was too large to be kept open. */
  readonly newFirstLsn: number;
}

/** What was found in one file of the damaged log. */
export interface SalvageFinding {
  /** Name in the damaged log's directory. */
  readonly file: string;
  /**
   * `sound`: nothing wrong. `damaged`: a part of it does not verify. `unused`: a segment that was prepared and holds
   * no records. `superseded`: all in it is in later segments. `foreign`: of another log, not read. `missing`: named by
   * another segment and not there. `unreadable`: the file system refuses it, or nothing in it verifies.
   */
  readonly state: 'sound' | 'damaged' | 'unused' | 'superseded' | 'foreign' | 'missing' | 'unreadable';
  /** Records saved from it. */
  readonly savedRecords: number;
  /** Damaged places, the first 100. */
  readonly damage: readonly {
    /** Byte offset in the file. */
    readonly offset: number;
    /** What is wrong. */
    readonly reason: string;
  }[];
  /** How many damaged places there are. */
  readonly damages: number;
}

/** What `salvage` reports. */
export interface SalvageReport {
  /** Records written to the new log; 0: there was nothing to save, and no log was made. */
  readonly savedRecords: number;
  /** First LSN of the new log; 0 without one. */
  readonly firstLsn: number;
  /** Last LSN of the new log; 0 without one. */
  readonly lastLsn: number;
  /** Every LSN from the log's truncation mark on that was not saved, in order. */
  readonly lost: readonly LostRange[];
  /** What was saved, in order. */
  readonly saved: readonly SavedRange[];
  /** What was found in each file. */
  readonly files: readonly SalvageFinding[];
  /** Commits that are aborts in the new log, since records of their transactions may be lost. */
  readonly abortedTransactions: number;
  /**
   * In the new log, the LSN behind the last entry that keeps a lost record's or a commit's place; 0: there is none. They are
   * in plain: an encrypted log is read with this as `plainBefore`. Also where nothing was lost, if files were gone between
   * others of what was truncated: whoever reads from later on may need those others, for a transaction that ends later.
   */
  readonly plainBefore: number;
  /** Ranges were so many that the last ones were merged: `lost` then also covers LSNs that were saved. */
  readonly isMerged: boolean;
}

/** Ranges told one by one; more would be a report larger than what it reports on. */
const MOST_RANGES = 65_536;
const MOST_PLACES = 100;

/** Collects ranges of lost LSNs, in ascending order. */
export class LostRanges {
  #ranges: LostRange[] = [];
  isMerged = false;

  add(range: LostRange): void {
    const last = this.#ranges.at(-1);
    const isNext = last?.lastLsn !== undefined && last.lastLsn + 1 >= range.firstLsn;
    const joins = isNext && last.file === range.file && last.reason === range.reason;
    if (last !== undefined && (joins || this.#ranges.length >= MOST_RANGES)) {
      this.isMerged ||= !joins;
      this.#ranges[this.#ranges.length - 1] = { ...last, lastLsn: range.lastLsn };
    } else this.#ranges.push(range);
  }

  /** Those at or above `lsn`. */
  from(lsn: number): LostRange[] {
    return this.#ranges
      .filter(({ lastLsn }) => lastLsn === undefined || lastLsn >= lsn)
      .map((range) => ({ ...range, firstLsn: Math.max(lsn, range.firstLsn) }));
  }
}

/** Collects ranges of saved LSNs, in ascending order. */
export class SavedRanges {
  readonly ranges: SavedRange[] = [];
  isMerged = false;
  records = 0;

  add(firstLsn: number, records: number, newFirstLsn: number): void {
    this.records += records;
    const last = this.ranges.at(-1);
    const shift = last && last.newFirstLsn - last.firstLsn;
    const joins = last?.lastLsn === firstLsn - 1 && shift === newFirstLsn - firstLsn;
    if (last === undefined || (!joins && this.ranges.length < MOST_RANGES))
      this.ranges.push({ firstLsn, lastLsn: firstLsn + records - 1, newFirstLsn });
    else {
      this.isMerged ||= !joins;
      this.ranges[this.ranges.length - 1] = { ...last, lastLsn: firstLsn + records - 1 };
    }
  }

  /** The LSN in the new log of the first record at or above `lsn`; `end` when there is none. */
  moved(lsn: number, end: number): number {
    const range = this.ranges.find(({ lastLsn }) => lastLsn >= lsn);
    return range === undefined ? end : range.newFirstLsn + Math.max(0, lsn - range.firstLsn);
  }
}

/** What is being found out about one file. */
export class Finding {
  readonly file: string;
  state: SalvageFinding['state'];
  savedRecords = 0;
  readonly damage: { offset: number; reason: string }[] = [];
  damages = 0;

  constructor(file: string, state: SalvageFinding['state']) {
    this.file = file;
    this.state = state;
  }

  damagedAt(offset: number, reason: string): void {
    if (this.state === 'sound') this.state = 'damaged';
    this.damages++;
    if (this.damage.length < MOST_PLACES) this.damage.push({ offset, reason });
  }
}
