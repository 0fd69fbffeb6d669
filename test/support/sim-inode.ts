/**
 * sim-inode: one simulated file apart from its names: what a program reads (live), what a power cut leaves
 * for sure (durable), and everything in between that it may leave instead.
 */
import { FileImage } from './sim-image.js';
import { cutSector, isZero, SECTOR_BYTES, Sector, WRITTEN_ZEROS, ZERO_SECTOR } from './sim-sector.js';

/** A value that something had from an operation on, until the next version. */
export interface Version<T> {
  readonly value: T;
  readonly operation: number;
}

/**
 * The versions in the eyes of the next process: its own operations count from 1, earlier ones lie below 0.
 */
export function fromBefore<T>({ value, operation }: Version<T>): Version<T> {
  return { value, operation: operation - 2 ** 31 };
}

/**
 * What a failed sync leaves (M7). 'lost': the cache keeps the new bytes as clean ones, the disk has the old
 * ones, and the next sync succeeds without writing them (ext4). 'partial': the same, but any of the sectors
 * may have reached the disk. 'revert': the cache itself goes back to the old bytes (btrfs).
 */
export type FailedSync = 'lost' | 'partial' | 'revert';

export class Inode {
  readonly id: number;
  live: Sector[] = [];
  liveSize = 0;
  durable: Sector[] = [];
  durableSize = 0;
  /** Per sector, the contents it has had since the last sync, oldest first. */
  readonly pending = new Map<number, Version<Sector>[]>();
  readonly pendingSizes: Version<number>[] = [];
  /** Contents that a failed sync may have written, and that no later sync will, short of a new write. */
  readonly doubtful = new Map<number, Version<Sector>[]>();
  /**
   * Highest end of a group write, and the highest one that was synced: below it nothing may be overwritten.
   */
  groupEnd = 0;
  protectedEnd = 0;

  constructor(id: number) {
    this.id = id;
  }

  static fromImage(id: number, image: FileImage): Inode {
    const inode = new Inode(id);
    inode.live = image.sectors.slice();
    inode.durable = image.sectors.slice();
    inode.liveSize = image.size;
    inode.durableSize = image.size;
    return inode;
  }

  /** A copy for the next process. */
  clone(): Inode {
    const copy = new Inode(this.id);
    copy.live = this.live.slice();
    copy.durable = this.durable.slice();
    copy.liveSize = this.liveSize;
    copy.durableSize = this.durableSize;
    for (const [index, versions] of this.pending) copy.pending.set(index, versions.map(fromBefore));
    for (const [index, versions] of this.doubtful) copy.doubtful.set(index, versions.map(fromBefore));
    copy.pendingSizes.push(...this.pendingSizes.map(fromBefore));
    copy.groupEnd = this.groupEnd;
    copy.protectedEnd = this.protectedEnd;
    return copy;
  }

  read(into: Uint8Array, position: number): number {
    const end = Math.min(position + into.length, this.liveSize);
    for (let at = position; at < end; ) {
      const index = Math.floor(at / SECTOR_BYTES);
      const from = at % SECTOR_BYTES;
      const length = Math.min(SECTOR_BYTES - from, end - at);
      const sector = this.live[index] ?? ZERO_SECTOR;
      into.set(sector.bytes.subarray(from, from + length), at - position);
      at += length;
    }
    return Math.max(0, end - position);
  }

  /** Puts a copy of `bytes` into the cache; a write changes each sector once. */
  write(bytes: Uint8Array, position: number, operation: number): void {
    if (bytes.length === 0) return;
    const end = position + bytes.length;
    for (let at = position; at < end; ) {
      const index = Math.floor(at / SECTOR_BYTES);
      const from = at % SECTOR_BYTES;
      const to = Math.min(SECTOR_BYTES, from + end - at);
      const part = bytes.subarray(at - position, at - position + to - from);
      this.#put(
        index,
        from === 0 && isZero(part) ? WRITTEN_ZEROS : this.#written(index, part, from),
        operation,
      );
      at += part.length;
    }
    if (end > this.liveSize) this.#resize(end, operation);
  }

  truncate(size: number, operation: number): void {
    if (size < this.liveSize) {
      const rest = size % SECTOR_BYTES;
      const kept = Math.ceil(size / SECTOR_BYTES);
      const straddling = this.live[kept - 1];
      if (rest !== 0 && straddling !== undefined) this.#put(kept - 1, cutSector(straddling, rest), operation);
      for (let i = kept; i < this.live.length; i++) {
        if (this.live[i] !== ZERO_SECTOR) this.#put(i, ZERO_SECTOR, operation);
      }
    }
    if (size !== this.liveSize) this.#resize(size, operation);
  }

  /** Content and size become durable (M5); names do not (M4). */
  sync(): void {
    for (const index of this.pending.keys()) {
      setSector(this.durable, index, this.live[index] ?? ZERO_SECTOR);
      this.doubtful.delete(index);
    }
    this.pending.clear();
    this.durableSize = this.liveSize;
    this.pendingSizes.length = 0;
    this.protectedEnd = Math.max(this.protectedEnd, this.groupEnd);
  }

  /**
   * A sync that reported an error. The size stays pending: it is journaled apart from the data, so a later
   * sync may well make a size durable whose bytes were lost.
   */
  failSync(mode: FailedSync): void {
    for (const [index, versions] of this.pending) {
      if (mode === 'revert') setSector(this.live, index, this.durable[index] ?? ZERO_SECTOR);
      if (mode === 'partial') this.doubtful.set(index, [...(this.doubtful.get(index) ?? []), ...versions]);
    }
    this.pending.clear();
  }

  liveImage(): FileImage {
    return new FileImage(this.live.slice(), this.liveSize);
  }

  #written(index: number, part: Uint8Array, from: number): Sector {
    const sector = new Uint8Array(SECTOR_BYTES);
    const old = this.live[index];
    if (old !== undefined && part.length < SECTOR_BYTES) sector.set(old.bytes);
    sector.set(part, from);
    return new Sector(sector);
  }

  #put(index: number, sector: Sector, operation: number): void {
    setSector(this.live, index, sector);
    const version = { value: sector, operation };
    const versions = this.pending.get(index);
    if (versions === undefined) this.pending.set(index, [version]);
    else versions.push(version);
  }

  #resize(size: number, operation: number): void {
    this.liveSize = size;
    this.pendingSizes.push({ value: size, operation });
  }
}

/** Assigns without leaving an empty slot before it: V8 is slow on arrays with holes. */
function setSector(sectors: Sector[], index: number, sector: Sector): void {
  while (sectors.length < index) sectors.push(ZERO_SECTOR);
  sectors[index] = sector;
}
