/** memtable: the newest values, in memory; all of it is also in the log. */
import type { Operation } from 'ringwal/operations';
import { keyOf } from './keys.js';
import type { SortedSource } from './sorted-source.js';

/** What an entry costs besides its key and value, roughly; so that many small ones fill a memtable too. */
const ENTRY_BYTES = 64;

export class Memtable {
  readonly firstLsn: number;
  #lastLsn: number;
  #bytes = 0;
  /** undefined: deleted. That must be remembered, as it hides older values in files. */
  readonly #values = new Map<string, Uint8Array | undefined>();

  /** An empty memtable; the first operation that it takes has `firstLsn`. */
  constructor(firstLsn: number) {
    this.firstLsn = firstLsn;
    this.#lastLsn = firstLsn - 1;
  }

  /** LSN of the last operation that it holds, `firstLsn - 1` if it is empty. */
  get lastLsn(): number {
    return this.#lastLsn;
  }

  get size(): number {
    return this.#values.size;
  }

  /**
   * Bytes of all operations applied, overwritten ones too: it is the log that must not grow without end, and a
   * single key that is always overwritten would never fill a memtable that counts what it keeps.
   */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Applies the next operation. That there is none missing is what makes "this holds all up to `lastLsn`" true,
   * and so the truncation of the log safe.
   */
  apply(lsn: number, operation: Operation): void {
    if (lsn !== this.#lastLsn + 1) throw new Error(`LSN ${lsn} was applied after ${this.#lastLsn}`);
    this.#lastLsn = lsn;
    const value = operation.kind === 'put' ? operation.value : undefined;
    this.#values.set(keyOf(operation.key), value);
    this.#bytes += ENTRY_BYTES + operation.key.length + (value?.length ?? 0);
  }

  /** The key's value, as a copy; `{ value: undefined }` when it was deleted, undefined when nothing is known. */
  find(key: string): { readonly value: Uint8Array | undefined } | undefined {
    const value = this.#values.get(key);
    if (value !== undefined) return { value: new Uint8Array(value) };
    return this.#values.has(key) ? { value } : undefined;
  }

  /** All entries as they are now, sorted; what is applied later does not change it. */
  sorted(): SortedSource {
    const entries = [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      keys: entries.map(([key]) => key),
      read: async (index) => {
        const value = entries[index]?.[1];
        return value === undefined ? undefined : new Uint8Array(value);
      },
    };
  }
}
