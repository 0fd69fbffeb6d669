/**
 * descriptor: an open file or directory, by the callbacks of node:fs. Not a FileHandle of node:fs/promises: a thread that
 * ends while `open` is under way leaves its descriptor open for ever (measured on Node 20 and 24: 117 of 120), and with
 * it the space of a file that is removed. What `fs.open` opens on a worker is closed with the worker (its option
 * `trackUnmanagedFds`). As with a FileHandle, closing waits for what is under way, so that no call ever meets a descriptor
 * that has become another file's.
 */
import * as fs from 'node:fs';

/** Closes what nobody can close any more: the file of an iterator, say, that was left without its `return`. */
const forgotten = new FinalizationRegistry<number>((fd) => fs.close(fd));

type Done<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

export class Descriptor {
  readonly fd: number;
  #underWay = 0;
  #isClosed = false;
  #whenIdle: () => void = () => {};

  /** Throws what the system says. */
  static async open(path: string, flags: number, mode?: number): Promise<Descriptor> {
    return new Descriptor(await called<number>((done) => fs.open(path, flags, mode, done)));
  }

  private constructor(fd: number) {
    this.fd = fd;
    forgotten.register(this, fd, this);
  }

  stat(): Promise<fs.Stats> {
    return this.#call((done: Done<fs.Stats>) => fs.fstat(this.fd, done));
  }

  truncate(bytes: number): Promise<void> {
    return this.#call((done: Done<void>) => fs.ftruncate(this.fd, bytes, done));
  }

  /** Reads into `into` from `start` on, as much as one call gives; returns how many bytes. */
  read(into: Uint8Array, start: number, position: number): Promise<number> {
    return this.#call((done: Done<number>) =>
      fs.read(this.fd, into, start, into.length - start, position, done),
    );
  }

  /** The same, blocking this thread. */
  readBlocking(into: Uint8Array, start: number, position: number): number {
    this.#mustBeOpen();
    return fs.readSync(this.fd, into, start, into.length - start, position);
  }

  /** Returns how many bytes were written. */
  write(bytes: Uint8Array, position: number): Promise<number> {
    return this.#call((done: Done<number>) => fs.write(this.fd, bytes, 0, bytes.length, position, done));
  }

  sync(): Promise<void> {
    return this.#call((done: Done<void>) => fs.fsync(this.fd, done));
  }

  datasync(): Promise<void> {
    return this.#call((done: Done<void>) => fs.fdatasync(this.fd, done));
  }

  /** Once what is under way has ended. Nothing may be called any more, from now on. */
  async close(): Promise<void> {
    this.#mustBeOpen();
    this.#isClosed = true;
    forgotten.unregister(this);
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    await called<void>((done) => fs.close(this.fd, done));
  }

  async #call<T>(start: (done: Done<T>) => void): Promise<T> {
    this.#mustBeOpen();
    this.#underWay++;
    try {
      return await called(start);
    } finally {
      if (--this.#underWay === 0) this.#whenIdle();
    }
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new Error('the file was closed before');
  }
}

function called<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}
