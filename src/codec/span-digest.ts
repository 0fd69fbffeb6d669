/**
 * span-digest: what the end of a span vouches for: that all before it in the large record, or in the transaction, is what was
 * appended, and is all.
 *
 * Each record is bound to its own place; but a reader that begins behind some of a span's records would not miss one that
 * was replaced by what it need not look at. And ids are given anew when a directory is put back, so records of two histories
 * could be joined in one span. So LAST and COMMIT are bound to the tags of all frames before them that have their id.
 */
import { createHash } from 'node:crypto';
import { TAG_BYTES } from './encryption.js';

/** Of a span without frames, and what a frame is bound to that ends none. */
export const EMPTY_SPAN: Uint8Array = new Uint8Array(0);

/** SHA-256 of the digest of the frames before it and of the tag of this one, whose stored form is given. */
export function spanDigest(before: Uint8Array, stored: Uint8Array): Uint8Array {
  const hash = createHash('sha256').update(before);
  return hash.update(stored.subarray(Math.max(0, stored.length - TAG_BYTES))).digest();
}
