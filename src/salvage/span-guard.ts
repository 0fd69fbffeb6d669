/**
 * span-guard: keeps large records and transactions whole or absent where a part of them may be lost.
 *
 * Nothing in a fragment says which one it is, and nothing in a record of a transaction how many there are. So what is
 * open where LSNs are lost is never completed: of a large record, the fragments that come later are left out, and a
 * transaction's commit becomes an abort.
 */
import {
  ID_BYTES,
  IN_TRANSACTION,
  RECORD_FIRST,
  RECORD_LAST,
  RECORD_MIDDLE,
  RECORD_TXN_ABORT,
  RECORD_TXN_BEGIN,
  RECORD_TXN_COMMIT,
} from '../format/record-frame.js';

/** Keep the frame, leave it out, or make a commit an abort. */
export type Decision = 'keep' | 'drop' | 'abort';

/** Spans that are kept track of at a time; of more, the oldest count as not whole. */
const MOST_OPEN = 65_536;

export class SpanGuard {
  /** Where those begin that are open and whole so far, by id, oldest first. */
  readonly #large = new Map<number, number>();
  readonly #transactions = new Map<number, number>();
  /** The highest epoch of any id. */
  epoch = 0;

  /** The LSN, as it was passed in, at which the oldest span begins that may still be completed; 0: none is open. */
  get openLsn(): number {
    const [large = 0] = this.#large.values();
    const [transaction = 0] = this.#transactions.values();
    return large === 0 || transaction === 0 ? large + transaction : Math.min(large, transaction);
  }

  /** LSNs are lost here. */
  gap(): void {
    this.#large.clear();
    this.#transactions.clear();
  }

  /** The frame at `lsn`, whose content begins at `start` of `body`. */
  take(lsn: number, type: number, flags: number, body: Uint8Array, start: number): Decision {
    const isBoundary = type >= RECORD_TXN_BEGIN;
    const isFragment = type >= RECORD_FIRST && type <= RECORD_LAST;
    if (!isBoundary && !isFragment) return 'keep';
    const isInTransaction = (flags & IN_TRANSACTION) !== 0;
    const id = this.#id(body, start + (isFragment && isInTransaction ? ID_BYTES : 0));
    const spans = isFragment ? this.#large : this.#transactions;
    if (type === RECORD_FIRST || type === RECORD_TXN_BEGIN) {
      spans.set(id, lsn);
      const [oldest] = spans.keys();
      if (spans.size > MOST_OPEN && oldest !== undefined) spans.delete(oldest);
      return 'keep';
    }
    const isWhole = spans.has(id);
    if (type !== RECORD_MIDDLE) spans.delete(id);
    if (isWhole || type === RECORD_TXN_ABORT) return 'keep';
    return type === RECORD_TXN_COMMIT ? 'abort' : 'drop';
  }

  /** What began in an earlier epoch than `id` never ends. */
  #id(body: Uint8Array, at: number): number {
    const view = new DataView(body.buffer, body.byteOffset + at, ID_BYTES);
    const epoch = view.getUint32(4, true);
    if (epoch > this.epoch) {
      this.gap();
      this.epoch = epoch;
    }
    return epoch * 0x1_0000_0000 + view.getUint32(0, true);
  }
}
