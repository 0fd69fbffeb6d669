/**
 * sim-image: what is on a simulated disk at one instant, immutable and cheap to compare.
 *
 * A file that has two names is one `FileImage` under both; the hash covers names, sizes, contents and which
 * names share a file, and nothing that a program could not see after a reboot.
 */
import { cutSector, SECTOR_BYTES, type Sector, ZERO_SECTOR } from './sim-sector.js';

export class FileImage {
  readonly size: number;
  /** May be shorter than the size (the rest is a hole), never longer. */
  readonly sectors: readonly Sector[];
  #low: number | undefined;
  #high = 0;

  /** Takes over `sectors`; what lies behind `size` is dropped, as a file system does. */
  constructor(sectors: Sector[], size: number) {
    const count = Math.ceil(size / SECTOR_BYTES);
    if (sectors.length > count) sectors.length = count;
    const rest = size % SECTOR_BYTES;
    const last = sectors[count - 1];
    if (rest !== 0 && last !== undefined) sectors[count - 1] = cutSector(last, rest);
    this.size = size;
    this.sectors = sectors;
  }

  get low(): number {
    if (this.#low === undefined) this.#hash();
    return this.#low ?? 0;
  }

  get high(): number {
    if (this.#low === undefined) this.#hash();
    return this.#high;
  }

  /** The content as one array, for tests that look at bytes. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.size);
    this.sectors.forEach((sector, index) => {
      const position = index * SECTOR_BYTES;
      bytes.set(sector.bytes.subarray(0, Math.min(SECTOR_BYTES, this.size - position)), position);
    });
    return bytes;
  }

  #hash(): void {
    let low = Math.imul(this.size | 0, 0x27d4eb2f) ^ Math.floor(this.size / 2 ** 32);
    let high = Math.imul(this.size | 0, 0x165667b1) ^ Math.floor(this.size / 2 ** 32);
    const { sectors } = this;
    for (let i = 0; i < sectors.length; i++) {
      const sector = sectors[i] ?? ZERO_SECTOR;
      if (sector === ZERO_SECTOR || sector.isZero) continue; // a hole and written zeros read alike
      low = (low + mix(sector.low ^ Math.imul(i + 1, 0x9e3779b1))) | 0;
      high = (high + mix(sector.high ^ Math.imul(i + 1, 0x85ebca6b))) | 0;
    }
    this.#low = low;
    this.#high = high;
  }
}

export class Image {
  readonly files: ReadonlyMap<string, FileImage>;
  #hash: number | undefined;

  constructor(files: ReadonlyMap<string, FileImage>) {
    this.files = files;
  }

  static readonly empty: Image = new Image(new Map());

  /** 53 bits; among 2 million states two collide with a probability of 1 in 4500. */
  get hash(): number {
    this.#hash ??= this.#compute();
    return this.#hash;
  }

  #compute(): number {
    const namesOf = new Map<FileImage, { low: number; high: number }>();
    for (const [name, file] of this.files) {
      const own = nameHash(name);
      const sum = namesOf.get(file);
      if (sum === undefined) namesOf.set(file, { low: own.low, high: own.high });
      else {
        sum.low = (sum.low + own.low) | 0;
        sum.high = (sum.high + own.high) | 0;
      }
    }
    let low = 0;
    let high = 0;
    for (const [file, names] of namesOf) {
      low = (low + mix(mix(names.low) ^ file.low)) | 0;
      high = (high + mix(mix(names.high) ^ file.high)) | 0;
    }
    return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
  }
}

/** Spreads every input bit over the output (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}

const nameHashes = new Map<string, { low: number; high: number }>();

/** Names repeat in every image of a run, so each is hashed once. */
export function nameHash(name: string): { readonly low: number; readonly high: number } {
  let hash = nameHashes.get(name);
  if (hash === undefined) {
    hash = { low: 0x811c9dc5, high: 0x2545f491 };
    for (let i = 0; i < name.length; i++) {
      hash.low = Math.imul(hash.low ^ name.charCodeAt(i), 0x01000193);
      hash.high = Math.imul(hash.high ^ name.charCodeAt(i), 0x5f356495);
    }
    hash.low = mix(hash.low);
    hash.high = mix(hash.high);
    nameHashes.set(name, hash);
  }
  return hash;
}
