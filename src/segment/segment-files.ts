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
  parseSegmentName,
  type SegmentHeader,
} from '../format/segment-header.js';
import type { Storage } from '../storage/storage.js';

/** One published segment file, as its first bytes describe it. */
export interface SegmentFile {
  readonly name: string;
  readonly number: number;
  readonly fileBytes: number;
  /** Undefined: the first block is damaged. */
  readonly header: SegmentHeader | undefined;
  /** Undefined: no valid LINK; the segment was prepared and never used, or its first write was torn. */
  readonly link: { readonly header: GroupHeader; readonly body: LinkBody } | undefined;
}

export interface DirectoryContents {
  /** Published segments by number, lowest first. */
  readonly segments: readonly SegmentFile[];
  /** Names of files that were under preparation. */
  readonly prepared: readonly string[];
}

/** Bytes read of each file. */
const HEAD_BYTES = BLOCK_BYTES + GROUP_HEADER_BYTES + LINK_BODY_BYTES;

/** Files looked at side by side: as many as the thread pool of a Node process has threads, and one to spare. */
const PARALLEL = 5;

/** Throws IoError, UnsupportedVersionError, or CorruptError when a file is not what its name says. */
export async function readDirectory(storage: Storage): Promise<DirectoryContents> {
  const names = await storage.list().catch((cause: unknown) => {
    throw new IoError('Listing the log directory', cause);
  });
  const found: { name: string; number: number }[] = [];
  for (const name of names) {
    const number = parseSegmentName(name);
    if (number !== undefined) found.push({ name, number });
  }
  found.sort((a, b) => a.number - b.number);
  const segments: SegmentFile[] = new Array(found.length);
  let next = 0;
  const reader = async (): Promise<void> => {
    for (let i = next++; i < found.length; i = next++) {
      const { name, number } = found[i] as { name: string; number: number };
      segments[i] = await readSegmentFile(storage, name, number);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, reader));
  return { segments, prepared: names.filter(isPreparedName) };
}

/** One file's beginning. Throws as `readDirectory` does. */
export async function readSegmentFile(storage: Storage, name: string, number: number): Promise<SegmentFile> {
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
  if (verdict.state === 'invalid') return { name, number, fileBytes, header: undefined, link: undefined };
  const { header } = verdict;
  if (header.number !== number) {
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
