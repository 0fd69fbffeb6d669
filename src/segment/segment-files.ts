/**
 * segment-files: reads the first block and the first group of every segment file of a directory, which is
 * all that is needed to see how the files hang together.
 */
import { CorruptError, IoError, UnsupportedVersionError } from '../errors.js';
import { checksum } from '../format/checksum.js';
import { decodeLink, LINK_BODY_BYTES, type LinkBody } from '../format/group-body.js';
import {
  decodeGroupHeader,
  GROUP_HEADER_BYTES,
  type GroupHeader,
  LINK,
  saltKey,
} from '../format/group-header.js';
import {
  BLOCK_BYTES,
  decodeSegmentHeader,
  isPreparedName,
  parseAsideName,
  parseSegmentName,
  type SegmentHeader,
  statedCut,
} from '../format/segment-header.js';
import type { Storage } from '../storage/storage.js';

/** One published segment file, as its first bytes describe it. */
export interface SegmentFile {
  readonly name: string;
  readonly number: number;
  readonly fileBytes: number;
  /** Undefined: the first block is damaged. */
  readonly header: SegmentHeader | undefined;
  /** With a damaged first block: what it says of a cut all the same; 0 or undefined: nothing. */
  readonly statedCut?: number;
  /** Undefined: no valid LINK; the segment was prepared and never used, or its first write was torn. */
  readonly link: { readonly header: GroupHeader; readonly body: LinkBody } | undefined;
  /** The highest epoch whose opening put the file aside, by giving it a second name; undefined: none did. */
  readonly asideEpoch: number | undefined;
}

export interface DirectoryContents {
  /** Published segments by number, lowest first. */
  readonly segments: readonly SegmentFile[];
  /** Names of files that were under preparation. */
  readonly prepared: readonly string[];
  /** Names of files that were put aside. */
  readonly aside: readonly string[];
}

/** Bytes read of each file. */
const HEAD_BYTES = BLOCK_BYTES + GROUP_HEADER_BYTES + LINK_BODY_BYTES;

/** Files looked at side by side: as many as the thread pool of a Node process has threads, and one to spare. */
const PARALLEL = 5;

/**
 * Throws IoError, UnsupportedVersionError, or CorruptError when a file is not what its name says; when
 * `isLenient`, such a file counts as one whose first block is damaged.
 */
export async function readDirectory(storage: Storage, isLenient = false): Promise<DirectoryContents> {
  const names = await storage.list().catch((cause: unknown) => {
    throw new IoError('Listing the log directory', cause);
  });
  const found: { name: string; number: number }[] = [];
  const aside = new Map<string, number>();
  for (const name of names) {
    const number = parseSegmentName(name);
    if (number !== undefined) found.push({ name, number });
    const put = parseAsideName(name);
    if (put) aside.set(put.segment, Math.max(put.epoch, aside.get(put.segment) ?? 0));
  }
  found.sort((a, b) => a.number - b.number);
  const segments: SegmentFile[] = [];
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const reader = async (): Promise<void> => {
    for (let i = next++; i < found.length; i = next++) {
      const { name, number } = found[i] as { name: string; number: number };
      try {
        const file = await readSegmentFile(storage, name, number, isLenient);
        segments[i] = { ...file, asideEpoch: aside.get(name) };
      } catch (error) {
        failure ??= { error }; // the first one is the cause that is told
        next = found.length; // the others begin no more files
      }
    }
  };
  // All have ended, and closed their files, before the caller closes the storage.
  await Promise.all(Array.from({ length: PARALLEL }, reader));
  if (failure !== undefined) throw failure.error;
  return {
    segments,
    prepared: names.filter(isPreparedName),
    aside: names.filter((name) => parseAsideName(name) !== undefined).sort(),
  };
}

/** One file's beginning. Throws as `readDirectory` does. */
export async function readSegmentFile(
  storage: Storage,
  name: string,
  number: number,
  isLenient = false,
): Promise<Omit<SegmentFile, 'asideEpoch'>> {
  const head = new Uint8Array(HEAD_BYTES);
  let fileBytes: number;
  let read: number;
  try {
    const file = await storage.open(name, 'read');
    try {
      fileBytes = await file.size();
      read = await file.read(head, 0);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new IoError(`Reading ${name}`, cause);
  }
  const verdict = decodeSegmentHeader(head.subarray(0, read));
  if (verdict.state === 'unsupported') {
    throw new UnsupportedVersionError(
      `${name} has format version ${verdict.version}, which this version of ringwal does not know. Open the log with the version that wrote it.`,
    );
  }
  const isMisnamed = verdict.state === 'valid' && verdict.header.number !== number;
  const damaged = { name, number, fileBytes, header: undefined, link: undefined };
  if (verdict.state === 'invalid') {
    const stated = statedCut(head.subarray(0, read));
    return stated > 0 ? { ...damaged, statedCut: stated } : damaged;
  }
  if (isMisnamed && isLenient) return damaged;
  const { header } = verdict;
  if (isMisnamed) {
    throw new CorruptError(
      `${name} says that it is segment ${header.number}: it was renamed or copied over another. No file was changed.`,
      { file: name, offset: 0 },
    );
  }
  return { name, number, fileBytes, header, link: read === HEAD_BYTES ? readLink(head, header) : undefined };
}

function readLink(head: Uint8Array, segment: SegmentHeader): SegmentFile['link'] {
  const key = saltKey(segment.salt);
  const view = new DataView(head.buffer);
  const header = decodeGroupHeader(head, view, BLOCK_BYTES, key);
  if (header === undefined || header.type !== LINK || header.bodyBytes !== LINK_BODY_BYTES) return undefined;
  const bytes = head.subarray(BLOCK_BYTES + GROUP_HEADER_BYTES);
  if (checksum(bytes, key.seed) !== header.bodyChecksum) return undefined;
  const body = decodeLink(bytes);
  return body && { header, body };
}
