/**
 * sources: which files of a directory are segments of the damaged log, in which order, and how far each counts.
 *
 * The log's order is that of the segment numbers, and what a later segment holds from its first LSN on is what
 * counts: recovery may have logged the last groups of the one before again, or ended it before damage; a segment that
 * made a cut says in its header from which LSN on nothing before it counts. A segment
 * whose first block is damaged is read with the salt that its neighbours' LINK or SEAL state, or with what stands
 * in the place of the salt: with a wrong one, nothing in it verifies.
 */
import { checksum } from '../format/checksum.js';
import {
  decodeLink,
  decodeSeal,
  LINK_BODY_BYTES,
  type LinkBody,
  MAX_SEAL_BODY_BYTES,
} from '../format/group-body.js';
import {
  decodeGroupHeader,
  GROUP_HEADER_BYTES,
  LINK,
  type SaltKey,
  SEAL,
  saltKey,
} from '../format/group-header.js';
import { sameBytes } from '../format/same-bytes.js';
import {
  BLOCK_BYTES,
  decodeSegmentHeader,
  parseAsideName,
  parseSegmentName,
  type SegmentHeader,
  statedCut,
} from '../format/segment-header.js';
import { cutOffFrom } from '../recovery/cut-off.js';
import { headersIn } from '../recovery/evidence.js';
import type { Storage } from '../storage/storage.js';
import { Finding } from './report.js';
import { TolerantFile } from './tolerant-file.js';

/** A LINK, and the header checksum of the group that it follows. */
export type SourceLink = LinkBody & { readonly previousChecksum: number };

/** A file that holds groups of the log. */
export interface Source {
  readonly name: string;
  readonly number: number;
  readonly salt: Uint8Array;
  /** Undefined: the first block is damaged. */
  readonly header: SegmentHeader | undefined;
  readonly link: SourceLink | undefined;
  readonly fileBytes: number;
  /** LSN of the first group that verifies. */
  readonly firstLsn: number;
  /** Records at or above this LSN are in later segments, or were cut off. */
  readonly lsnLimit: number;
  /** Bytes of it that belong to the log, by the LINK of the next segment; undefined: nothing says it. */
  readonly statedEnd: number | undefined;
  /** Where in the segment before it that lies of which the first groups are a copy; undefined: not known. */
  readonly originals: Originals | undefined;
  /** Whether an opening ended the log inside it or before it, so that what is behind damage in it no longer counts. */
  readonly isEnded: boolean;
  readonly finding: Finding;
}

/** The groups that an opening found behind the place which it could prove durable, and logged again in a new segment. */
export interface Originals {
  readonly name: string;
  readonly salt: Uint8Array;
  /** They follow the group that ends here. */
  readonly from: { readonly offset: number; readonly nextLsn: number; readonly lastChecksum: number };
  readonly lsnLimit: number;
  readonly finding: Finding;
}

export interface Sources {
  readonly sources: readonly Source[];
  /** Files without a group that verifies, with what is known of them. */
  readonly others: readonly Candidate[];
  readonly findings: Finding[];
  /** LINKs to segments of which there is no file. */
  readonly missing: readonly LinkBody[];
}

/** A file of the directory that is or was a segment. */
export interface Candidate {
  readonly name: string;
  readonly number: number;
  readonly fileBytes: number;
  readonly header: SegmentHeader | undefined;
  readonly isEnded: boolean;
  readonly finding: Finding;
}

interface Read extends Candidate {
  isEnded: boolean;
  /** Epochs of openings that put it aside. */
  readonly endedBy: readonly number[];
  link: SourceLink | undefined;
  salt: Uint8Array | undefined;
  /** As in SegmentFile. */
  readonly statedCut: number;
  /** What stands in the place of the salt. */
  readonly rawSalt: Uint8Array;
  firstLsn: number;
}

/** Reads the beginnings of all files. `beforeEpoch` is as in SalvageOptions. Throws when the directory can't be listed. */
export async function findSources(storage: Storage, beforeEpoch: number): Promise<Sources> {
  const findings: Finding[] = [];
  const read: Read[] = [];
  for (const { name, number, endedBy } of candidates(await storage.list(), beforeEpoch)) {
    const finding = new Finding(name, 'sound');
    findings.push(finding);
    const file = await readHead(storage, name, number, endedBy, finding);
    if (file !== undefined && (file.header?.epoch ?? 0) < beforeEpoch) read.push(file);
    else if (file !== undefined) findings.pop();
  }
  const own = ofOneLog(withOwnNumbers(read));
  for (const file of own) file.isEnded = file.endedBy.some((epoch) => hasSucceeded(epoch, file, own));
  for (const file of own) await findSalt(storage, file, own);
  const used = own.filter(({ firstLsn }) => firstLsn > 0);
  const limitOf = cutOffFrom(own);
  let firstBehind = Number.POSITIVE_INFINITY;
  const sources: Source[] = [];
  for (const file of used.toReversed()) {
    const { link } = used.findLast((other) => names(other.link, file)) ?? {};
    const lsnLimit = Math.min(firstBehind, limitOf(file.number));
    const originals = originalsOf(file, used, limitOf, lsnLimit);
    const salt = file.salt as Uint8Array;
    sources.push({ ...file, salt, lsnLimit, statedEnd: link?.predecessorEnd, originals });
    firstBehind = Math.min(firstBehind, file.firstLsn);
  }
  sources.reverse();
  const others = own.filter(({ firstLsn }) => firstLsn === 0);
  for (const { finding, header } of others) finding.state = header === undefined ? 'unreadable' : 'unused';
  const missing = used.flatMap(({ link }) => {
    return link && !own.some(({ number }) => number === link.predecessorNumber) ? [link] : [];
  });
  return { sources, others, findings, missing };
}

/** One file for each segment number: of the log as it is, or as it was before the opening number `beforeEpoch`. */
function candidates(names: readonly string[], beforeEpoch: number) {
  const found = new Map<number, { name: string; number: number; endedBy: number[]; epoch: number }>();
  const add = (name: string, segment: string, epoch: number): void => {
    const number = parseSegmentName(segment);
    if (number === undefined || epoch >= (found.get(number)?.epoch ?? Number.POSITIVE_INFINITY)) return;
    found.set(number, { name, number, endedBy: [], epoch });
  };
  for (const name of names) {
    const aside = parseAsideName(name);
    if (aside !== undefined && aside.epoch >= beforeEpoch) add(name, aside.segment, aside.epoch);
  }
  for (const name of names)
    if (parseSegmentName(name) !== undefined) add(name, name, Number.MAX_SAFE_INTEGER);
  for (const name of names) {
    const aside = parseAsideName(name);
    const file = found.get(parseSegmentName(aside?.segment ?? '') ?? 0);
    if (aside !== undefined && file !== undefined && aside.epoch < beforeEpoch)
      file.endedBy.push(aside.epoch);
  }
  return [...found.values()].sort((a, b) => a.number - b.number);
}

async function readHead(
  storage: Storage,
  name: string,
  number: number,
  endedBy: readonly number[],
  finding: Finding,
): Promise<Read | undefined> {
  let file: TolerantFile;
  try {
    file = await TolerantFile.open(storage, name);
  } catch (error) {
    finding.state = 'unreadable';
    finding.damagedAt(0, error instanceof Error ? error.message : String(error));
    return { name, number, fileBytes: 0, header: undefined, endedBy, finding, ...NOTHING };
  }
  try {
    const head = new Uint8Array(BLOCK_BYTES + GROUP_HEADER_BYTES);
    const length = await file.read(head, 0);
    const verdict = decodeSegmentHeader(head.subarray(0, length));
    const stated = verdict.state === 'invalid' ? statedCut(head.subarray(0, length)) : 0;
    const header = verdict.state === 'valid' ? verdict.header : undefined;
    if (verdict.state === 'unsupported') finding.damagedAt(8, `format version ${verdict.version}`);
    else if (header === undefined) finding.damagedAt(0, 'the first block does not verify');
    else if (header.number !== number)
      finding.damagedAt(48, `it is segment ${header.number} under another name`);
    const link = header && (await readLink(file, saltKey(header.salt)));
    const base = { name, number, fileBytes: file.bytes, header, endedBy, isEnded: false, finding };
    return { ...base, link, salt: header?.salt, rawSalt: head.slice(32, 48), firstLsn: 0, statedCut: stated };
  } finally {
    await file.close();
  }
}

const NOTHING = {
  isEnded: false,
  link: undefined,
  salt: undefined,
  rawSalt: new Uint8Array(16),
  firstLsn: 0,
  statedCut: 0,
};

async function readLink(file: TolerantFile, key: SaltKey): Promise<SourceLink | undefined> {
  const bytes = new Uint8Array(GROUP_HEADER_BYTES + LINK_BODY_BYTES);
  if ((await file.read(bytes, BLOCK_BYTES)) < bytes.length) return undefined;
  const header = decodeGroupHeader(bytes, new DataView(bytes.buffer), 0, key);
  if (header === undefined || header.type !== LINK || header.bodyBytes !== LINK_BODY_BYTES) return undefined;
  const body = bytes.subarray(GROUP_HEADER_BYTES);
  const link = checksum(body, key.seed) === header.bodyChecksum ? decodeLink(body) : undefined;
  return link && { ...link, previousChecksum: header.previousChecksum };
}

/** Files by the numbers in their headers, which are under a checksum; a second one of a number does not count. */
function withOwnNumbers(files: readonly Read[]): Read[] {
  const byNumber = new Map<number, Read>();
  const isOwn = ({ header, number }: Read): boolean => header?.number === number;
  const sorted = [...files].sort((a, b) => Number(isOwn(b)) - Number(isOwn(a)));
  for (const file of sorted) {
    const number = file.header?.number ?? file.number;
    if (!byNumber.has(number)) byNumber.set(number, { ...file, number });
    else file.finding.state = 'superseded';
  }
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

/**
 * Whether the opening of that epoch has ended the log before or in `file`. It puts files aside before it begins a segment,
 * and can fail in between; so that segment must be there, or one that may have been it.
 */
function hasSucceeded(epoch: number, file: Read, all: readonly Read[]): boolean {
  return all.some(({ number, header, endedBy }) => {
    return number > file.number && !endedBy.includes(epoch) && (header?.epoch ?? epoch) >= epoch;
  });
}

/** Those of the log to which most files belong. */
function ofOneLog(files: readonly Read[]): Read[] {
  const id = ({ header }: Read): string => (header ? Buffer.from(header.logId).toString('hex') : '');
  const counts = new Map<string, number>();
  for (const file of files) if (id(file) !== '') counts.set(id(file), (counts.get(id(file)) ?? 0) + 1);
  const [[own] = ['']] = [...counts].sort(([, a], [, b]) => b - a);
  return files.filter((file) => {
    const isOwn = id(file) === '' || id(file) === own;
    if (!isOwn) file.finding.state = 'foreign';
    return isOwn;
  });
}

function names(link: LinkBody | undefined, file: Read): boolean {
  return link?.predecessorNumber === file.number && sameBytes(link.predecessorSalt, file.salt);
}

/**
 * All groups that follow on one another behind the place to which a LINK leads have been logged again behind it, up to
 * where that segment says that records were cut off: with its header damaged, nothing says that.
 */
function originalsOf(
  { header, link }: Read,
  all: readonly Read[],
  limitOf: (number: number) => number,
  lsnLimit: number,
): Originals | undefined {
  const file = all.find((one) => names(link, one));
  if (header === undefined || link === undefined || file?.salt === undefined) return undefined;
  const { name, number, salt, finding } = file;
  const { predecessorEnd: offset, predecessorLastLsn, previousChecksum: lastChecksum } = link;
  const from = { offset, nextLsn: predecessorLastLsn + 1, lastChecksum };
  return { name, salt, from, lsnLimit: Math.min(lsnLimit, limitOf(number)), finding };
}

/** Finds the salt under which something in `file` verifies, and the first LSN that does. */
async function findSalt(storage: Storage, file: Read, all: readonly Read[]): Promise<void> {
  if (file.finding.state === 'unreadable') return;
  const salts: Uint8Array[] = file.header ? [file.header.salt] : [];
  if (file.header === undefined) {
    for (const { link } of all) {
      if (link?.predecessorNumber === file.number && link.predecessorSalt) salts.push(link.predecessorSalt);
    }
    salts.push(file.rawSalt);
    const before = all.findLast(({ number, salt }) => number < file.number && salt !== undefined);
    const sealed = before && (await sealedSalt(storage, before, file.number));
    if (sealed) salts.push(sealed);
  }
  const opened = await TolerantFile.open(storage, file.name);
  try {
    for (const salt of salts) {
      const key = saltKey(salt);
      for await (const { header } of headersIn(opened, key, BLOCK_BYTES, opened.bytes)) {
        if (!Number.isSafeInteger(header.firstLsn) || header.firstLsn < 1) continue;
        file.salt = salt;
        file.firstLsn = header.firstLsn;
        file.link ??= await readLink(opened, key);
        return;
      }
    }
  } finally {
    await opened.close();
  }
}

/** The salt that the SEAL of `before` states for segment `number`. */
async function sealedSalt(storage: Storage, before: Read, number: number): Promise<Uint8Array | undefined> {
  const file = await TolerantFile.open(storage, before.name);
  try {
    const key = saltKey(before.salt as Uint8Array);
    for await (const { offset, header } of headersIn(file, key, BLOCK_BYTES, file.bytes)) {
      if (header.type !== SEAL || header.bodyBytes > MAX_SEAL_BODY_BYTES) continue;
      const start = offset + GROUP_HEADER_BYTES;
      const body = await file.view(start, start + header.bodyBytes);
      const seal = checksum(body, key.seed) === header.bodyChecksum ? decodeSeal(body) : undefined;
      if (seal?.successorNumber === number) return seal.successorSalt;
    }
    return undefined;
  } finally {
    await file.close();
  }
}
