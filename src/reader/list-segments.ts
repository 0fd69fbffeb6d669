/** list-segments: the segments of a log directory, told from the first bytes of each file. */
import { sameBytes } from '../format/same-bytes.js';
import { findNewest } from '../recovery/chain.js';
import { readDirectory } from '../segment/segment-files.js';
import type { Storage } from '../storage/storage.js';
import { listing } from './listing.js';

/** One segment of a log, as far as its first bytes and those of the segment behind it tell. */
export interface SegmentListing {
  /** Segments are numbered from 1, and never a number twice. */
  readonly number: number;
  /** File name in the log directory. */
  readonly file: string;
  /** How many times the log had been opened for writing when it was made. */
  readonly epoch: number;
  /** LSN of its first record, or of the log's next one if it holds none. */
  readonly firstLsn: number;
  /** LSN of its last record, `firstLsn - 1` if it holds none; undefined for the newest, whose end is found by a scan only. */
  readonly lastLsn: number | undefined;
  /** Size that it was laid out for: option `segmentBytes` of who made it. */
  readonly segmentBytes: number;
  /** Size of the file: cut to what is in it when the log was closed. */
  readonly fileBytes: number;
  /** Bytes of it that belong to the log; undefined for the newest. */
  readonly bytes: number | undefined;
  /** Whether a segment follows it: nothing is written to it any more. */
  readonly isClosed: boolean;
  /** Whether its writer left it in order, with an index. False for one that its writer died with, and for the newest. */
  readonly isSealed: boolean;
  /** Microseconds since 1970, by the writer's clock. */
  readonly createdUs: number;
}

/**
 * The segments of the log in `path`, oldest first, from 4 KiB of each file: nothing is scanned, so nothing behind
 * those bytes is verified, and files that a truncation has freed since the newest segment was begun may be among
 * them. Takes no lock and changes nothing.
 *
 * Rejects with RINGWAL_INVALID_ARGUMENT, RINGWAL_IO, RINGWAL_CORRUPT when the newest segment can't be told, and
 * RINGWAL_UNSUPPORTED_VERSION.
 */
export function listSegments(path: string): Promise<SegmentListing[]> {
  return listing(path, 'Listing the segments', list);
}

async function list(storage: Storage): Promise<SegmentListing[]> {
  const { segments } = await readDirectory(storage);
  const found: SegmentListing[] = [];
  let segment = findNewest(segments);
  let successor: typeof segment;
  let needed = segment?.link.body.truncatedBefore ?? 0;
  while (segment !== undefined) {
    const { header, link } = segment;
    const behind = successor?.link.body;
    found.push({
      number: segment.number,
      file: segment.name,
      epoch: header.epoch,
      firstLsn: link.header.firstLsn,
      lastLsn: behind?.predecessorLastLsn,
      segmentBytes: header.segmentBytes,
      fileBytes: segment.fileBytes,
      bytes: behind?.predecessorEnd,
      isClosed: behind !== undefined,
      isSealed: (behind?.predecessorSealOffset ?? 0) > 0,
      createdUs: header.createdUs,
    });
    const { predecessorNumber, predecessorSalt, predecessorLastLsn, openLsn } = link.body;
    if (openLsn > 0) needed = Math.min(needed, openLsn);
    if (predecessorLastLsn < needed) break;
    const before = segments.find(({ number }) => number === predecessorNumber && number < header.number);
    successor = segment;
    // Truncation may have freed it, and its file may be gone or reused.
    const isThere = before?.header !== undefined && before.link !== undefined;
    segment =
      isThere && sameBytes(before.header.salt, predecessorSalt)
        ? { ...before, header: before.header, link: before.link }
        : undefined;
  }
  return found.reverse();
}
