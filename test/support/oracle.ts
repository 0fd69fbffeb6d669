/**
 * oracle: says whether what a log returned after a crash is what it promised, from nothing but the calls made
 * and the answers given. It shares no code with the engine.
 *
 * What happened is cut into generations; each begins with a successful open. A crash during opening ends
 * nothing: no answer was given. Rules for what an open returns:
 *
 *  O1  LSNs ascend by one.
 *  O2  The first LSN is the log's first, or lies within what a requested truncation allowed to go; it is
 *      never below the first LSN of an earlier open (nothing rises from the dead). With `truncation: 'exact'`
 *      it is not below an acknowledged truncation mark either.
 *  O3  Everything acknowledged is there, under its LSN, with its bytes; and so is everything that an earlier
 *      open returned: what was returned once was promised to be durable. Truncated records excepted.
 *  O4  Everything there was submitted: in this generation, or known from before. Not what was refused, and
 *      not what an earlier open had shown to be gone.
 *  O5  Nothing is there twice, and nothing acknowledged under another LSN than the acknowledged one.
 *  O6  Of each producer's appends of this generation a prefix is there, in the order of submission. Appends
 *      that failed with the log count: they may be there, but not with one before them missing.
 *  O7  A batch is there as a whole, its records next to each other, or not at all. (A truncation mark inside
 *      a batch may cut off its head.)
 *  O8  The next LSN, when the log tells it, is the last LSN + 1; with no records left, it lies behind every
 *      LSN that was acknowledged or returned.
 *  O9  An append that expected an LSN is there with that LSN only. One that was not answered may be missing with
 *      later ones there: it was refused.
 *
 * An acknowledgement may say "written" only. Such an append may be lost, and all behind it, until a later one was
 * acknowledged as durable, or a sync was; O5 and O6 bind it all the same.
 *
 * Rules for the answers themselves; breaches are kept in `violations`, and reported by the next check:
 *
 *  A1  Each append is answered once.
 *  A2  An acknowledged LSN lies behind all that the open returned, and there are no more LSNs than appends.
 *  A3  No LSN is acknowledged twice.
 *  A4  LSNs of one producer ascend in the order of submission.
 *  A6  An append that expected an LSN is acknowledged with that one.
 *  A5  Once an append of a producer has failed with the log, none that it submitted later is acknowledged.
 */
import { crc32 } from 'node:zlib';
import {
  type Place,
  type RecoveredRecord,
  type Replayed,
  replay,
  type Submission,
} from './oracle-history.js';

export type { RecoveredRecord } from './oracle-history.js';

export interface OracleOptions {
  readonly firstLsn?: number;
  /** 'segment': truncated records may come back with the segment they share; 'exact': they may not. */
  readonly truncation?: 'segment' | 'exact';
}

/** Names an append (or a batch) to the oracle until it is answered. */
export type Ticket = number;

/** The log broke a promise. */
export class OracleError extends Error {
  override readonly name = 'OracleError';
}

export class Oracle {
  readonly #options: OracleOptions;
  readonly #violations: string[] = [];
  #generation = 1;
  #tickets: Submission[] = [];
  #queues = new Map<number, Submission[]>();
  #acked = new Map<number, Place>();
  #known = new Map<number, Uint8Array>();
  #gone: Submission[] = [];
  readonly #firstLsn: number;
  /** The LSN before the first one that this generation may give. */
  #base: number;
  #highestAcked = 0;
  /** Records submitted in this generation and not refused. */
  #accepted = 0;
  #truncationRequested = 0;
  #truncationAcked = 0;

  constructor(options: OracleOptions = {}) {
    this.#options = options;
    this.#firstLsn = options.firstLsn ?? 1;
    this.#base = this.#firstLsn - 1;
  }

  get generation(): number {
    return this.#generation;
  }

  get violations(): readonly string[] {
    return this.#violations;
  }

  /** Appends of this generation that have not been answered; 0 is due once a log is closed or has failed. */
  get unanswered(): number {
    return this.#tickets.filter(({ state }) => state === 'pending').length;
  }

  /** Highest LSN known to be durable: acknowledged, or returned by an open. */
  get durableLsn(): number {
    return Math.max(this.#base, this.#highestAcked);
  }

  /**
   * What was acknowledged and returned so far, as a number: with the same one and the same disk, recovery has the same
   * duties. What was only submitted is not in it: more of that allows more, and demands nothing.
   */
  get duties(): number {
    const acked = [...this.#acked].map(([lsn, { submission, offset }]) => {
      const place = (this.#queues.get(submission.producer) ?? []).indexOf(submission);
      return `${lsn}=${submission.producer}.${place}.${offset}`;
    });
    const refused = this.#tickets.map(({ state }, i) => (state === 'refused' ? i : '')).join();
    const ends = [this.#generation, this.#base, this.#highestAcked, this.#truncationAcked, this.#known.size];
    return crc32(`${ends} ${acked.sort()} ${refused}`);
  }

  /**
   * Call it before the append: an array is a batch. Appends of one `producer` are ordered, others are not. With
   * `expectedLsn` it may be refused for the LSN that it would get.
   */
  submit(payloads: Uint8Array | readonly Uint8Array[], producer = 0, expectedLsn?: number): Ticket {
    const list = payloads instanceof Uint8Array ? [payloads] : payloads;
    if (list.length === 0) throw new Error('oracle: a batch without records has no LSN');
    const submission: Submission = {
      producer,
      generation: this.#generation,
      payloads: list.map((payload) => Uint8Array.from(payload)),
      expectedLsn,
      state: 'pending',
      firstLsn: 0,
    };
    const queue = this.#queues.get(producer) ?? [];
    queue.push(submission);
    this.#queues.set(producer, queue);
    this.#accepted += list.length;
    return this.#tickets.push(submission) - 1;
  }

  /** The append was acknowledged, as durable or only as written; a batch has consecutive LSNs. */
  acked(ticket: Ticket, firstLsn: number, isDurable = true): void {
    const submission = this.#answer(ticket, 'acked');
    if (submission === undefined) return;
    submission.firstLsn = firstLsn;
    const last = firstLsn + submission.payloads.length - 1;
    if (!Number.isSafeInteger(firstLsn) || firstLsn <= this.#base || last > this.#base + this.#accepted) {
      const range = `${this.#base + 1} to ${this.#base + this.#accepted}`;
      this.#violations.push(`A2: append ${ticket} got LSN ${firstLsn}, possible were ${range}`);
    }
    submission.payloads.forEach((_, offset) => {
      const lsn = firstLsn + offset;
      if (this.#acked.has(lsn)) this.#violations.push(`A3: LSN ${lsn} was acknowledged twice`);
      this.#acked.set(lsn, { submission, offset });
    });
    const { expectedLsn = firstLsn } = submission;
    if (expectedLsn !== firstLsn)
      this.#violations.push(`A6: append ${ticket} expected LSN ${expectedLsn} and got ${firstLsn}`);
    if (isDurable) this.synced(last);
  }

  /** All up to `lsn` was acknowledged as durable. */
  synced(lsn: number): void {
    this.#highestAcked = Math.max(this.#highestAcked, lsn);
  }

  /** The append failed with the log: nobody knows whether it is there. */
  failed(ticket: Ticket): void {
    this.#answer(ticket, 'failed');
  }

  /** The append was never accepted (too large, log full or closed): it must not be there. */
  refused(ticket: Ticket): void {
    const submission = this.#answer(ticket, 'refused');
    if (submission !== undefined) this.#accepted -= submission.payloads.length;
  }

  /** Call it before asking for the truncation: from here on, records before `lsn` may go. */
  truncating(lsn: number): void {
    this.#truncationRequested = Math.max(this.#truncationRequested, lsn);
  }

  /** The truncation was acknowledged. */
  truncated(lsn: number): void {
    this.#truncationAcked = Math.max(this.#truncationAcked, lsn);
  }

  /**
   * The log was cut behind `lsn`, durably: what lies behind must not come back, and its LSNs are given anew. No answer
   * may be on its way whose LSN was given before.
   */
  cut(lsn: number): void {
    const known = new Map([...this.#known].filter(([at]) => at <= lsn));
    for (const [at, { submission, offset }] of this.#acked) {
      const payload = submission.payloads[offset];
      if (at <= lsn && payload !== undefined) known.set(at, payload);
      else this.#gone.push(submission);
    }
    this.#known = known;
    this.#acked = new Map();
    for (const [producer, queue] of this.#queues) {
      const left = queue.filter(({ state }) => state !== 'acked');
      this.#queues.set(producer, left);
    }
    this.#accepted = this.#tickets
      .filter(({ state }) => state === 'pending' || state === 'failed')
      .reduce((sum, { payloads }) => sum + payloads.length, 0);
    this.#base = lsn;
    this.#highestAcked = 0;
  }

  /** Everything that is wrong with what an open returned. Changes nothing. */
  check(recovered: readonly RecoveredRecord[], nextLsn?: number): string[] {
    return this.#check(recovered, nextLsn).problems;
  }

  /** An open has returned `recovered`: throws when it breaks a rule, and begins the next generation. */
  reopened(recovered: readonly RecoveredRecord[], nextLsn?: number): void {
    const { problems, missing } = this.#check(recovered, nextLsn);
    if (problems.length > 0) throw new OracleError(`generation ${this.#generation}\n${problems.join('\n')}`);
    const last = recovered.at(-1)?.lsn ?? this.durableLsn;
    this.#known = new Map(recovered.map(({ lsn, payload }) => [lsn, Uint8Array.from(payload)]));
    this.#gone.push(...missing);
    this.#base = (nextLsn ?? last + 1) - 1;
    this.#generation++;
    this.#tickets = [];
    this.#queues = new Map();
    this.#acked = new Map();
    this.#highestAcked = 0;
    this.#accepted = 0;
  }

  /** An oracle of its own with the same past, to follow one of several futures. */
  fork(): Oracle {
    const copy = new Oracle(this.#options);
    const copies = new Map(this.#tickets.map((submission) => [submission, { ...submission }]));
    const copyOf = (submission: Submission): Submission => copies.get(submission) ?? submission;
    copy.#violations.push(...this.#violations);
    copy.#generation = this.#generation;
    copy.#tickets = this.#tickets.map(copyOf);
    for (const [producer, queue] of this.#queues) copy.#queues.set(producer, queue.map(copyOf));
    for (const [lsn, { submission, offset }] of this.#acked) {
      copy.#acked.set(lsn, { submission: copyOf(submission), offset });
    }
    copy.#known = this.#known; // replaced as a whole, never changed
    copy.#gone = this.#gone.slice();
    copy.#base = this.#base;
    copy.#highestAcked = this.#highestAcked;
    copy.#accepted = this.#accepted;
    copy.#truncationRequested = this.#truncationRequested;
    copy.#truncationAcked = this.#truncationAcked;
    return copy;
  }

  #answer(ticket: Ticket, state: Submission['state']): Submission | undefined {
    const submission = this.#tickets[ticket];
    if (submission === undefined) throw new Error(`oracle: no append ${ticket} in this generation`);
    if (submission.state !== 'pending') {
      this.#violations.push(`A1: append ${ticket} was answered twice: ${submission.state}, then ${state}`);
      return undefined;
    }
    submission.state = state;
    return submission;
  }

  #check(recovered: readonly RecoveredRecord[], nextLsn: number | undefined): Checked {
    const problems = [...this.#violations, ...this.#checkQueues()];
    const gap = recovered.findIndex(
      ({ lsn }, i) => lsn !== (recovered[0]?.lsn ?? 0) + i || !Number.isSafeInteger(lsn),
    );
    if (gap >= 0) {
      problems.push(`O1: LSN ${recovered[gap]?.lsn} follows ${recovered[gap - 1]?.lsn ?? 'nothing'}`);
      return { problems, missing: [] };
    }
    problems.push(...this.#checkEnds(recovered, nextLsn));
    const history = {
      known: this.#known,
      base: this.#base,
      queues: this.#queues,
      acked: this.#acked,
      gone: this.#gone,
    };
    const { problem, missing }: Replayed = replay(history, recovered);
    if (problem !== undefined) problems.push(problem);
    return { problems, missing };
  }

  /** O8, and what the ends of the list tell of O2 and O3; the rest of these two is left to the replay. */
  #checkEnds(recovered: readonly RecoveredRecord[], nextLsn: number | undefined): string[] {
    const problems: string[] = [];
    const durable = this.durableLsn;
    const first = recovered[0]?.lsn;
    const last = recovered.at(-1)?.lsn;
    const mustStartBy = Math.max(this.#firstLsn, this.#truncationRequested);
    if (first !== undefined && first > mustStartBy) {
      problems.push(`O2: the log begins with LSN ${first}, and must by ${mustStartBy}`);
    }
    if (this.#options.truncation === 'exact' && first !== undefined && first < this.#truncationAcked) {
      problems.push(
        `O2: the log begins with LSN ${first}, and was truncated before ${this.#truncationAcked}`,
      );
    }
    // A truncation takes from the front: with anything left, the end is left too.
    if (last === undefined ? durable >= mustStartBy : last < durable) {
      problems.push(
        `O3: durable were LSNs to ${durable}, there are ${last === undefined ? 'none' : `to ${last}`}`,
      );
    }
    const isNextFine =
      last === undefined ? (nextLsn ?? Infinity) > durable : (nextLsn ?? last + 1) === last + 1;
    if (!isNextFine) problems.push(`O8: the next LSN is ${nextLsn}, after ${last ?? durable}`);
    return problems;
  }

  /** A4 and A5, which a later answer may turn out to have broken. */
  #checkQueues(): string[] {
    const problems: string[] = [];
    for (const [producer, queue] of this.#queues) {
      let lastLsn = 0;
      let hasFailed = false;
      for (const { state, firstLsn } of queue) {
        hasFailed ||= state === 'failed';
        if (state !== 'acked') continue;
        if (hasFailed)
          problems.push(`A5: producer ${producer} was given LSN ${firstLsn} after a failed append`);
        if (firstLsn < lastLsn)
          problems.push(`A4: producer ${producer} was given LSN ${firstLsn} after ${lastLsn}`);
        lastLsn = firstLsn;
      }
    }
    return problems;
  }
}

interface Checked {
  readonly problems: string[];
  /** Submissions of this generation that are not there. */
  readonly missing: readonly Submission[];
}
