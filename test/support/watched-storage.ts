/** watched-storage: a storage that counts the bytes read and lets something happen before each of its operations. */
import type { Storage, StorageFile } from '../../dist/src/storage/storage.js';

export class WatchedStorage implements Storage {
  readonly #inner: Storage;
  readonly #before: (operation: number) => Promise<void>;
  operations = 0;
  bytesRead = 0;

  /** `before` is awaited before each list, open, size and read, with their count so far. */
  constructor(inner: Storage, before: (operation: number) => Promise<void> = async () => {}) {
    this.#inner = inner;
    this.#before = before;
  }

  async list(): Promise<string[]> {
    await this.#before(this.operations++);
    return this.#inner.list();
  }

  async open(name: string, access: 'read' | 'write'): Promise<StorageFile> {
    await this.#before(this.operations++);
    const file = await this.#inner.open(name, access);
    return new Proxy(file, {
      get: (_, key) => {
        if (key === 'size') {
          return async () => {
            await this.#before(this.operations++);
            return file.size();
          };
        }
        if (key === 'read') {
          return async (into: Uint8Array, position: number) => {
            await this.#before(this.operations++);
            const read = await file.read(into, position);
            this.bytesRead += read;
            return read;
          };
        }
        const value: unknown = Reflect.get(file, key, file);
        return typeof value === 'function' ? value.bind(file) : value;
      },
    });
  }

  create(): Promise<StorageFile> {
    throw new Error('a reader creates nothing');
  }

  link(): Promise<void> {
    throw new Error('a reader links nothing');
  }

  unlink(): Promise<void> {
    throw new Error('a reader removes nothing');
  }

  syncDirectory(): Promise<void> {
    throw new Error('a reader syncs nothing');
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
