/**
 * sim-sector: 512 immutable bytes with a memoised content hash, the unit in which a simulated disk loses
 * data.
 *
 * File contents are arrays of references to sectors. Copying a file or deriving a crash state from it copies
 * references only, and a sector is hashed once however many states it is part of.
 */
import { Prng } from './prng.js';

export const SECTOR_BYTES = 512;
/**
 * The page of the page cache, and the physical block of the disks at hand (512 B logical, 4 KiB physical).
 */
export const PAGE_BYTES = 4096;
export const SECTORS_PER_PAGE = PAGE_BYTES / SECTOR_BYTES;

export class Sector {
  /** Exactly `SECTOR_BYTES` at a multiple of 4; never written to after construction. */
  readonly bytes: Uint8Array;
  #hashed = false;
  #low = 0;
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get low(): number {
    if (!this.#hashed) this.#hash();
    return this.#low;
  }

  get high(): number {
    if (!this.#hashed) this.#hash();
    return this.#high;
  }

  get isZero(): boolean {
    return this.low === 0 && this.high === 0;
  }

  /**
   * Two multiplicative lanes, as in cyrb53. Not two CRCs: over bytes of one length, CRCs that differ in the
   * seed alone differ by a constant, so the second would add nothing. Zeros hash to 0, as a hole does.
   */
  #hash(): void {
    const words = new Int32Array(this.bytes.buffer, this.bytes.byteOffset, SECTOR_BYTES / 4);
    let low = 0x2545f491;
    let high = 0x5f356495;
    let seen = 0;
    for (const word of words) {
      low = Math.imul(low ^ word, 0x9e3779b1);
      high = Math.imul(high ^ word, 0x5f356495);
      low ^= low >>> 15;
      high ^= high >>> 13;
      seen |= word;
    }
    this.#hashed = true;
    if (seen === 0) return;
    this.#low = low === 0 ? 1 : low;
    this.#high = high;
  }
}

/** What a hole reads as. Also tells "never written" apart from "zeros were written": compare by identity. */
export const ZERO_SECTOR = new Sector(new Uint8Array(SECTOR_BYTES));

/** Zeros that were written: new segments are full of them, so all share one. */
export const WRITTEN_ZEROS = new Sector(new Uint8Array(SECTOR_BYTES));

/** Whether a sector's bytes are all zeros. */
export function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZERO_SECTOR.bytes) === 0;
}

export function isSameSector(a: Sector, b: Sector): boolean {
  return a === b || (a.low === b.low && a.high === b.high);
}

/** The sector with everything from `length` on set to zero. */
export function cutSector(sector: Sector, length: number): Sector {
  if (sector === ZERO_SECTOR) return sector;
  const bytes = new Uint8Array(SECTOR_BYTES);
  bytes.set(sector.bytes.subarray(0, length));
  return new Sector(bytes);
}

const garbageSectors = new Map<number, Sector>();

/** Random bytes that depend on the position only, so that equal states stay equal. */
export function garbageSector(index: number): Sector {
  let garbage = garbageSectors.get(index);
  if (garbage === undefined) {
    garbage = new Sector(new Prng(0x6a7b + index).bytes(SECTOR_BYTES));
    garbageSectors.set(index, garbage);
  }
  return garbage;
}

/**
 * The sector after its rewrite from `old` to `next` was cut off and left `filler` behind. The bytes that the
 * rewrite would not have changed stay: that is the trust in the device which `padGroups` does without. A
 * sector that was never written has no such bytes.
 */
export function spoilSector(old: Sector, next: Sector, filler: Sector): Sector {
  if (old === ZERO_SECTOR) return filler;
  const bytes = old.bytes.slice();
  for (let i = 0; i < SECTOR_BYTES; i++) {
    if (next.bytes[i] !== old.bytes[i]) bytes[i] = filler.bytes[i] ?? 0;
  }
  return new Sector(bytes);
}
