/**
 * direct-file: as written-file, past the page cache: O_DIRECT|O_DSYNC, one call a write, from page-aligned memory, in whole
 * blocks. That memory is a shared WebAssembly.Memory: no other that JavaScript can get is aligned.
 */
import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { WrittenFile } from './written-file.js';

const { O_DIRECT, O_DSYNC, O_WRONLY } = constants as Partial<Record<string, number>>;
const BLOCK_BYTES = 4096;
const PAGE_BYTES = 65_536;
const MOST_BYTES = 32 * 1024 * 1024;
const FILE_BYTES = 64 * 1024 * 1024;

export const hasDirectWrites = O_DIRECT !== undefined && O_DSYNC !== undefined;

export class DirectFile {
  readonly #path: string;
  readonly #fd: number;
  readonly #memory: Uint8Array;
  #at = 0;

  /** `filling`: what it is written with at first, and then always. Throws where the file system has no direct writes. */
  constructor(path: string, filling: Uint8Array) {
    const file = new WrittenFile(path, filling);
    file.close();
    this.#path = path;
    this.#fd = openSync(path, (O_WRONLY ?? 1) | (O_DIRECT ?? 0) | (O_DSYNC ?? 0));
    const pages = MOST_BYTES / PAGE_BYTES;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.#memory = new Uint8Array(memory.buffer);
    for (let at = 0; at + filling.length <= MOST_BYTES; at += filling.length) this.#memory.set(filling, at);
  }

  /** Returns when so many bytes, and what is missing to a whole block, are durable. */
  write(bytes: number): void {
    const whole = Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
    if (whole > MOST_BYTES) throw new Error(`at most ${MOST_BYTES} bytes are written at a time`);
    if (this.#at + whole > FILE_BYTES) this.#at = 0;
    writeSync(this.#fd, this.#memory, 0, whole, this.#at);
    this.#at += whole;
  }

  remove(): void {
    closeSync(this.#fd);
    unlinkSync(this.#path);
  }
}
