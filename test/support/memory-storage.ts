/**
 * memory-storage: a directory of plain byte arrays, for sweeps over very many damaged ones: no crash model, no sectors,
 * next to no cost. The files that it is given are shared and never written: who writes to one gets a copy.
 */
import type { Storage, StorageFile } from '../../dist/src/storage/storage.js';

export type Files = ReadonlyMap<string, Uint8Array>;

interface MemoryFile {
  /** May be shorter than the size; the rest is a hole of zeros. */
  bytes: Uint8Array;
  size: number;
  /** The bytes are the caller's. */
  isShared: boolean;
}

/** Calls after which whatever runs counts as hung; a sound opening and reading takes some hundreds. */
const PATIENCE = 20_000;

export class MemoryStorage implements Storage {
  readonly #files = new Map<string, MemoryFile>();
  #calls = 0;
  openFiles = 0;

  constructor(files: Files = new Map()) {
    for (const [name, bytes] of files) this.#files.set(name, { bytes, size: bytes.length, isShared: true });
  }

  /** How many calls were made; it grows by one for each. */
  get calls(): number {
    return this.#calls;
  }

  /** What is in the directory now. */
  files(): Map<string, Uint8Array> {
    return new Map([...this.#files].map(([name, file]) => [name, wholeOf(file)]));
  }

  /** Whether it holds exactly these files. */
  holds(files: Files): boolean {
    if (files.size !== this.#files.size) return false;
    return [...this.#files].every(([name, file]) => {
      const expected = files.get(name);
      if (expected?.length !== file.size) return false;
      return expected === file.bytes || (expected && Buffer.compare(expected, wholeOf(file)) === 0);
    });
  }

  async list(): Promise<string[]> {
    this.#count();
    return [...this.#files.keys()].reverse();
  }

  async open(name: string, access: 'read' | 'write'): Promise<StorageFile> {
    this.#count();
    const file = this.#files.get(name);
    if (file === undefined) throw errno('ENOENT', name);
    return this.#opened(file, access === 'write');
  }

  async create(name: string): Promise<StorageFile> {
    this.#count();
    if (this.#files.has(name)) throw errno('EEXIST', name);
    const file = { bytes: new Uint8Array(0), size: 0, isShared: false };
    this.#files.set(name, file);
    return this.#opened(file, true);
  }

  async link(existing: string, name: string): Promise<void> {
    this.#count();
    const file = this.#files.get(existing);
    if (file === undefined) throw errno('ENOENT', existing);
    if (this.#files.has(name)) throw errno('EEXIST', name);
    this.#files.set(name, file);
  }

  async unlink(name: string): Promise<void> {
    this.#count();
    if (!this.#files.delete(name)) throw errno('ENOENT', name);
  }

  async syncDirectory(): Promise<void> {
    this.#count();
  }

  async close(): Promise<void> {}

  #count(): void {
    this.#calls++;
    if (this.#calls > PATIENCE) throw new Error(`hang: more than ${PATIENCE} calls to the storage`);
  }

  #opened(file: MemoryFile, mayWrite: boolean): StorageFile {
    let isOpen = true;
    this.openFiles++;
    const entered = (writes: boolean): void => {
      this.#count();
      if (!isOpen) throw new Error('memory-storage: the file is closed');
      if (writes && !mayWrite) throw new Error('memory-storage: the file was opened for reading');
    };
    const own = (room: number): void => {
      if (!file.isShared && room <= file.bytes.length) return;
      const bytes = new Uint8Array(
        Math.max(room, file.isShared ? 0 : Math.min(2 * file.bytes.length, file.size)),
      );
      bytes.set(file.bytes.subarray(0, bytes.length));
      file.bytes = bytes;
      file.isShared = false;
    };
    const resize = (size: number): void => {
      if (size < file.bytes.length) {
        own(Math.max(size, file.isShared ? size : 0));
        file.bytes.fill(0, size);
      }
      file.size = size;
    };
    const put = (bytes: Uint8Array, position: number): void => {
      own(Math.max(position + bytes.length, file.isShared ? file.bytes.length : 0));
      file.bytes.set(bytes, position);
      file.size = Math.max(file.size, position + bytes.length);
    };
    return {
      size: async () => {
        entered(false);
        return file.size;
      },
      links: async () => {
        entered(false);
        return [...this.#files.values()].filter((one) => one === file).length;
      },
      truncate: async (bytes) => {
        entered(true);
        resize(bytes);
      },
      read: async (into, position) => {
        entered(false);
        const end = Math.min(position + into.length, file.size);
        const found = file.bytes.subarray(Math.min(position, end), end);
        into.set(found);
        const length = Math.max(0, end - position);
        into.fill(0, found.length, length);
        return length;
      },
      write: async (bytes, position) => {
        entered(true);
        put(bytes, position);
      },
      sync: async () => entered(true),
      writeGroup: (views, position) => {
        entered(true);
        let at = position;
        for (const view of views) {
          put(view, at);
          at += view.length;
        }
      },
      syncGroup: () => entered(true),
      close: async () => {
        entered(false);
        isOpen = false;
        this.openFiles--;
      },
    };
  }
}

function wholeOf({ bytes, size }: MemoryFile): Uint8Array {
  const whole = new Uint8Array(size);
  whole.set(bytes.subarray(0, size));
  return whole;
}

function errno(code: string, name: string): Error {
  return Object.assign(new Error(`${code}: ${name}`), { code });
}
