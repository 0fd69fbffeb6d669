/**
 * memory-storage: the plainest Storage there is: a map of byte arrays that counts what is done to it.
 *
 * It models no crash (SimStorage does): what was written is there. Tests use it to make a log, damage its
 * bytes by hand, and see what the engine makes of them.
 */
import { createHash } from 'node:crypto';
import type { Storage, StorageFile } from '../../dist/src/storage/storage.js';

/** Calls so far, by kind. */
export interface Counts {
  writes: number;
  groupWrites: number;
  syncs: number;
  groupSyncs: number;
  directorySyncs: number;
  reads: number;
  bytesRead: number;
}

/** A file apart from its names. */
export interface Content {
  bytes: Uint8Array;
}

export class MemoryStorage implements Storage {
  readonly files: Map<string, Content>;
  readonly counts: Counts = {
    writes: 0,
    groupWrites: 0,
    syncs: 0,
    groupSyncs: 0,
    directorySyncs: 0,
    reads: 0,
    bytesRead: 0,
  };
  /** What each group write wrote, and where. */
  readonly groupWrites: { name: string; position: number; bytes: number; views: number }[] = [];
  /** Asked before each call of these; what it throws is thrown. */
  beforeUnlink: (name: string) => void = () => {};
  beforeCreate: (name: string) => void = () => {};
  openFiles = 0;

  constructor(files: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.files = new Map([...files].map(([name, bytes]) => [name, { bytes: bytes.slice() }]));
  }

  /** Copies of all files, as a kill -9 leaves them. */
  snapshot(): Map<string, Uint8Array> {
    return new Map([...this.files].sort().map(([name, { bytes }]) => [name, bytes.slice()]));
  }

  /** One line per file. */
  fingerprint(): string[] {
    return [...this.files]
      .sort()
      .map(([name, { bytes }]) => `${name} ${bytes.length} ${createHash('sha1').update(bytes).digest('hex')}`);
  }

  async list(): Promise<string[]> {
    return [...this.files.keys()].reverse();
  }

  async open(name: string): Promise<StorageFile> {
    const content = this.files.get(name);
    if (content === undefined) throw errno('ENOENT', name);
    return new MemoryFile(this, name, content);
  }

  async create(name: string): Promise<StorageFile> {
    this.beforeCreate(name);
    if (this.files.has(name)) throw errno('EEXIST', name);
    const content: Content = { bytes: new Uint8Array(0) };
    this.files.set(name, content);
    return new MemoryFile(this, name, content);
  }

  async link(existing: string, name: string): Promise<void> {
    const content = this.files.get(existing);
    if (content === undefined) throw errno('ENOENT', existing);
    if (this.files.has(name)) throw errno('EEXIST', name);
    this.files.set(name, content);
  }

  async unlink(name: string): Promise<void> {
    this.beforeUnlink(name);
    if (!this.files.delete(name)) throw errno('ENOENT', name);
  }

  async syncDirectory(): Promise<void> {
    this.counts.directorySyncs++;
  }

  async close(): Promise<void> {}
}

class MemoryFile implements StorageFile {
  readonly #storage: MemoryStorage;
  readonly #name: string;
  readonly #content: Content;

  constructor(storage: MemoryStorage, name: string, content: Content) {
    this.#storage = storage;
    this.#name = name;
    this.#content = content;
    storage.openFiles++;
  }

  async size(): Promise<number> {
    return this.#content.bytes.length;
  }

  async truncate(bytes: number): Promise<void> {
    const resized = new Uint8Array(bytes);
    resized.set(this.#content.bytes.subarray(0, bytes));
    this.#content.bytes = resized;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const bytes = this.#content.bytes.subarray(position, position + into.length);
    into.set(bytes);
    this.#storage.counts.reads++;
    this.#storage.counts.bytesRead += bytes.length;
    return bytes.length;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.#storage.counts.writes++;
    this.#put(bytes, position);
  }

  async sync(): Promise<void> {
    this.#storage.counts.syncs++;
  }

  writeGroup(views: readonly Uint8Array[], position: number): void {
    let at = position;
    for (const view of views) {
      this.#put(view, at);
      at += view.length;
    }
    this.#storage.counts.groupWrites++;
    this.#storage.groupWrites.push({ name: this.#name, position, bytes: at - position, views: views.length });
  }

  syncGroup(): void {
    this.#storage.counts.groupSyncs++;
  }

  async close(): Promise<void> {
    this.#storage.openFiles--;
  }

  #put(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.#content.bytes.length) {
      const grown = new Uint8Array(end);
      grown.set(this.#content.bytes);
      this.#content.bytes = grown;
    }
    this.#content.bytes.set(bytes, position);
  }
}

export function errno(code: string, what: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
