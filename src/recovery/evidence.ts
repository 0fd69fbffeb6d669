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
  type GroupHeader,
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
  /** Headers found, one at the place itself included. */
  readonly headers: number;
}

/** A group header that verifies, and where it lies. */
export interface FoundHeader {
  readonly offset: number;
  readonly header: GroupHeader;
}

const WINDOW_BYTES = 1024 * 1024;
const zeros = new Uint8Array(WINDOW_BYTES);

/** The headers that verify under `key`, at any multiple of 8 behind `from`, in the bytes from there to `to`. */
export async function* headersIn(
  file: Pick<StorageFile, 'read'>,
  key: SaltKey,
  from: number,
  to: number,
): AsyncGenerator<FoundHeader, void, void> {
  const window = new Uint8Array(Math.min(WINDOW_BYTES, Math.max(0, to - from)) + GROUP_HEADER_BYTES);
  const view = new DataView(window.buffer);
  for (let start = from; start + GROUP_HEADER_BYTES <= to; start += WINDOW_BYTES) {
    const read = await file.read(window.subarray(0, Math.min(window.length, to - start)), start);
    for (let at = 0; at + GROUP_HEADER_BYTES <= read && at < WINDOW_BYTES; at += GROUP_ALIGNMENT) {
      if (view.getUint32(at, true) !== GROUP_MAGIC) continue;
      const header = decodeGroupHeader(window, view, at, key);
      if (header !== undefined) yield { offset: start + at, header };
    }
  }
}

/** Searches the bytes from `place` up to `fileBytes`. */
export async function searchBehind(
  file: StorageFile,
  key: SaltKey,
  place: number,
  fileBytes: number,
): Promise<Evidence> {
  let proofBehind = false;
  let firstGoodLsnAfter: number | undefined;
  let durableLsn = 0;
  let headers = 0;
  for await (const { offset, header } of headersIn(file, key, place, fileBytes)) {
    headers++;
    // At the place itself only the header is good.
    if (offset > place) firstGoodLsnAfter ??= header.firstLsn;
    durableLsn = Math.max(durableLsn, header.durableLsn);
    if (header.durableEnd > place) proofBehind = true;
  }
  return { proofBehind, firstGoodLsnAfter, durableLsn, headers };
}

/** Bytes from `place` to the last one of the file that is not zero. */
export async function bytesBehind(file: StorageFile, place: number): Promise<number> {
  const size = await file.size();
  const window = new Uint8Array(Math.min(WINDOW_BYTES, Math.max(0, size - place)));
  for (let end = size; end > place; ) {
    const start = Math.max(place, end - WINDOW_BYTES);
    const bytes = window.subarray(0, await file.read(window.subarray(0, end - start), start));
    // Most of it is zeros: comparing is much faster than looking at each byte.
    if (Buffer.compare(bytes, zeros.subarray(0, bytes.length)) !== 0) {
      let last = bytes.length;
      while (bytes[last - 1] === 0) last--;
      return start + last - place;
    }
    end = start;
  }
  return 0;
}
