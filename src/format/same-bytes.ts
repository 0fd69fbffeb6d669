/** same-bytes: whether two ids, or two salts, are the same. */

/** Both have 16 bytes; one that is not there is the same as none. */
export function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && a.every((byte, i) => byte === b[i]);
}
