/**
 * cursors: the named cursors of a log: how far each of its consumers has come, durably.
 *
 * All files are read when the log is opened, so that a cursor holds back truncation also while its consumer is away.
 * One whose file can't be read, or says what can't be, holds back everything: what it still needs is not known.
 * Files are written one after the other beside the commit path; acks that wait for their turn share a write.
 */
import PQueue from 'p-queue';
import type { CursorInfo } from '../control/cursor-info.js';
import { CorruptError, InvalidArgumentError, IoError, OutOfRangeError, TruncatedError } from '../errors.js';
import { cursorFileName, parseCursorFileName } from '../format/cursor-slot.js';
import type { LogState } from '../ring/log-state.js';
import type { Storage } from '../storage/storage.js';
import { CursorFile, removeCursorFile } from './cursor-file.js';

interface Entry {
  /** Told apart by it: one that is deleted and made again is another cursor, whatever its name. */
  readonly making: number;
  /** Undefined while it is being made, and when it is damaged. */
  file: CursorFile | undefined;
  /** From where on it holds back truncation: never above the durable position + 1. */
  heldFrom: number;
  /** Why it can't be used. */
  error: Error | undefined;
  /** Whether removing it was tried, and has failed; also of one that could not be made, and may be there in part. */
  isRemoved: boolean;
  ready: Promise<unknown>;
  /** The highest position that is to be written, and the write that will take it. */
  wanted: number;
  writing: Promise<void> | undefined;
}

export class Cursors {
  readonly #storage: Storage;
  readonly #logId: Uint8Array;
  readonly #state: LogState;
  readonly #entries = new Map<string, Entry>();
  #makings = 0;
  readonly #queue = new PQueue({ concurrency: 1 });
  /** No position may lie above it: where the log is being cut. */
  #ceiling = Number.POSITIVE_INFINITY;
  /** Called when truncation may go on. */
  onMoved: () => void = () => {};

  private constructor(storage: Storage, logId: Uint8Array, state: LogState) {
    this.#storage = storage;
    this.#logId = logId;
    this.#state = state;
  }

  /** Reads all cursors of the log, which ends with `lastLsn`. Throws IoError when the directory can't be listed. */
  static async open(storage: Storage, logId: Uint8Array, lastLsn: number, state: LogState): Promise<Cursors> {
    const cursors = new Cursors(storage, logId, state);
    const files = await storage.list().catch((cause: unknown) => {
      throw new IoError('Listing the log directory', cause);
    });
    for (const file of files.sort()) {
      const { name, isPrepared } = parseCursorFileName(file) ?? {};
      if (name === undefined) continue;
      if (isPrepared) await storage.unlink(file).catch(() => {});
      else await cursors.#load(name, lastLsn);
    }
    return cursors;
  }

  async #load(name: string, lastLsn: number): Promise<void> {
    const entry = this.#enter(name, 0);
    try {
      entry.file = await CursorFile.open(this.#storage, name, this.#logId);
      const { position } = entry.file;
      entry.wanted = position;
      entry.heldFrom = position + 1;
      if (position <= lastLsn) return;
      entry.heldFrom = 1;
      entry.error = new CorruptError(
        `The cursor "${name}" is done with LSN ${position}, and the log ends with ${lastLsn}: the end of the log is lost, or the cursor is of a later copy. Delete it (deleteCursor) to go on.`,
        { file: cursorFileName(name), lastGoodLsn: lastLsn },
      );
    } catch (error) {
      entry.error = error as Error;
    }
  }

  /** The least LSN that some cursor still needs; infinite when there is none. */
  heldFrom(): number {
    let held = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) held = Math.min(held, entry.heldFrom);
    return held;
  }

  list(): CursorInfo[] {
    const names = [...this.#entries.keys()].sort();
    return names.map((name) => {
      const { error, file } = this.#entries.get(name) as Entry;
      return { name, position: error === undefined ? file?.position : undefined };
    });
  }

  /**
   * The position of a cursor, which is made if there is none of that name: it then begins before the log's first
   * record. Throws what is wrong with its file.
   */
  async position(name: string): Promise<number> {
    let entry = this.#entries.get(name);
    // What may be left of one that is not to be there any more, it takes the place of.
    if (entry === undefined || (entry.isRemoved && entry.file === undefined)) {
      // It holds back truncation from now on, so that the position is still good when it is on disk.
      const made = this.#enter(name, this.#state.firstLsn - 1);
      entry = made;
      made.ready = this.#queue.add(async () => {
        try {
          made.file = await this.#create(name, made.wanted);
        } catch (error) {
          await this.#unmake(name, made, error as Error);
          throw error;
        }
      });
    }
    await entry.ready;
    return this.#usable(name).position;
  }

  /** Of one that could not be made nothing may be left: it would be a cursor from the next opening on. */
  async #unmake(name: string, entry: Entry, error: Error): Promise<void> {
    try {
      await removeCursorFile(this.#storage, name);
      this.#entries.delete(name);
      this.onMoved();
    } catch {
      Object.assign(entry, { error, isRemoved: true });
    }
  }

  /** Which one the cursor of that name is now; 0: there is none. */
  making(name: string): number {
    return this.#entries.get(name)?.making ?? 0;
  }

  /**
   * Moves a cursor forward to `lsn`; resolves with its position once that is durable. Throws InvalidArgumentError when it
   * is no longer the one of that `making`.
   */
  async ack(name: string, lsn: number, making = this.making(name)): Promise<number> {
    const { durableLsn, firstLsn } = this.#state;
    if (making !== this.making(name)) throw noSuchCursor(name);
    const file = this.#usable(name);
    const entry = this.#entries.get(name) as Entry;
    const most = Math.min(durableLsn, this.#ceiling);
    if (lsn > most)
      throw new OutOfRangeError(`The cursor "${name}" can be moved to LSN ${most} at most, not ${lsn}.`);
    if (lsn <= file.position) return file.position;
    if (lsn < firstLsn - 1) throw new TruncatedError(lsn + 1, firstLsn);
    entry.wanted = Math.max(entry.wanted, lsn);
    entry.writing ??= this.#write(name, entry, file);
    await entry.writing;
    return file.position;
  }

  async #write(name: string, entry: Entry, file: CursorFile): Promise<void> {
    await Promise.resolve(); // an idle queue runs its task at once, and the caller has to take note of this first
    await this.#queue.add(async () => {
      entry.writing = undefined; // who comes now needs a write of its own
      if (this.#entries.get(name) !== entry) throw noSuchCursor(name);
      await this.#move(entry, file);
      this.onMoved();
    });
  }

  /** Writes what is wanted. The lower of old and new position counts until that is durable. */
  async #move(entry: Entry, file: CursorFile): Promise<void> {
    entry.heldFrom = Math.min(entry.heldFrom, entry.wanted + 1);
    // Where a move that failed may have left it, it does not stay unsaid: the file takes no other, and throws.
    if (entry.wanted !== file.position || file.farthest > file.position) await file.move(entry.wanted);
    entry.heldFrom = file.position + 1;
  }

  /** Removes a cursor, damaged or not, durably. There may be none, or, if it is told, none of that `making`. */
  async remove(name: string, making?: number): Promise<void> {
    await this.#queue.add(async () => {
      const found = this.#entries.get(name);
      // One that is to be made behind this is another.
      const entry = (found?.file ?? found?.error) ? found : undefined;
      if (making !== undefined && making !== entry?.making) return;
      try {
        // After a directory sync that failed, the name may be gone here and not on the disk, and the next sync would
        // know nothing of it: so it is given once more, to be removed.
        if (entry?.isRemoved) await (await this.#create(name, entry.wanted)).close();
        await removeCursorFile(this.#storage, name);
      } catch (error) {
        // It may be gone or not: nothing is acknowledged to it any more, and it can be removed again.
        if (entry !== undefined) Object.assign(entry, { error, isRemoved: true });
        throw error;
      }
      if (entry === undefined) return;
      this.#entries.delete(name);
      await entry.file?.close().catch(() => {}); // it is removed
    });
    this.onMoved();
  }

  /**
   * The log is about to be cut behind `lsn`: cursors that are farther are set back to it, durably, and none goes
   * farther until `cutIsOver`. Before the cut, so that no crash leaves a cursor behind the end of the log. Throws IoError
   * when one can't be set back, because a move of it has failed.
   */
  async setBack(lsn: number): Promise<void> {
    this.#ceiling = lsn;
    await this.#queue.add(async () => {
      for (const entry of this.#entries.values()) {
        const { file } = entry;
        if (file === undefined || entry.error !== undefined) continue;
        if (Math.max(entry.wanted, file.farthest) <= lsn) continue;
        entry.wanted = lsn;
        await this.#move(entry, file);
      }
    });
  }

  cutIsOver(): void {
    this.#ceiling = Number.POSITIVE_INFINITY;
  }

  /** Resolves when nothing is under way and all files are closed. */
  async close(): Promise<void> {
    await this.#queue.onIdle();
    const files = [...this.#entries.values()].map(({ file }) => file);
    this.#entries.clear();
    for (const file of files) await file?.close().catch(() => {}); // what was acknowledged was synced
  }

  /** Takes note of a cursor that stands at `position`. */
  #enter(name: string, position: number): Entry {
    const entry: Entry = {
      making: ++this.#makings,
      file: undefined,
      heldFrom: position + 1,
      error: undefined,
      isRemoved: false,
      ready: Promise.resolve(),
      wanted: position,
      writing: undefined,
    };
    this.#entries.set(name, entry);
    return entry;
  }

  #create(name: string, position: number): Promise<CursorFile> {
    return CursorFile.create(this.#storage, name, this.#logId, position);
  }

  #usable(name: string): CursorFile {
    const entry = this.#entries.get(name);
    if (entry?.error !== undefined) throw entry.error;
    if (entry?.file === undefined) throw noSuchCursor(name);
    return entry.file;
  }
}

function noSuchCursor(name: string): InvalidArgumentError {
  return new InvalidArgumentError(`The cursor "${name}" was deleted.`);
}
