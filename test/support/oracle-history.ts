/**
 * oracle-history: what was asked of a log in one generation and what it answered, and the replay of a
 * recovered list against it (rules O4 to O7 of the oracle).
 */

export interface RecoveredRecord {
  readonly lsn: number;
  readonly payload: Uint8Array;
}

/** One append, or one batch of them. */
export interface Submission {
  readonly producer: number;
  readonly generation: number;
  /** The oracle's own copies. */
  readonly payloads: readonly Uint8Array[];
  /** The only LSN that its first record may get, if it was to be refused otherwise. */
  readonly expectedLsn: number | undefined;
  /**
   * 'failed': with the log, so it may be there or not; 'refused': never accepted, so it must not be there.
   */
  state: 'pending' | 'acked' | 'failed' | 'refused';
  /** Of an acked one the LSN of its first record. */
  firstLsn: number;
}

/** One record of a submission. */
export interface Place {
  readonly submission: Submission;
  readonly offset: number;
}

export interface History {
  /** What the last open returned, by LSN; dense. */
  readonly known: ReadonlyMap<number, Uint8Array>;
  /** The LSN before the first one that this generation may give. */
  readonly base: number;
  /** Per producer, in the order of submission. */
  readonly queues: ReadonlyMap<number, readonly Submission[]>;
  /** What was acknowledged in this generation, by LSN. */
  readonly acked: ReadonlyMap<number, Place>;
  /** Of earlier generations, what their ends had left nothing of. */
  readonly gone: readonly Submission[];
}

export interface Replayed {
  /** The first breach of a rule, if any. */
  readonly problem: string | undefined;
  /** Submissions of this generation that are not there. */
  readonly missing: readonly Submission[];
}

export function isSameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Follows `recovered` (dense, by O1) record by record through what was submitted. */
export function replay(history: History, recovered: readonly RecoveredRecord[]): Replayed {
  const run = new Replay(history, recovered[0]?.lsn ?? history.base + 1);
  for (const record of recovered) {
    const problem = record.lsn <= history.base ? run.takeKnown(record) : run.take(record);
    if (problem !== undefined) return { problem, missing: [] };
  }
  return run.end();
}

class Replay {
  readonly #history: History;
  readonly #first: number;
  /** Per producer, how far its queue is used up. */
  readonly #cursors = new Map<number, number>();
  /** The batch that the next record must go on with. */
  #open: Place | undefined;
  /** How many records of unknown LSN a truncation may have removed from before the first one. */
  #skippable: number;

  constructor(history: History, first: number) {
    this.#history = history;
    this.#first = first;
    this.#skippable = first - history.base - 1;
    for (const lsn of history.acked.keys()) if (lsn < first) this.#skippable--;
  }

  takeKnown({ lsn, payload }: RecoveredRecord): string | undefined {
    const known = this.#history.known.get(lsn);
    if (known === undefined) return `O2: LSN ${lsn} is back, an earlier open had begun behind it`;
    return isSameBytes(payload, known)
      ? undefined
      : `O3: LSN ${lsn} has other bytes than an earlier open returned`;
  }

  take(record: RecoveredRecord): string | undefined {
    const place = this.#open ?? this.#findHead(record);
    if (place === undefined) return this.#accuse(record);
    const { submission, offset } = place;
    const expected = this.#history.acked.get(record.lsn);
    const isElsewhere =
      expected !== undefined && (expected.submission !== submission || expected.offset !== offset);
    if (isElsewhere || !isSameBytes(record.payload, submission.payloads[offset])) {
      if (this.#open === undefined) return this.#accuse(record);
      const which = `${offset + 1} of ${submission.payloads.length}`;
      return `O7: LSN ${record.lsn} should go on with a batch, with its record ${which}`;
    }
    this.#open = offset + 1 < submission.payloads.length ? { submission, offset: offset + 1 } : undefined;
    return undefined;
  }

  end(): Replayed {
    const missing: Submission[] = [];
    for (const [producer, queue] of this.#history.queues) {
      const rest = queue.slice(this.#cursors.get(producer) ?? 0);
      missing.push(...rest.filter(({ state }) => state !== 'refused'));
    }
    if (this.#open === undefined) return { problem: undefined, missing };
    const { submission, offset } = this.#open;
    return {
      problem: `O7: of a batch of ${submission.payloads.length} only the first ${offset} are there`,
      missing,
    };
  }

  /** The record's place, if it is the next one of some producer; moves that producer's cursor behind it. */
  #findHead({ lsn, payload }: RecoveredRecord): Place | undefined {
    const pinned = this.#history.acked.get(lsn);
    const producers = pinned === undefined ? this.#history.queues.keys() : [pinned.submission.producer];
    let found: { readonly place: Place; readonly producer: number; readonly next: number } | undefined;
    for (const producer of producers) {
      const next = this.#nextOf(producer, pinned?.submission, payload, lsn);
      const submission = this.#history.queues.get(producer)?.[next];
      if (submission === undefined) continue;
      if (found !== undefined) throw new Error('oracle: give different producers different payloads');
      const offset = lsn !== this.#first ? 0 : (pinned?.offset ?? headOf(submission, payload));
      found = { place: { submission, offset }, producer, next };
    }
    if (found === undefined) return undefined;
    this.#cursors.set(found.producer, found.next + 1);
    return found.place;
  }

  /**
   * Where in the producer's queue the next record is that fits, or -1. Nothing may be left out before it, but
   * for refused appends, those that may have been, and, before the producer's first record, truncated ones.
   */
  #nextOf(producer: number, pinned: Submission | undefined, payload: Uint8Array, lsn: number): number {
    const queue = this.#history.queues.get(producer) ?? [];
    let skipped = 0;
    for (let i = this.#cursors.get(producer) ?? 0; i < queue.length; i++) {
      const submission = queue[i];
      if (submission === undefined || submission.state === 'refused') continue;
      const isAcked = submission.state === 'acked';
      const fits =
        pinned === undefined
          ? !isAcked && this.#isHead(submission, payload, lsn, skipped)
          : submission === pinned;
      if (fits) {
        this.#skippable -= skipped + (pinned === undefined ? headOf(submission, payload) : 0);
        return i;
      }
      if (isAcked && submission.firstLsn < this.#first) continue;
      if (!isAcked && submission.expectedLsn !== undefined) continue;
      skipped += submission.payloads.length;
      if (isAcked || this.#cursors.has(producer) || skipped > this.#skippable) return -1;
    }
    return -1;
  }

  /** Whether a submission may begin with this record: truncation may have taken its head from the log's beginning. */
  #isHead(submission: Submission, payload: Uint8Array, lsn: number, skipped: number): boolean {
    const head = headOf(submission, payload);
    if (head < 0 || (submission.expectedLsn ?? lsn - head) !== lsn - head) return false;
    return head === 0 || (lsn === this.#first && skipped + head <= this.#skippable);
  }

  /** Which rule a record breaks that nothing expects here. */
  #accuse({ lsn, payload }: RecoveredRecord): string {
    const { acked, known, queues, gone } = this.#history;
    const expected = acked.get(lsn);
    if (expected !== undefined && isSameBytes(payload, expected.submission.payloads[expected.offset])) {
      if (expected.offset > 0) return `O7: LSN ${lsn} is there, but not the head of its batch`;
      return `O6: LSN ${lsn} is there, but not what its producer submitted before it`;
    }
    const instead = expected === undefined ? '' : ', and not what was acknowledged there';
    for (const [other, bytes] of known) {
      if (isSameBytes(payload, bytes))
        return `O5: LSN ${lsn} holds the record of LSN ${other} again${instead}`;
    }
    for (const [other, place] of acked) {
      if (isSameBytes(payload, place.submission.payloads[place.offset])) {
        return `O5: LSN ${lsn} holds the record acknowledged as LSN ${other}${instead}`;
      }
    }
    for (const [producer, queue] of queues) {
      const at = queue.findIndex(({ payloads }) => payloads.some((own) => isSameBytes(payload, own)));
      const submission = queue[at];
      if (submission === undefined) continue;
      const which = `append ${at} of producer ${producer}${instead}`;
      if (submission.state === 'refused') return `O4: LSN ${lsn} holds the refused ${which}`;
      if (at < (this.#cursors.get(producer) ?? 0)) return `O5: LSN ${lsn} holds, again, ${which}`;
      const isHead = isSameBytes(payload, submission.payloads[0]);
      const wanted = submission.expectedLsn ?? lsn;
      if (isHead && wanted !== lsn) return `O9: LSN ${lsn} holds ${which}, which expected ${wanted}`;
      return isHead
        ? `O6: LSN ${lsn} holds ${which}; one before it is missing`
        : `O7: LSN ${lsn} is inside of ${which}`;
    }
    const risen = gone.find(({ payloads }) => payloads.some((own) => isSameBytes(payload, own)));
    if (risen === undefined) return `O4: LSN ${lsn} was never submitted${instead}`;
    return `O4: LSN ${lsn} is of generation ${risen.generation}, and was gone when that ended${instead}`;
  }
}

/** Which record of a submission it is; -1: none. */
function headOf({ payloads }: Submission, payload: Uint8Array): number {
  return payloads.findIndex((own) => isSameBytes(payload, own));
}
