/**
 * checksum: the one door to CRC-32 (the IEEE polynomial of zlib, gzip and PNG), unsigned.
 *
 * Two implementations of the same function, picked by size: `crc-32` has no call overhead, `zlib.crc32` is
 * vectorised. Measured on Node 20: 16 B 13 / 45 ns, 128 B 84 / 128 ns, 1 KiB 628 / 322 ns, 64 KiB 40 / 12 us.
 */
import { crc32 } from 'node:zlib';
import CRC32 from 'crc-32';

/** Where the two implementations cost the same, in bytes. */
const NATIVE_FROM_BYTES = 256;

/**
 * The checksum that a record carries of its payload: its CRC-32, rotated and added to, as LevelDB masks its own. It lies
 * inside of a group, which has a CRC too, and to that the bare one would make all records of a length alike: a CRC over
 * some content and its CRC comes to the same whatever the content is. A sector that a disk put into the wrong place
 * brought records under other LSNs in that way, and the group verified.
 */
export function recordChecksum(payload: Uint8Array): number {
  return maskedChecksum(checksum(payload, 0));
}

/** The same, of a payload whose CRC-32 is `sum`. */
export function maskedChecksum(sum: number): number {
  return (((sum >>> 15) | (sum << 17)) + 0xa282_ead8) >>> 0;
}

/** CRC-32 of `bytes`, continuing from `seed` (the checksum of what comes before them; 0 = nothing). */
export function checksum(bytes: Uint8Array, seed: number): number {
  if (bytes.length >= NATIVE_FROM_BYTES) return crc32(bytes, seed);
  return CRC32.buf(bytes, seed) >>> 0; // crc-32 returns a signed integer
}
