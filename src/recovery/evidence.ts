/**
 * evidence: searches the bytes behind the place where a scan stopped for headers that verify.
 *
 * Lengths inside a damaged place can't be trusted, so every multiple of 8 is tried. A payload can't forge a
 * header: it would have to contain the segment's random salt and a checksum seeded with it.
 */
import {
  decodeGroupHeader,
  GROUP_ALIGNMENT,
  GROUP_HEADER_BYTES,
  GROUP_MAGIC,
  type SaltKey,
} from '../format/group-header.js';
import type { StorageFile } from '../storage/storage.js';

export interface Evidence {
  /** Whether a header was found that proves the bytes at the place to have been durable. */
  readonly proofBehind: boolean;
  /** First LSN of the first group header found behind the place, for the error's text. */
  readonly firstGoodLsnAfter: number | undefined;
  /** Highest durable LSN that any of the headers found states. */
  readonly durableLsn: number;
}

const WINDOW_BYTES = 1024 * 1024;

/** Searches the bytes from `place` up to `fileBytes`. */
export async function searchBehind(
  file: StorageFile,
  key: SaltKey,
  place: number,
  fileBytes: number,
): Promise<Evidence> {
  const window = new Uint8Array(Math.min(WINDOW_BYTES, Math.max(0, fileBytes - place)) + GROUP_HEADER_BYTES);
  const view = new DataView(window.buffer);
  let proofBehind = false;
  let firstGoodLsnAfter: number | undefined;
  let durableLsn = 0;
  for (let start = place; start + GROUP_HEADER_BYTES <= fileBytes; start += WINDOW_BYTES) {
    const read = await file.read(window.subarray(0, Math.min(window.length, fileBytes - start)), start);
    for (let at = 0; at + GROUP_HEADER_BYTES <= read && at < WINDOW_BYTES; at += GROUP_ALIGNMENT) {
      if (view.getUint32(at, true) !== GROUP_MAGIC) continue;
      const header = decodeGroupHeader(window, view, at, key);
      if (header === undefined) continue;
      // At the place itself only the header is good.
      if (start + at > place) firstGoodLsnAfter ??= header.firstLsn;
      durableLsn = Math.max(durableLsn, header.durableLsn);
      if (header.durableEnd > place) proofBehind = true;
    }
  }
  return { proofBehind, firstGoodLsnAfter, durableLsn };
}
