/**
 * open-spans: from which LSN on a ring's records are needed by a span that is still open.
 *
 * A span is a run of records that a reader must see together and that need not lie in one group: the fragments of
 * a large record, a transaction. Garbage collection may not take its beginning away while its end is to come. The
 * producer says in each chunk which chunk the oldest open span began in; here the LSNs of those chunks are kept.
 */
import { BEGINS_SPAN, SPANS } from './layout.js';

/**
 * Beginnings kept; of more, the later ones are left out. What is said then is an earlier LSN than need be: space is
 * freed later, never too early.
 */
const MOST = 1024;

export class OpenSpans {
  #beginnings: { readonly chunk: number; readonly lsn: number }[] = [];

  /** The LSN that must be kept for the oldest span that is open; 0: none is. */
  get lsn(): number {
    return this.#beginnings[0]?.lsn ?? 0;
  }

  /** Takes note of chunk number `chunk`, whose first record is `lsn`. `oldest` is the number that it states. */
  took(chunk: number, lsn: number, flags: number, oldest: number): void {
    if ((flags & SPANS) === 0) {
      if (this.#beginnings.length > 0) this.#beginnings = [];
      return;
    }
    if ((flags & BEGINS_SPAN) !== 0 && this.#beginnings.length < MOST) this.#beginnings.push({ chunk, lsn });
    const at = this.#at(chunk, oldest);
    if (at > 0) this.#beginnings.splice(0, at);
    // The chunk in which it began was refused: nothing of it lies before this one.
    if (at < 0) this.#beginnings.unshift({ chunk: oldest, lsn: this.lsn || lsn });
  }

  /**
   * Where the beginning `oldest` is, or, when that is not kept, the last one before it; -1: there is none. Chunk numbers
   * wrap, and a span may be open for longer than they take to: it is found by its very number. Others are compared by how
   * many chunks ago they were.
   */
  #at(chunk: number, oldest: number): number {
    const at = this.#beginnings.findIndex((beginning) => beginning.chunk === oldest);
    if (at >= 0) return at;
    const ago = (chunk - oldest) >>> 0;
    return this.#beginnings.findLastIndex((beginning) => (chunk - beginning.chunk) >>> 0 >= ago);
  }
}
