/**
 * step-storage: a storage whose asynchronous operations wait until the test lets one of them happen: so it decides in
 * which order those of maintenance, cursors and readers take effect, and what happens in between.
 *
 * Operations that were asked for at the same time may take effect in any order: in reality a thread pool does them.
 * The two that block happen at once.
 */
import type { Storage, StorageFile } from '../../dist/src/storage/storage.js';

export class StepStorage implements Storage {
  readonly #storage: Storage;
  readonly #waiting: (() => void)[] = [];

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Operations that have not happened yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Has one of them happen, counted from the oldest. */
  finish(which: number): void {
    const [operation] = this.#waiting.splice(which % Math.max(1, this.#waiting.length), 1);
    operation?.();
  }

  list(): Promise<string[]> {
    return this.#later(() => this.#storage.list());
  }

  async open(name: string, access: 'read' | 'write'): Promise<StorageFile> {
    return this.#wrap(await this.#later(() => this.#storage.open(name, access)));
  }

  async create(name: string): Promise<StorageFile> {
    return this.#wrap(await this.#later(() => this.#storage.create(name)));
  }

  link(existing: string, name: string): Promise<void> {
    return this.#later(() => this.#storage.link(existing, name));
  }

  unlink(name: string): Promise<void> {
    return this.#later(() => this.#storage.unlink(name));
  }

  syncDirectory(): Promise<void> {
    return this.#later(() => this.#storage.syncDirectory());
  }

  /** The test closes the storage itself. */
  async close(): Promise<void> {}

  #later<T>(operation: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => operation().then(resolve, reject));
    });
  }

  #wrap(file: StorageFile): StorageFile {
    return {
      size: () => this.#later(() => file.size()),
      links: () => this.#later(() => file.links()),
      truncate: (bytes) => this.#later(() => file.truncate(bytes)),
      read: (into, position) => this.#later(() => file.read(into, position)),
      write: (bytes, position) => this.#later(() => file.write(bytes, position)),
      sync: () => this.#later(() => file.sync()),
      writeGroup: (views, position, willSync) => file.writeGroup(views, position, willSync),
      syncGroup: () => file.syncGroup(),
      close: () => this.#later(() => file.close()),
    };
  }
}
