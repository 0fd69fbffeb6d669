/**
 * log-reader: the public face of a log directory that is read without its writer.
 *
 * A reader works on a look at the directory (read/look): what it shows changes with `refresh` only. Files that go
 * while it reads are no surprise to it: it looks again, and goes on or says that the records are gone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Decoder, lateDecoder } from '../codec/decoder.js';
import type { KeySource } from '../codec/keys.js';
import type { ReadView } from '../control/contract.js';
import { type SegmentInfo, segmentInfo } from '../control/segment-info.js';
import { ClosedError, InvalidArgumentError, TruncatedError } from '../errors.js';
import { LARGEST_PAYLOAD_BYTES } from '../options.js';
import { checkContinued } from '../read/cut-check.js';
import { disposable } from '../read/disposable.js';
import { interruptible } from '../read/interruptible.js';
import { type IsWriterAlive, identity, type Look, lookAtLog } from '../read/look.js';
import { type ReadRange, readGroups } from '../read/read-log.js';
import { checkReadOptions, ofTypes, type ReadOptions, rangeOf, startOf } from '../read/read-options.js';
import type { LogRecord } from '../read/record-assembler.js';
import { checkTailOptions, type TailOptions, type TailSource, tailLog } from '../read/tail.js';
import type { Storage } from '../storage/storage.js';
import { EndWatcher } from './end-watcher.js';

/**
 * A log directory that is open for reading. It holds no file open between calls and keeps no process alive.
 *
 * What it shows is what the directory held at the last look, by `openReader` or `refresh`:
 *   - while a writer has the log open, here or in another process, the records that are proven to be on stable
 *     storage. The proof of a write comes with the next one, or 50 ms later;
 *   - without a writer, what opening the log would find. (The last write may then be in the page cache only: it
 *     survives what ended the writer, and is made durable when the log is opened.)
 */
export interface LogReader extends AsyncDisposable {
  /** Absolute path of the log directory. */
  readonly directory: string;
  /** LSN of the log's first record, or of the next one if there is none; 1 in an empty directory. */
  readonly firstLsn: number;
  /** LSN of the last record that is shown; `firstLsn - 1` if there is none. */
  readonly lastLsn: number;
  /** LSN of the last checkpoint that is shown; 0: none. It may lie before `firstLsn`. */
  readonly checkpointLsn: number;
  /** Whether a writer had the log open at the last look. */
  readonly isLive: boolean;

  /**
   * The records from `from` to `to` (both included; default: all that are shown), each verified, in LSN order; those of
   * a transaction where it is committed. Throws, as the iteration starts or goes on, RINGWAL_TRUNCATED when a record asked
   * for is gone,
   * RINGWAL_OUT_OF_RANGE when it is not shown yet or the log was cut (`truncateAfter`) and has not all of it any more,
   * RINGWAL_CORRUPT when it is damaged, RINGWAL_TOO_LARGE when it is longer than `maxInflatedBytes`, RINGWAL_DECRYPTION when its key is not there or is wrong,
   * RINGWAL_UNSUPPORTED_VERSION when this Node can't inflate it, RINGWAL_IO when it can't be read, RINGWAL_CLOSED when the
   * reader was closed, and RINGWAL_INVALID_ARGUMENT. What it gives is of one and the same log, before a cut or behind it.
   */
  read(options?: ReadOptions): AsyncGenerator<LogRecord, void, void>;

  /** The same in an array. */
  readAll(options?: ReadOptions): Promise<LogRecord[]>;

  /**
   * The records from `from` on, and then those that are written, as they come to be shown (see above); each verified,
   * in the order of `read`, at the pace at which they are taken. It looks for news by itself, every `intervalMs`, and keeps the
   * process running while a record is waited for; what the reader shows does not change by it. It goes on, across
   * writers that come and go, until it is aborted or the reader is closed. Throws as `read` does, and the signal's
   * reason; RINGWAL_OUT_OF_RANGE also when the log was replaced by another in the same directory, and RINGWAL_IO when the
   * directory is gone (up to 512 looks later, when nothing else is new). Who ends the log before what was given already (`truncateAfter`) must tell those who follow from elsewhere:
   * LSNs that are given out anew are not given a second time.
   */
  tail(options?: ReaderTailOptions): AsyncGenerator<LogRecord, void, void>;

  /** The segments that hold records which are shown, oldest first. */
  segments(): SegmentInfo[];

  /**
   * Looks at the directory again. Rejects with RINGWAL_CORRUPT when acknowledged data is damaged,
   * RINGWAL_UNSUPPORTED_VERSION, RINGWAL_IO and RINGWAL_CLOSED; what was shown before is still shown then.
   */
  refresh(): Promise<void>;

  /** Ends reads and tails under way with RINGWAL_CLOSED. May be called more than once. */
  close(): Promise<void>;
}

/** What `tail` of a reader reads, and how often it looks. */
export interface ReaderTailOptions extends TailOptions {
  /** Time between two looks for news when there was none, in milliseconds. Default 20; 1 to 60 000. */
  intervalMs?: number;
}

/** Where a reader reads: a directory, and how to ask whether it is in use. */
export interface ReaderSource {
  readonly directory: string;
  readonly storage: Storage;
  readonly isWriterAlive: IsWriterAlive;
  readonly key?: KeySource | undefined;
  /** The LSN from which on records in plain are refused; undefined: none is. */
  readonly plainBefore?: number | undefined;
  readonly maxInflatedBytes?: number;
}

export class DirectoryReader implements LogReader {
  readonly #source: ReaderSource;
  #madeDecoder: Decoder | undefined;
  #look: Look;
  /** The last refresh: looks come one after the other, or an older one could replace a newer. */
  #refreshed: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  /** Aborted by `close`, for tails that wait for their next look. */
  readonly #closed = new AbortController();

  static async open(source: ReaderSource): Promise<DirectoryReader> {
    return new DirectoryReader(source, await lookAtLog(source.storage, source.isWriterAlive));
  }

  private constructor(source: ReaderSource, look: Look) {
    this.#source = source;
    this.#look = look;
  }

  get directory(): string {
    return this.#source.directory;
  }

  get firstLsn(): number {
    return this.#look.view.firstLsn;
  }

  get lastLsn(): number {
    return this.#look.view.durableLsn;
  }

  get checkpointLsn(): number {
    return this.#look.checkpointLsn;
  }

  get isLive(): boolean {
    return this.#look.isLive;
  }

  read(options: ReadOptions = {}): AsyncGenerator<LogRecord, void, void> {
    return disposable(this.#read(options));
  }

  async *#read(options: ReadOptions): AsyncGenerator<LogRecord, void, void> {
    checkReadOptions(options);
    this.#checkOpen();
    const range = rangeOf(options, this.#look.view, this.checkpointLsn, this.#decoder());
    for await (const records of this.#groups(range)) {
      for (const record of ofTypes(records, options.types)) {
        yield record;
        this.#checkOpen(); // a group may have many more
      }
    }
  }

  /** For what is compressed or encrypted; undefined as long as there is no log. */
  #decoder(): Decoder | undefined {
    const { newest } = this.#look;
    // Another log may have been begun in the directory since.
    const logId = newest?.segment.header.logId;
    if (logId !== undefined && this.#madeDecoder?.isOf(logId) !== true)
      this.#madeDecoder = this.#decoderOf(logId);
    return this.#madeDecoder;
  }

  #decoderOf(logId: Uint8Array): Decoder {
    const {
      key,
      maxInflatedBytes = LARGEST_PAYLOAD_BYTES,
      plainBefore = Number.POSITIVE_INFINITY,
    } = this.#source;
    return new Decoder(logId, key, maxInflatedBytes, plainBefore);
  }

  async readAll(options: ReadOptions = {}): Promise<LogRecord[]> {
    const records: LogRecord[] = [];
    for await (const record of this.read(options)) records.push(record);
    return records;
  }

  tail(options: ReaderTailOptions = {}): AsyncGenerator<LogRecord, void, void> {
    return interruptible(options, (own) => this.#tail(own));
  }

  async *#tail(options: ReaderTailOptions): AsyncGenerator<LogRecord, void, void> {
    checkTailOptions(options, 'intervalMs');
    const { intervalMs = 20, signal } = options;
    if (!Number.isInteger(intervalMs) || intervalMs < 1 || intervalMs > 60_000)
      throw new InvalidArgumentError(`Option "intervalMs" must be an integer from 1 to 60000.`);
    this.#checkOpen();
    const { storage, isWriterAlive } = this.#source;
    const watcher = new EndWatcher(storage, isWriterAlive);
    let looks = 0;
    const end = AbortSignal.any([this.#closed.signal, ...(signal ? [signal] : [])]);
    const next = async (lsn: number, reading: number | undefined, isAgain: boolean): Promise<ReadView> => {
      if (isAgain) await watcher.look();
      if (reading !== undefined) watcher.forget(reading);
      for (;;) {
        this.#checkOpen();
        // Of what was read, but not given, there may be other records now.
        if (reading !== undefined && watcher.looks !== looks) {
          looks = watcher.looks;
          return watcher.view;
        }
        if (watcher.view.durableLsn >= lsn || watcher.view.firstLsn > lsn) return watcher.view;
        await sleep(intervalMs, undefined, { signal: end }).catch(() => signal?.throwIfAborted());
        this.#checkOpen();
        await watcher.poll();
      }
    };
    try {
      await watcher.look();
      const from = startOf(options.from, watcher.view.firstLsn, watcher.checkpointLsn);
      // Cuts are not told to other processes; see the docs of `tail`.
      const whileThere: TailSource['whileThere'] = (groups) => groups;
      const check = (): void => this.#checkOpen();
      const source = { next, firstLsn: () => watcher.view.firstLsn, whileThere, check };
      // Made with the first record: before there is one, there may be no log.
      const decoder = lateDecoder(() => this.#decoderOf(watcher.logId));
      yield* tailLog(storage, source, decoder, from, options);
    } catch (error) {
      if (!signal?.aborted) this.#checkOpen(); // what was under way then failed because of it
      throw error;
    } finally {
      await watcher.close();
    }
  }

  segments(): SegmentInfo[] {
    return this.#look.view.segments.filter(({ lastLsn }) => lastLsn >= this.firstLsn).map(segmentInfo);
  }

  refresh(): Promise<void> {
    const looked = this.#refreshed.then(async () => {
      this.#checkOpen();
      const { storage, isWriterAlive } = this.#source;
      this.#look = await lookAtLog(storage, isWriterAlive);
    });
    this.#refreshed = looked.catch(() => {});
    return looked;
  }

  close(): Promise<void> {
    this.#closing ??= this.#refreshed.then(() => this.#source.storage.close());
    this.#closed.abort();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Reads a range; when what it comes to does not verify, sees whether the log has changed before it believes it. */
  async *#groups(range: ReadRange): AsyncGenerator<LogRecord[], void, void> {
    let { from } = range;
    let before: string | undefined;
    for (;;) {
      const { view } = this.#look;
      try {
        const groups = readGroups(this.#source.storage, view, { ...range, from }, () => this.firstLsn);
        for await (const records of groups) {
          yield records;
          this.#checkOpen();
          // Records come in the order in which they took effect, and a group's are never torn apart.
          from = (records.at(-1)?.commitLsn ?? from) + 1;
        }
        return;
      } catch (error) {
        this.#checkOpen();
        const failure = identity(error);
        if (error instanceof TruncatedError || failure === before) throw error;
        before = failure;
        await this.refresh();
        if (from < this.firstLsn) throw new TruncatedError(from, this.firstLsn);
        checkContinued(view, this.#look.view, from > range.from ? from - 1 : 0, range.to);
      }
    }
  }

  #checkOpen(): void {
    if (this.#closing) throw new ClosedError('The reader is closed; open another.');
  }
}
