/**
 * group-writes: how a group gets from memory to stable storage: through the page cache and a sync, or past it.
 *
 *   buffered   `pwritev` of the ring memory as it lies, then the file system is told to make it durable
 *              (fdatasync, fsync, or nothing for `none`), or the write itself does (`dsync`, O_DSYNC).
 *   direct     O_DIRECT|O_DSYNC: one write of whole blocks from page-aligned memory. It is durable when it
 *              returns (O_DSYNC covers the metadata that the data needs), and nothing of it stays in the cache.
 *
 * Direct writes need whole, aligned blocks, and groups are packed: a write starts in the block where the last
 * one ended. So the bytes of that block are kept, and written again, unchanged, with what follows. That is what
 * the page cache does too when a part of a page is rewritten; `padGroups` avoids it in either case. What is left
 * of the last block is filled with zeros.
 *
 * Memory that O_DIRECT accepts must be page-aligned. The one kind that JavaScript can get is a shared
 * `WebAssembly.Memory`; a plain ArrayBuffer gives EINVAL. Groups are copied into it: 64 KiB take about 6 us of
 * the 150 us that their write takes.
 */
import * as fs from 'node:fs';

/** The part of it that is used here; the types of Node do not have it. */
declare const WebAssembly: {
  Memory: new (limits: {
    initial: number;
    maximum: number;
    shared: boolean;
  }) => { readonly buffer: SharedArrayBuffer };
};

export interface GroupWrites {
  /**
   * Writes the views one after the other from `position` on. `willSync` says that `sync` is called next: what can be
   * durable at once may be.
   */
  write(views: readonly Uint8Array[], position: number, willSync: boolean): void;
  /** Makes everything written durable. */
  sync(): void;
}

/** Linux takes at most 1024 buffers in one `pwritev` (IOV_MAX); libuv would split the call unseen. */
const MAX_VIEWS = 1024;

/** Unit of direct writes: the page size, which is a multiple of every disk's block in use. */
const BLOCK_BYTES = 4096;
const WASM_PAGE_BYTES = 65_536;

export class BufferedWrites implements GroupWrites {
  readonly #fd: number;
  readonly #sync: (fd: number) => void;

  constructor(fd: number, sync: (fd: number) => void) {
    this.#fd = fd;
    this.#sync = sync;
  }

  write(views: readonly Uint8Array[], position: number): void {
    let at = position;
    for (let from = 0; from < views.length; from += MAX_VIEWS) {
      const some = views.length > MAX_VIEWS ? views.slice(from, from + MAX_VIEWS) : views;
      at += writeAll(this.#fd, some, at);
    }
  }

  sync(): void {
    this.#sync(this.#fd);
  }
}

/**
 * Page-aligned memory that grows to the largest write; one for all files of a thread. Taken by the first one: each piece
 * reserves some 10 GiB of addresses, which who only reads must not ask for, and a system may not have.
 */
export class AlignedMemory {
  #bytes: Uint8Array = new Uint8Array();

  /** At least `bytes` long. What was in it before is undefined. */
  atLeast(bytes: number): Uint8Array {
    if (this.#bytes.length < bytes) this.#bytes = aligned(Math.max(bytes, 2 * this.#bytes.length));
    return this.#bytes;
  }
}

export class DirectWrites implements GroupWrites {
  readonly #fd: number;
  /** The same file through the page cache, for writes that nobody waits to be durable. */
  readonly #cached: BufferedWrites;
  #isCached = false;
  readonly #memory: AlignedMemory;
  /** The last one or two blocks written: a write may end with zeros that the next one begins before. */
  readonly #tail = new Uint8Array(2 * BLOCK_BYTES);
  #tailStart = 0;
  #tailEnd = 0;

  constructor(fd: number, cached: BufferedWrites, memory: AlignedMemory) {
    this.#fd = fd;
    this.#cached = cached;
    this.#memory = memory;
  }

  write(views: readonly Uint8Array[], position: number, willSync: boolean): void {
    const kept = position % BLOCK_BYTES;
    const start = position - kept;
    // Bytes that were not written through this object are not known here; segments begin at a block boundary.
    if (kept > 0 && (start < this.#tailStart || position > this.#tailEnd))
      throw new Error(`a direct write at ${position} follows none that ended there`);
    let bytes = kept;
    for (const view of views) bytes += view.length;
    const whole = Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
    const memory = this.#memory.atLeast(whole);
    if (kept > 0) memory.set(this.#tail.subarray(start - this.#tailStart, position - this.#tailStart));
    let at = kept;
    for (const view of views) {
      memory.set(view, at);
      at += view.length;
    }
    memory.fill(0, bytes, whole);
    const blocks = [memory.subarray(0, whole)];
    // The kernel writes cached pages back before a direct write to the same place, and drops them after it.
    if (willSync) writeAll(this.#fd, blocks, start);
    else this.#cached.write(blocks, start);
    this.#isCached ||= !willSync;
    const tail = Math.max(0, whole - this.#tail.length);
    this.#tail.set(memory.subarray(tail, bytes));
    this.#tailStart = start + tail;
    this.#tailEnd = start + bytes;
  }

  /** A direct write was durable when it returned; cached ones before it may not be. */
  sync(): void {
    if (!this.#isCached) return;
    this.#cached.sync();
    this.#isCached = false;
  }
}

/**
 * One `pwritev`; returns the bytes written. libuv retries short writes itself and, when a later part fails, returns
 * the short count and drops the errno. So a write that returns fewer bytes than asked *is* a failed write, whose
 * cause is unknown; it is never continued.
 */
function writeAll(fd: number, views: readonly Uint8Array[], position: number): number {
  let bytes = 0;
  for (const view of views) bytes += view.length;
  const written = fs.writevSync(fd, views as Uint8Array[], position);
  if (written !== bytes) throw shortWrite(fd, written, bytes);
  return bytes;
}

/**
 * The error of a write to `fd` that stored less than was asked. What is left of its cause is whether the file system has
 * room for the rest: nobody who is told of EIO looks for a full disk.
 */
export function shortWrite(fd: number, written: number, asked: number): Error {
  const isFull = roomFor(fd) < asked - written;
  const why = isFull
    ? 'the file system has no room for the rest'
    : 'its error was lost on the way: a quota or a limit that was reached, or a fault of the disk';
  return Object.assign(new Error(`write stored ${written} of ${asked} bytes; ${why}`), {
    code: isFull ? 'ENOSPC' : 'EIO',
  });
}

/** Free bytes of the file system that `fd` is on, as far as it can be told. */
function roomFor(fd: number): number {
  try {
    const { bavail, bsize } = fs.statfsSync(`/proc/self/fd/${fd}`);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function aligned(bytes: number): Uint8Array {
  const pages = Math.ceil(bytes / WASM_PAGE_BYTES);
  // Shared and of fixed size: only then is it never moved.
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  return new Uint8Array(memory.buffer);
}
