/**
 * node-storage: Storage on a real directory: the one that was opened, wherever its path leads later. A directory that is
 * renamed while a log is open, or a link on its path that is set to another, would else have the writer make and remove
 * files in somebody else's.
 */
import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Descriptor } from './descriptor.js';
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
  /** Absolute path, without links on it. */
  readonly directory: string;
  /**
   * A path by which the directory is reached, also by the lock: on Linux one that is short and does not change when the
   * directory is renamed.
   */
  readonly reach: string;
  /** Of the directory, and of no other that is there at the same time. */
  readonly id: string;
  readonly #descriptor: Descriptor;
  readonly #readsBlock: boolean;
  readonly #memory = new AlignedMemory();
  #syncMode: SyncMode = 'fdatasync';

  private constructor({ path, reach, id }: Place, descriptor: Descriptor, readsBlock: boolean) {
    this.directory = path;
    this.reach = reach;
    this.id = id;
    this.#descriptor = descriptor;
    this.#readsBlock = readsBlock;
  }

  /**
   * Opens the directory; with `create`, makes it first, mode 0700, and its entry in its parent durable. With
   * `readsBlock` files that are opened for reading are read by this thread itself: for one that has nothing else to do.
   */
  static async open(
    path: string,
    { create, readsBlock = false }: { create: boolean; readsBlock?: boolean },
  ): Promise<NodeStorage> {
    const directory = resolve(path);
    if (create && !(await makeDirectory(directory))) await syncEntry(directory);
    const descriptor = await Descriptor.open(directory, DIRECTORY_FLAGS);
    try {
      return new NodeStorage(await placeOf(directory, descriptor), descriptor, readsBlock);
    } catch (error) {
      await descriptor.close();
      throw error;
    }
  }

  get syncMode(): SyncMode {
    return this.#syncMode;
  }

  /**
   * Sets how groups are made durable in the files opened from now on; `auto` tries and takes the fastest. Until
   * then it is `fdatasync`. Throws IoError when the file system can't do it.
   */
  chooseSyncMode(mode: SyncMode | 'auto'): void {
    try {
      if (mode !== 'auto') requireSyncMode(mode, this.reach);
      this.#syncMode = mode === 'auto' ? fastestSyncMode(this.reach) : mode;
    } catch (error) {
      throw this.#named(error);
    }
  }

  async list(): Promise<string[]> {
    const names = await this.#reached(fs.promises.readdir(this.reach));
    if (names.length === 0 && (await this.#isRemoved()))
      throw Object.assign(new Error('the directory was removed'), { code: 'ENOENT' });
    return names;
  }

  /** Whether what is held open has no place any more: the system lists that as if it were empty. */
  async #isRemoved(): Promise<boolean> {
    if ((await this.#descriptor.stat()).nlink > 0) return false; // some file systems always say 0
    return (await fs.promises.readlink(this.reach).catch(() => '')).endsWith(' (deleted)');
  }

  async open(name: string, access: 'read' | 'write'): Promise<StorageFile> {
    const flags = (access === 'read' ? O_RDONLY : O_RDWR) | NO_FOLLOW | NO_WAIT;
    const file = await this.#reached(Descriptor.open(this.#path(name), flags));
    try {
      if (!(await file.stat()).isFile()) throw new Error(`${name} is not a regular file`);
    } catch (error) {
      await file.close();
      throw error;
    }
    return access === 'read' ? new NodeFile(file, this.#readsBlock) : this.#writable(name, file);
  }

  async create(name: string): Promise<StorageFile> {
    const flags = O_RDWR | O_CREAT | O_EXCL | NO_FOLLOW;
    return this.#writable(name, await this.#reached(Descriptor.open(this.#path(name), flags, 0o600)));
  }

  /** A file with a way for its groups; where that wants flags of its own, through a second descriptor. */
  async #writable(name: string, file: Descriptor): Promise<StorageFile> {
    const flags = groupFlags(this.#syncMode) ?? 0;
    let forGroups: Descriptor | undefined;
    try {
      if (flags !== 0)
        forGroups = await this.#reached(Descriptor.open(this.#path(name), O_RDWR | NO_FOLLOW | flags));
      const writes = groupWrites(this.#syncMode, (forGroups ?? file).fd, file.fd, this.#memory);
      return new NodeFile(file, false, writes, forGroups);
    } catch (error) {
      await forGroups?.close();
      await file.close();
      throw error;
    }
  }

  link(existing: string, name: string): Promise<void> {
    return this.#reached(fs.promises.link(this.#path(existing), this.#path(name)));
  }

  unlink(name: string): Promise<void> {
    return this.#reached(fs.promises.unlink(this.#path(name)));
  }

  syncDirectory(): Promise<void> {
    return this.#descriptor.sync();
  }

  close(): Promise<void> {
    return this.#descriptor.close();
  }

  #path(name: string): string {
    if (name.includes('/') || name.includes('\\') || name === '' || name === '..')
      throw new Error(`${name} is not a file name`);
    return join(this.reach, name);
  }

  async #reached<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw this.#named(error);
    }
  }

  /** The error, with the directory's path where the way to it was named: who reads it knows that one. */
  #named(error: unknown): unknown {
    if (error instanceof Error) error.message = error.message.replaceAll(this.reach, this.directory);
    return error;
  }
}

interface Place {
  readonly path: string;
  readonly reach: string;
  readonly id: string;
}

/**
 * Where an open directory is, and how it is reached: on Linux through its descriptor, whatever becomes of its path;
 * elsewhere, or without /proc, by its path without the links that are on it now.
 */
async function placeOf(directory: string, descriptor: Descriptor): Promise<Place> {
  const { dev, ino } = await descriptor.stat();
  const id = `${dev}:${ino}`;
  const reach = `/proc/self/fd/${descriptor.fd}`;
  try {
    return { path: await fs.promises.readlink(reach), reach, id };
  } catch {
    const path = await fs.promises.realpath(directory);
    return { path, reach: path, id };
  }
}

class NodeFile implements StorageFile {
  readonly #file: Descriptor;
  readonly #readsBlock: boolean;
  readonly #writes: GroupWrites | undefined;
  readonly #forGroups: Descriptor | undefined;

  constructor(file: Descriptor, readsBlock: boolean, writes?: GroupWrites, forGroups?: Descriptor) {
    this.#file = file;
    this.#readsBlock = readsBlock;
    this.#writes = writes;
    this.#forGroups = forGroups;
  }

  async size(): Promise<number> {
    return (await this.#file.stat()).size;
  }

  async links(): Promise<number> {
    return (await this.#file.stat()).nlink;
  }

  truncate(bytes: number): Promise<void> {
    return this.#file.truncate(bytes);
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let read = 0;
    while (read < into.length) {
      const bytes = this.#readsBlock
        ? this.#file.readBlocking(into, read, position + read)
        : await this.#file.read(into, read, position + read);
      if (bytes === 0) break;
      read += bytes;
    }
    return read;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const written = await this.#file.write(bytes, position);
    if (written !== bytes.length) throw shortWrite(this.#file.fd, written, bytes.length);
  }

  sync(): Promise<void> {
    return this.#file.datasync();
  }

  writeGroup(views: readonly Uint8Array[], position: number, willSync: boolean): void {
    this.#forWriting.write(views, position, willSync);
  }

  syncGroup(): void {
    this.#forWriting.sync();
  }

  async close(): Promise<void> {
    try {
      await this.#forGroups?.close();
    } finally {
      await this.#file.close();
    }
  }

  get #forWriting(): GroupWrites {
    if (this.#writes === undefined) throw new Error('the file was opened for reading');
    return this.#writes;
  }
}

/**
 * Makes the directory, mode 0700, and those on its path that are missing, each durably. Not by `mkdir` with `recursive`,
 * which tries for ever where the system says ENOENT of a name whose parent is there: /proc does, and an automounter.
 * Returns whether it was made here.
 */
async function makeDirectory(path: string): Promise<boolean> {
  const parent = dirname(path);
  try {
    await fs.promises.mkdir(path, { mode: 0o700 }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' || parent === path) throw error;
      await makeDirectory(parent);
      await fs.promises.mkdir(path, { mode: 0o700 });
    });
  } catch (error) {
    // Which error says that it is there differs: on a read-only file system, or of the root, it need not be EEXIST.
    const there = await fs.promises.stat(path).catch(() => undefined);
    if (there?.isDirectory()) return false;
    throw error;
  }
  await syncDirectory(parent);
  return true;
}

/**
 * Makes the entry of a directory that was there durable: who made it may have died, or failed, before it was. Not where its
 * parent can't be read, or has no syncs, as that of a mount point need not have.
 */
async function syncEntry(path: string): Promise<void> {
  await syncDirectory(dirname(path)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES' && error.code !== 'EINVAL') throw error;
  });
}

async function syncDirectory(path: string): Promise<void> {
  const parent = await Descriptor.open(path, DIRECTORY_FLAGS);
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}
