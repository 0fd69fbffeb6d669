/** masked-crc: the checksum that a record carries, as docs/FORMAT.md has it, made without the package. */
import { crc32 } from 'node:zlib';

export function maskedCrc(payload: Uint8Array | string): number {
  const sum = crc32(payload);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}
