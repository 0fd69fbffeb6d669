/**
 * keys: keys inside the store: strings with one character per byte.
 *
 * JavaScript compares, hashes and keeps strings well and byte arrays not at all. Latin-1 maps every byte to one
 * character and back, so `<` on these strings is the order of the bytes.
 */
import type { Bytes } from 'ringwal/operations';

export function keyOf(bytes: Bytes): string {
  const buffer =
    typeof bytes === 'string'
      ? Buffer.from(bytes)
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1');
}

export function keyBytes(key: string): Buffer {
  return Buffer.from(key, 'latin1');
}

/** Index of the first of the sorted `keys` that is not less than `key`; their number if all are. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
