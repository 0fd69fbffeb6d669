/**
 * pending: the appends that are in the ring and not yet durable, in ring order, with their resolvers.
 *
 * A FIFO in growing circular arrays instead of objects: at a million appends a second an object each is what the
 * garbage collector would spend its time on. Of most appends, plain ones of one record, the first of a promise's two
 * functions is kept and nothing else: what is not kept need not be copied by the collector, nor stored and cleared.
 *
 *   R9  What is pending is what is in the ring, in the same order. An append counts in both or in neither, also when a call
 *       throws in its midst: its resolver is parked and its frames are made to count (`isFilling` of ring/producer) by
 *       plain stores, one right behind the other.
 */

import { assert } from '../assert.js';
import { ConflictError, EncryptionError } from '../errors.js';
import { COMMITTED, CONFLICT, SYNCED } from '../ring/layout.js';

/** Settles one append: `resolve` with the first LSN of its records. */
export type Resolve = (firstLsn: number) => void;
export type Reject = (error: unknown) => void;
/** Settles a plain append: with its LSN, or with a promise that rejects. */
export type ResolvePlain = (lsn: number | Promise<never>) => void;

/** In the place of the number of records: settled by `synced` only. */
export const UNTIL_SYNC = -1;

export class PendingAppends {
  #resolves: (Resolve | undefined)[] = new Array(1024).fill(undefined);
  /** Undefined for plain appends. */
  #rejects: (Reject | undefined)[] = new Array(1024).fill(undefined);
  /**
   * Records of each append; 0 for a barrier, which settles as soon as all before it have, and UNTIL_SYNC for one
   * that settles with a completion of its own. 1 where there is no append, as a plain one leaves it.
   */
  #records: number[] = new Array(1024).fill(1);
  #head = 0;
  #length = 0;
  /** Records of the completion at hand that still have to be given out, and the LSN of the next. */
  #left = 0;
  #nextLsn = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds a plain append of one record. */
  pushPlain(resolve: ResolvePlain): void {
    const at = this.#next(); // first: it may bring other arrays
    this.#resolves[at] = resolve;
    this.#length++;
  }

  /** Adds any other: of `records` records, a barrier (0), or UNTIL_SYNC. */
  push(resolve: Resolve, reject: Reject, records: number): void {
    const at = this.#next();
    this.#resolves[at] = resolve;
    this.#rejects[at] = reject;
    this.#records[at] = records;
    this.#length++;
  }

  /** Settles the oldest appends, `records` records in all, with one of the outcomes of ring/layout. */
  settle(firstLsn: number, records: number, outcome: number): void {
    if (outcome === COMMITTED) this.complete(firstLsn, records);
    else if (outcome === SYNCED) this.synced(firstLsn);
    else if (outcome === CONFLICT) {
      assert(this.#records[this.#head] === records, 'R9 a conflict is of one append');
      this.refuse(records, firstLsn, new ConflictError(firstLsn));
    } else this.refuse(records, firstLsn, new EncryptionError('The record could not be encrypted.'));
  }

  /** Resolves the oldest appends, `records` records in all, with LSNs from `firstLsn` on, and barriers behind them. */
  complete(firstLsn: number, records: number): void {
    this.#nextLsn = firstLsn;
    this.#left = records;
    while (this.#length > 0) {
      const own = this.#records[this.#head] as number;
      if (own > this.#left || own === UNTIL_SYNC) break;
      const resolve = this.#resolves[this.#head] as Resolve;
      this.#shift();
      resolve(own === 0 ? this.#nextLsn - 1 : this.#nextLsn);
      this.#nextLsn += own;
      this.#left -= own;
    }
    assert(this.#left === 0, 'R9 a completion covers whole appends');
  }

  /** Resolves the oldest, which waits for just this, with `lastLsn`, and barriers behind it. */
  synced(lastLsn: number): void {
    assert(this.#records[this.#head] === UNTIL_SYNC, 'R9 a sync completes in its turn');
    const resolve = this.#resolves[this.#head] as Resolve;
    this.#shift();
    resolve(lastLsn);
    this.complete(lastLsn + 1, 0);
  }

  /**
   * Rejects the oldest appends, `records` records in all, and resolves barriers between and behind them. `lsn`: what the
   * first of them would have got.
   */
  refuse(records: number, lsn: number, error: unknown): void {
    for (let left = records; left > 0; ) {
      const own = this.#records[this.#head] as number;
      assert(this.#length > 0 && own > 0 && own <= left, 'R9 a refusal covers whole appends');
      left -= own;
      this.#rejectOldest(error);
      this.complete(lsn, 0);
    }
  }

  /** Rejects everything with the same error, oldest first. */
  rejectAll(error: unknown): void {
    while (this.#length > 0) this.#rejectOldest(error);
  }

  #rejectOldest(error: unknown): void {
    const reject = this.#rejects[this.#head];
    const resolve = this.#resolves[this.#head] as ResolvePlain;
    this.#shift();
    if (reject === undefined) resolve(Promise.reject(error));
    else reject(error);
  }

  /** Where the next append goes. */
  #next(): number {
    if (this.#length === this.#resolves.length) this.#grow();
    return (this.#head + this.#length) & (this.#resolves.length - 1);
  }

  #shift(): void {
    this.#resolves[this.#head] = undefined;
    if (this.#rejects[this.#head] !== undefined) {
      this.#rejects[this.#head] = undefined;
      this.#records[this.#head] = 1;
    }
    this.#head = (this.#head + 1) & (this.#resolves.length - 1);
    this.#length--;
  }

  #grow(): void {
    const size = this.#resolves.length;
    const unrolled = <T>(ring: T[]): T[] => [...ring.slice(this.#head), ...ring.slice(0, this.#head)];
    const resolves = unrolled(this.#resolves).concat(new Array(size).fill(undefined));
    const rejects = unrolled(this.#rejects).concat(new Array(size).fill(undefined));
    const records = unrolled(this.#records).concat(new Array(size).fill(1));
    // Behind all calls, any of which may throw at the end of the stack.
    this.#resolves = resolves;
    this.#rejects = rejects;
    this.#records = records;
    this.#head = 0;
  }
}
