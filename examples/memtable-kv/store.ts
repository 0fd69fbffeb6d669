/**
 * store: a small key-value store: memtable, write-ahead log, sorted files.
 *
 *   write    -> log (durable) -> memtable            acknowledged
 *   memtable full -> sorted file (durable) -> log.truncateBefore(what the file covers)
 *   open     -> sorted files, then the log from the LSN after the newest file's
 *   read     -> memtable, the one being written out, files: the newest first
 */
import { join } from 'node:path';
import { type Log, type LogOptions, type LsnRange, openLog } from 'ringwal';
import { type Bytes, decodeOperation, WriteBatch, writeBatch } from 'ringwal/operations';
import { coveredLsn, FileSet } from './file-set.js';
import { keyBytes, keyOf } from './keys.js';
import { Memtable } from './memtable.js';
import { newestWins } from './sorted-source.js';

export interface StoreOptions {
  /** Bytes of operations after which a memtable is written out. Default 4 MiB. */
  memtableBytes?: number;
  /** Sorted files at most; one more, and all are merged into one. At least 1; default 4. */
  maxFiles?: number;
  /** Of the log; `mustInclude` is set by the store. */
  log?: LogOptions;
  /** Is told what the store does in the background. */
  onEvent?: (event: 'write-out' | 'truncate' | 'merge', text: string) => void;
}

export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export class KvStore {
  readonly #options: Required<Omit<StoreOptions, 'log'>>;
  readonly #log: Log;
  readonly #files: FileSet;
  #memtable: Memtable;
  /** The full memtable that is being written out. Nothing changes it; reads still need it. */
  #frozen: Memtable | undefined;
  /** Write-outs and merges, one after the other. Never rejects: `#failure` says what went wrong. */
  #background: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #closed = false;

  /** Opens the store in `directory`, creating it if need be. One process at a time: the log sees to that. */
  static async open(directory: string, options: StoreOptions = {}): Promise<KvStore> {
    // The log comes first, as its lock is what keeps others out. It must not end before what the files cover:
    // new records would then get LSNs that recovery skips.
    const log = await openLog(join(directory, 'log'), {
      ...options.log,
      mustInclude: await coveredLsn(directory),
    });
    let files: FileSet | undefined;
    try {
      files = await FileSet.open(directory);
      const store = new KvStore(log, files, options);
      await store.#replay();
      return store;
    } catch (error) {
      await files?.close();
      await log.close();
      throw error;
    }
  }

  private constructor(log: Log, files: FileSet, options: StoreOptions) {
    const { memtableBytes = 4 * 1024 * 1024, maxFiles = 4, onEvent = () => {} } = options;
    this.#options = { memtableBytes, maxFiles, onEvent };
    this.#log = log;
    this.#files = files;
    this.#memtable = new Memtable(files.lastLsn + 1);
  }

  /** Operations that are in the log and not yet in a file: what opening has to replay. */
  get logged(): number {
    return this.#memtable.lastLsn - this.#files.lastLsn;
  }

  get fileCount(): number {
    return this.#files.newestFirst.length;
  }

  /** Sets a value; resolves with the LSN once it is durable. */
  async put(key: Bytes, value: Bytes): Promise<number> {
    return (await this.write(new WriteBatch().put(key, value))).last;
  }

  /** Deletes a key, which need not be there; resolves with the LSN once that is durable. */
  async delete(key: Bytes): Promise<number> {
    return (await this.write(new WriteBatch().delete(key))).last;
  }

  /** Does what the batch says, all or nothing, once it is durable. The batch can be reused at once. */
  async write(batch: WriteBatch): Promise<LsnRange> {
    if (this.#failure) throw this.#failure;
    const operations = batch.encode().map((payload) => decodeOperation(payload));
    const range = await writeBatch(this.#log, batch);
    // One thread appends, and its appends resolve in LSN order: what comes here is the next one. All of a batch
    // is applied in one go, so no reader and no write-out ever sees a part of it.
    for (const [i, operation] of operations.entries()) this.#memtable.apply(range.first + i, operation);
    this.#writeOutIfFull();
    // Back-pressure: who writes faster than files can be written waits here, after the write, to keep the order.
    while (this.#isFull && this.#frozen && !this.#failure) await this.#background;
    return range;
  }

  /** The value of a key; undefined if it has none. */
  async get(key: Bytes): Promise<Uint8Array | undefined> {
    const text = keyOf(key);
    const found = this.#memtable.find(text) ?? this.#frozen?.find(text);
    if (found) return found.value;
    for (const file of this.#files.newestFirst) {
      const index = file.indexOf(text);
      if (index < 0) continue;
      file.retain();
      return file.read(index).finally(() => file.release());
    }
    return undefined;
  }

  /** The keys from `from` to before `to`, in the order of their bytes, as they are when the iteration begins. */
  async *scan(options: { from?: Bytes; to?: Bytes } = {}): AsyncGenerator<KeyValue, void, void> {
    const from = keyOf(options.from ?? '');
    const to = options.to === undefined ? undefined : keyOf(options.to);
    const files = this.#files.newestFirst;
    const memtables = this.#frozen ? [this.#memtable, this.#frozen] : [this.#memtable];
    for (const file of files) file.retain();
    try {
      const sources = [...memtables.map((memtable) => memtable.sorted()), ...files];
      for (const { key, source, index } of newestWins(sources, from, to)) {
        const value = await source.read(index);
        if (value !== undefined) yield { key: keyBytes(key), value };
      }
    } finally {
      for (const file of files) await file.release();
    }
  }

  /** Waits for what is under way, then closes. The memtable stays in the log: opening will replay it. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#background;
    await this.#log.close();
    await this.#files.close();
  }

  get #isFull(): boolean {
    return this.#memtable.bytes >= this.#options.memtableBytes;
  }

  async #replay(): Promise<void> {
    const from = this.#files.lastLsn + 1;
    // Fails with RINGWAL_TRUNCATED if the log begins behind `from`: then a file is gone.
    for await (const { lsn, payload } of this.#log.read({ from })) {
      this.#memtable.apply(lsn, decodeOperation(payload));
    }
    // A crash may have come between the newest file and the truncation that belongs to it.
    await this.#log.truncateBefore(from);
    this.#writeOutIfFull();
  }

  #writeOutIfFull(): void {
    if (!this.#isFull || this.#frozen || this.#failure || this.#closed) return;
    const frozen = this.#memtable;
    this.#frozen = frozen;
    this.#memtable = new Memtable(frozen.lastLsn + 1);
    this.#background = this.#background
      .then(() => this.#writeOut(frozen))
      .catch((cause) => {
        // Nothing is lost, the log has it all. But memory and log would grow without end.
        this.#failure = new Error('A memtable could not be written out; mend the cause and reopen', {
          cause,
        });
      });
  }

  async #writeOut(frozen: Memtable): Promise<void> {
    const { onEvent, maxFiles } = this.#options;
    const file = await this.#files.add(frozen);
    this.#frozen = undefined;
    onEvent('write-out', `${file.keys.length} keys, LSN ${file.range.first} to ${file.range.last}`);
    // Only now: until the file is durable, the log is the only place where its content is.
    await this.#log.truncateBefore(file.range.last + 1);
    onEvent('truncate', `the log begins at LSN ${this.#log.firstLsn}`);
    if (this.#files.newestFirst.length > maxFiles) {
      const count = this.#files.newestFirst.length;
      const merged = await this.#files.merge();
      onEvent('merge', `${count} files into one of ${merged.keys.length} keys`);
    }
    this.#writeOutIfFull();
  }
}
