/** node-storage: Storage on a real directory. */
import * as fs from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AlignedMemory, type GroupWrites, shortWrite } from './group-writes.js';
import type { Storage, StorageFile } from './storage.js';
import { fastestSyncMode, groupFlags, groupWrites, requireSyncMode, type SyncMode } from './sync-mode.js';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants;
/** O_DIRECTORY and O_NOFOLLOW do not exist on Windows. */
const DIRECTORY_FLAGS = O_RDONLY | (O_DIRECTORY ?? 0);
const NO_FOLLOW = O_NOFOLLOW ?? 0;
/** For a FIFO in the place of a file: opening it would wait for a writer. A regular file is not affected. */
const NO_WAIT = O_NONBLOCK ?? 0;

export class NodeStorage implements Storage {
  /** Absolute path. */
  readonly directory: string;
  readonly #handle: FileHandle;
  readonly #memory = new AlignedMemory();
  #syncMode: SyncMode = 'fdatasync';

  private constructor(directory: string, handle: FileHandle) {
    this.directory = directory;
    this.#handle = handle;
  }

  /** Opens the directory; with `create`, makes it first, mode 0700, and its entry in its parent durable. */
  static async open(path: string, { create }: { create: boolean }): Promise<NodeStorage> {
    const directory = resolve(path);
    if (create) {
      const first = await mkdir(directory, { recursive: true, mode: 0o700 });
      if (first !== undefined) {
        for (let made = directory; ; made = dirname(made)) {
          await syncDirectory(dirname(made));
          if (made === first) break;
        }
      }
    }
    return new NodeStorage(directory, await open(directory, DIRECTORY_FLAGS));
  }

  /** The directory's descriptor, for the lock: a way to it that is short and does not change when it is renamed. */
  get directoryFd(): number {
    return this.#handle.fd;
  }

  get syncMode(): SyncMode {
    return this.#syncMode;
  }

  /**
   * Sets how groups are made durable in the files opened from now on; `auto` tries and takes the fastest. Until
   * then it is `fdatasync`. Throws IoError when the file system can't do it.
   */
  chooseSyncMode(mode: SyncMode | 'auto'): void {
    if (mode !== 'auto') requireSyncMode(mode, this.directory);
    this.#syncMode = mode === 'auto' ? fastestSyncMode(this.directory) : mode;
  }

  list(): Promise<string[]> {
    return fs.promises.readdir(this.directory);
  }

  async open(name: string, access: 'read' | 'write'): Promise<StorageFile> {
    const handle = await open(
      this.#path(name),
      (access === 'read' ? O_RDONLY : O_RDWR) | NO_FOLLOW | NO_WAIT,
    );
    const stat = await handle.stat();
    if (!stat.isFile()) {
      await handle.close();
      throw new Error(`${name} is not a regular file`);
    }
    return access === 'read' ? new NodeFile(handle) : this.#writable(name, handle);
  }

  async create(name: string): Promise<StorageFile> {
    return this.#writable(name, await open(this.#path(name), O_RDWR | O_CREAT | O_EXCL | NO_FOLLOW, 0o600));
  }

  /** A file with a way for its groups; where that wants flags of its own, through a second descriptor. */
  async #writable(name: string, handle: FileHandle): Promise<StorageFile> {
    const flags = groupFlags(this.#syncMode) ?? 0;
    try {
      const forGroups = flags === 0 ? undefined : await open(this.#path(name), O_RDWR | NO_FOLLOW | flags);
      const writes = groupWrites(this.#syncMode, (forGroups ?? handle).fd, handle.fd, this.#memory);
      return new NodeFile(handle, writes, forGroups);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  link(existing: string, name: string): Promise<void> {
    return fs.promises.link(this.#path(existing), this.#path(name));
  }

  unlink(name: string): Promise<void> {
    return fs.promises.unlink(this.#path(name));
  }

  syncDirectory(): Promise<void> {
    return this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  #path(name: string): string {
    if (name.includes('/') || name.includes('\\') || name === '' || name === '..')
      throw new Error(`${name} is not a file name`);
    return join(this.directory, name);
  }
}

class NodeFile implements StorageFile {
  readonly #handle: FileHandle;
  readonly #writes: GroupWrites | undefined;
  readonly #forGroups: FileHandle | undefined;

  constructor(handle: FileHandle, writes?: GroupWrites, forGroups?: FileHandle) {
    this.#handle = handle;
    this.#writes = writes;
    this.#forGroups = forGroups;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async links(): Promise<number> {
    return (await this.#handle.stat()).nlink;
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let read = 0;
    while (read < into.length) {
      const { bytesRead } = await this.#handle.read(into, read, into.length - read, position + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return read;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { bytesWritten } = await this.#handle.write(bytes, 0, bytes.length, position);
    if (bytesWritten !== bytes.length) throw shortWrite(bytesWritten, bytes.length);
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  writeGroup(views: readonly Uint8Array[], position: number, willSync: boolean): void {
    this.#forWriting.write(views, position, willSync);
  }

  syncGroup(): void {
    this.#forWriting.sync();
  }

  async close(): Promise<void> {
    await this.#forGroups?.close();
    await this.#handle.close();
  }

  get #forWriting(): GroupWrites {
    if (this.#writes === undefined) throw new Error('the file was opened for reading');
    return this.#writes;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, DIRECTORY_FLAGS);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
