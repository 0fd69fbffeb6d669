/**
 * written-file: a file whose blocks were written before, and which is written again from the start when its end is
 * reached: a sync of it finds no new length or block to make durable, only the bytes.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';

const FILE_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

export class WrittenFile {
  readonly #path: string;
  readonly #fd: number;
  #at = 0;

  /** `filling`: what it is written with at first. */
  constructor(path: string, filling: Uint8Array) {
    this.#path = path;
    this.#fd = openSync(path, 'w+');
    const chunk = Buffer.alloc(CHUNK_BYTES, filling);
    for (let at = 0; at < FILE_BYTES; at += chunk.length) writeSync(this.#fd, chunk, 0, chunk.length, at);
    fsyncSync(this.#fd);
  }

  /** Returns when `bytes` are durable. */
  write(bytes: Uint8Array): void {
    if (this.#at + bytes.length > FILE_BYTES) this.#at = 0;
    writeSync(this.#fd, bytes, 0, bytes.length, this.#at);
    fdatasyncSync(this.#fd);
    this.#at += bytes.length;
  }

  /** Leaves it as it is. */
  close(): void {
    closeSync(this.#fd);
  }

  remove(): void {
    this.close();
    unlinkSync(this.#path);
  }
}
