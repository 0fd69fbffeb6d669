/**
 * independent-reader: lists the records of a log directory's files, written from docs/FORMAT.md alone. It shares no
 * code with the package, and judges nothing: it stops at the first group that is not valid.
 */
import { crc32 } from 'node:zlib';

export interface ReadRecord {
  readonly lsn: bigint;
  readonly payload: string;
}

interface Segment {
  readonly bytes: Buffer;
  readonly seed: number;
  readonly groups: readonly Group[];
}

interface Group {
  readonly type: number;
  readonly firstLsn: bigint;
  readonly records: number;
  readonly end: number;
  readonly body: Buffer;
}

const up = (value: number, multiple: number): number => value + ((multiple - (value % multiple)) % multiple);

function headerAt(bytes: Buffer, at: number, seed: number): boolean {
  if (at + 64 > bytes.length || bytes.readUInt32LE(at) !== 0x52475752) return false;
  return crc32(bytes.subarray(at, at + 60), seed) === bytes.readUInt32LE(at + 60);
}

/** The valid groups of a segment, and whether each follows the one before. */
function groupsOf(bytes: Buffer, seed: number): Group[] {
  const groups: Group[] = [];
  let at = 4096;
  let previous: number | undefined;
  let nextLsn: bigint | undefined;
  for (;;) {
    const start = [at, up(at, 4096)].find((place) => headerAt(bytes, place, seed));
    if (start === undefined) return groups;
    const firstLsn = bytes.readBigUInt64LE(start + 8);
    const records = bytes.readUInt32LE(start + 32);
    const end = start + 64 + bytes.readUInt32LE(start + 36);
    if (previous !== undefined && bytes.readUInt32LE(start + 40) !== previous) return groups;
    if (nextLsn !== undefined && firstLsn !== nextLsn) return groups;
    const body = bytes.subarray(start + 64, end);
    if (end > bytes.length || crc32(body, seed) !== bytes.readUInt32LE(start + 44)) return groups;
    groups.push({ type: bytes.readUInt8(start + 4), firstLsn, records, end, body });
    previous = bytes.readUInt32LE(start + 60);
    nextLsn = firstLsn + BigInt(records);
    at = end;
  }
}

/** The records of the log whose `.wal` files are given by name. */
export function readIndependently(files: ReadonlyMap<string, Uint8Array>): ReadRecord[] {
  const segments = new Map<bigint, Segment>();
  for (const [name, content] of files) {
    if (!/^\d{20}\.wal$/.test(name)) continue;
    const bytes = Buffer.from(content);
    if (bytes.readUInt32LE(8) !== 1) throw new Error(`${name}: another version`);
    if (crc32(bytes.subarray(0, 4092)) !== bytes.readUInt32LE(4092)) throw new Error(`${name}: damaged`);
    const seed = crc32(bytes.subarray(32, 48));
    const groups = groupsOf(bytes, seed);
    if (groups[0]?.type === 2) segments.set(bytes.readBigUInt64LE(48), { bytes, seed, groups });
  }
  const newest = [...segments.keys()].sort((a, b) => (a < b ? -1 : 1)).at(-1);
  const records: ReadRecord[] = [];
  let mark = 0n;
  let end = Number.POSITIVE_INFINITY;
  for (let number = newest; number !== undefined && number !== 0n; ) {
    const segment = segments.get(number);
    if (segment === undefined) throw new Error(`segment ${number} is missing`);
    const own: ReadRecord[] = [];
    for (const group of segment.groups) {
      if (group.end > end) break;
      if (group.type === 4) mark = max(mark, group.body.readBigUInt64LE(0));
      if (group.type === 1) own.push(...recordsOf(group));
    }
    records.unshift(...own);
    const link = (segment.groups[0] as Group).body;
    mark = max(mark, link.readBigUInt64LE(40));
    if (link.readBigUInt64LE(24) < mark) break;
    number = link.readBigUInt64LE(16);
    end = link.readUInt32LE(32);
  }
  return records.filter(({ lsn }) => lsn >= mark);
}

function* recordsOf(group: Group): Generator<ReadRecord> {
  for (let i = 0, at = 0; i < group.records; i++) {
    const length = group.body.readUInt32LE(at);
    yield {
      lsn: group.firstLsn + BigInt(i),
      payload: group.body.toString('latin1', at + 8, at + 8 + length),
    };
    at = up(at + 8 + length, 8);
  }
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
