/**
 * cursor-file: one cursor's position on disk: made, read, and moved so that a crash leaves the old or the new one.
 *
 * It is made as segments are: written and synced under a name of its own, then published by `link`. A position is
 * written into the slot that does not hold the last one, and synced; it counts when the sync has returned. The second
 * one is written as soon as the name is durable, and says so: a file with the first alone is made anew, as a name that
 * can be seen need not be on the disk when the directory's sync has failed before.
 */
import { CorruptError, IoError, RingwalError } from '../errors.js';
import {
  CURSOR_FILE_BYTES,
  type CursorSlot,
  cursorFileName,
  cursorSlotOffset,
  encodeCursorSlot,
  preparedCursorName,
} from '../format/cursor-slot.js';
import { sameBytes } from '../format/same-bytes.js';
import { newestSlot } from '../read/cursor-slots.js';
import { inTurn } from '../storage/directory-turns.js';
import type { Storage, StorageFile } from '../storage/storage.js';

export class CursorFile {
  readonly name: string;
  readonly #file: StorageFile;
  readonly #logId: Uint8Array;
  #sequence: number;
  #position: number;
  #farthest: number;
  #failure: IoError | undefined;

  private constructor(file: StorageFile, slot: CursorSlot) {
    this.name = slot.name;
    this.#file = file;
    this.#logId = slot.logId;
    this.#sequence = slot.sequence;
    this.#position = slot.position;
    this.#farthest = slot.position;
  }

  /** The position that is durable. */
  get position(): number {
    return this.#position;
  }

  /** The farthest position that may be on the disk: a move that failed may have left it there. */
  get farthest(): number {
    return this.#farthest;
  }

  /** Makes a cursor's file, durably. Throws IoError. */
  static async create(
    storage: Storage,
    name: string,
    logId: Uint8Array,
    position: number,
  ): Promise<CursorFile> {
    const slot = { name, logId, sequence: 0, position };
    const prepared = preparedCursorName(name);
    let file: StorageFile | undefined;
    try {
      await storage.unlink(prepared).catch(unlessMissing);
      file = await storage.create(prepared);
      await file.truncate(CURSOR_FILE_BYTES);
      await file.write(encodeCursorSlot(slot), cursorSlotOffset(slot.sequence));
      await file.sync();
      await inTurn(storage, async () => {
        // There is none of that name, but what an attempt that failed may have left.
        await storage.unlink(cursorFileName(name)).catch(unlessMissing);
        await storage.link(prepared, cursorFileName(name));
        await storage.unlink(prepared);
        await storage.syncDirectory();
      });
      const made = new CursorFile(file, slot);
      await made.move(position);
      return made;
    } catch (error) {
      await file?.close().catch(() => {});
      throw new IoError(`Making the cursor "${name}"`, error);
    }
  }

  /** Reads a cursor's file, or makes it anew. Throws CorruptError when it does not hold a position of this cursor, and IoError. */
  static async open(storage: Storage, name: string, logId: Uint8Array): Promise<CursorFile> {
    let file: StorageFile | undefined;
    try {
      file = await storage.open(cursorFileName(name), 'write');
      const last = await newestSlot(file);
      if (last === undefined) throw damaged(name, 'neither of its two positions verifies');
      if (last.name !== name) throw damaged(name, `it is that of "${last.name}"`);
      if (!sameBytes(last.logId, logId)) throw damaged(name, 'it belongs to another log');
      if (last.sequence > 0) {
        // It may be in the page cache alone. What is read here is relied on, so it is made durable first: written again,
        // as a sync that failed before has forgotten it. The other position stays as it is meanwhile.
        await file.write(encodeCursorSlot(last), cursorSlotOffset(last.sequence));
        await file.sync();
        return new CursorFile(file, last);
      }
      const old = file;
      file = undefined; // also one whose closing fails is closed
      await old.close();
      await removeCursorFile(storage, name);
      return await CursorFile.create(storage, name, logId, last.position);
    } catch (error) {
      await file?.close().catch(() => {});
      throw error instanceof RingwalError ? error : new IoError(`Reading the cursor "${name}"`, error);
    }
  }

  /** Makes `position` the durable one. Throws IoError; after that it can't be told, and is not written again (S4). */
  async move(position: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const sequence = this.#sequence + 1;
    this.#farthest = Math.max(this.#position, position);
    try {
      const slot = { name: this.name, logId: this.#logId, sequence, position };
      await this.#file.write(encodeCursorSlot(slot), cursorSlotOffset(sequence));
      await this.#file.sync();
    } catch (error) {
      this.#failure = new IoError(
        `Moving the cursor "${this.name}" (it takes no more positions before the log is opened again)`,
        error,
      );
      throw this.#failure;
    }
    this.#sequence = sequence;
    this.#position = position;
    this.#farthest = position;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Removes a cursor's file, if there is one, durably. Throws IoError. */
export async function removeCursorFile(storage: Storage, name: string): Promise<void> {
  try {
    await inTurn(storage, async () => {
      await storage.unlink(cursorFileName(name)).catch(unlessMissing);
      await storage.syncDirectory();
    });
  } catch (error) {
    throw new IoError(`Removing the cursor "${name}"`, error);
  }
}

function damaged(name: string, why: string): CorruptError {
  return new CorruptError(
    `The file of the cursor "${name}" is damaged: ${why}. It holds back truncation until it is deleted (deleteCursor).`,
    { file: cursorFileName(name) },
  );
}

function unlessMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
