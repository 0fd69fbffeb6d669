/**
 * tolerant-file: reads a file whose medium may fail in places: what can't be read reads as zeros, which verify as
 * nothing, and the rest is read all the same.
 */
import type { Storage, StorageFile } from '../storage/storage.js';

const BLOCK_BYTES = 4096;
const WINDOW_BYTES = 1024 * 1024;

export class TolerantFile {
  readonly #file: StorageFile;
  readonly bytes: number;
  readonly #buffer: Uint8Array;
  #start = 0;
  #end = 0;
  /** Where blocks lie that could not be read, the first thousand. */
  readonly unreadable = new Set<number>();

  /** Throws what the storage throws. */
  static async open(storage: Storage, name: string): Promise<TolerantFile> {
    const file = await storage.open(name, 'read');
    try {
      return new TolerantFile(file, await file.size());
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor(file: StorageFile, bytes: number) {
    this.#file = file;
    this.bytes = bytes;
    this.#buffer = new Uint8Array(Math.min(WINDOW_BYTES, bytes)); // most files of a small log are small
  }

  /** As StorageFile.read; never throws because of the medium. */
  async read(into: Uint8Array, position: number): Promise<number> {
    try {
      return await this.#file.read(into, position);
    } catch {
      const length = Math.max(0, Math.min(into.length, this.bytes - position));
      for (let at = 0; at < length; ) {
        // One block of the file after the other: a disk loses them one by one.
        const end = Math.min(length, at + BLOCK_BYTES - ((position + at) % BLOCK_BYTES));
        const block = into.subarray(at, end);
        const read = await this.#file.read(block, position + at).catch(() => -1);
        if (read < 0 && this.unreadable.size < 1000) this.unreadable.add(position + at);
        if (read < block.length) block.fill(0, Math.max(0, read));
        at = end;
      }
      return length;
    }
  }

  /** The bytes from `start` to `end`, at most a MiB, fewer at the file's end; valid until the next call. */
  async view(start: number, end: number): Promise<Uint8Array> {
    if (start < this.#start || end > this.#end) {
      this.#start = start;
      this.#end = start + (await this.read(this.#buffer, start));
    }
    return this.#buffer.subarray(start - this.#start, Math.min(end, this.#end) - this.#start);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** Most bytes of one `view`. */
export const VIEW_BYTES = WINDOW_BYTES;
