/**
 * node-storage: Storage on a real directory. The only file that imports node:fs.
 *
 * libuv retries short writes itself and, when a later part fails, returns the short count and drops the errno.
 * So a write that returns fewer bytes than asked *is* a failed write, whose cause is unknown; it is never
 * continued.
 */
import * as fs from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Storage, StorageFile } from './storage.js';

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
    return new NodeFile(handle);
  }

  async create(name: string): Promise<StorageFile> {
    return new NodeFile(await open(this.#path(name), O_RDWR | O_CREAT | O_EXCL | NO_FOLLOW, 0o600));
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

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
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

  writeGroup(views: readonly Uint8Array[], position: number): void {
    let from = 0;
    let at = position;
    while (from < views.length) {
      const some =
        views.length - from > MAX_VIEWS
          ? views.slice(from, from + MAX_VIEWS)
          : from === 0
            ? views
            : views.slice(from);
      let bytes = 0;
      for (const view of some) bytes += view.length;
      const written = fs.writevSync(this.#handle.fd, some as Uint8Array[], at);
      if (written !== bytes) throw shortWrite(written, bytes);
      from += some.length;
      at += bytes;
    }
  }

  syncGroup(): void {
    fs.fdatasyncSync(this.#handle.fd);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Linux takes at most 1024 buffers in one `pwritev` (IOV_MAX); libuv would split the call unseen. */
const MAX_VIEWS = 1024;

function shortWrite(written: number, asked: number): Error {
  return Object.assign(
    new Error(`write stored ${written} of ${asked} bytes; its error was lost on the way`),
    { code: 'EIO' },
  );
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, DIRECTORY_FLAGS);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
