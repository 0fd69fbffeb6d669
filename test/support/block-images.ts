/** block-images: the log of test/layers/native/block-log.c, and the block images that it allows after a power cut. */
import type { Prng } from './prng.js';

interface BlockWrite {
  readonly offset: number;
  readonly length: number;
  /** Undefined: zeros. */
  readonly data: Uint8Array | undefined;
}

const ENTRY_BYTES = 13;
const PIECE_BYTES = 4096;

export function parseBlockLog(log: Buffer, start: Uint8Array): BlockLog {
  const epochs: BlockWrite[][] = [[]];
  for (let at = 0; at + ENTRY_BYTES <= log.length; ) {
    const kind = String.fromCharCode(log[at] ?? 0);
    const offset = Number(log.readBigUInt64LE(at + 1));
    const length = log.readUInt32LE(at + 9);
    at += ENTRY_BYTES;
    if (kind === 'F') epochs.push([]);
    else if (kind === 'W' || kind === 'Z') {
      const data = kind === 'W' ? log.subarray(at, at + length) : undefined;
      epochs.at(-1)?.push({ offset, length, data });
      at += data?.length ?? 0;
    } else throw new Error(`block log: "${kind}" at ${at}`);
  }
  return new BlockLog(epochs, start);
}

/** Writes by the number of flushes before them. */
export class BlockLog {
  readonly #epochs: readonly (readonly BlockWrite[])[];
  readonly #base: Uint8Array;
  /** Made anew for each call: a buffer of that size is worth keeping. */
  readonly #image: Uint8Array;
  #applied = 0;

  constructor(epochs: readonly (readonly BlockWrite[])[], start: Uint8Array) {
    this.#epochs = epochs;
    this.#base = start.slice();
    this.#image = new Uint8Array(start.length);
  }

  get flushes(): number {
    return this.#epochs.length - 1;
  }

  /**
   * What the device may hold after `flush` flushes: all writes before the last of them, and of those after it about
   * such a share. To be asked with flushes that ascend; the next
   * call changes what this one returned.
   */
  image(flush: number, prng: Prng, share: number): Uint8Array {
    if (flush < this.#applied) throw new Error('block log: flushes must ascend');
    for (; this.#applied < flush; this.#applied++)
      for (const write of this.#epochs[this.#applied] ?? []) apply(this.#base, write, 0, write.length);
    const image = this.#image;
    image.set(this.#base);
    for (const write of this.#epochs[flush] ?? []) {
      const isWhole = share === 1 || (share > 0 && prng.chance(0.7));
      if (isWhole) {
        if (prng.chance(share) || share === 1) apply(image, write, 0, write.length);
        continue;
      }
      for (let from = 0; from < write.length; from += PIECE_BYTES)
        if (prng.chance(share)) apply(image, write, from, Math.min(write.length, from + PIECE_BYTES));
    }
    return image;
  }
}

function apply(image: Uint8Array, { offset, data }: BlockWrite, from: number, to: number): void {
  if (data === undefined) image.fill(0, offset + from, offset + to);
  else image.set(data.subarray(from, to), offset + from);
}
