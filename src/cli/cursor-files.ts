/**
 * cursor-files: where the cursors of a log stand, read from their files, as docs/FORMAT.md describes them: `log.cursors()`
 * tells it only to who has the log open.
 */
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { CursorInfo } from '../index.js';

const SLOT_BYTES = 512;
const SLOTS_AT = [0, 4096];
const MAGIC = 'RWCURSOR';
const VERSION = 1;
const CHECKSUM_AT = SLOT_BYTES - 4;
/** Of the log id in a segment; in a slot it lies there too. */
const LOG_ID_AT = 16;
const LOG_ID_BYTES = 16;

interface LogAsKnown {
  readonly directory: string;
  /** Last LSN of the log; undefined: not known. */
  readonly lastLsn: number | undefined;
  /** File name of a segment of it. */
  readonly segment: string;
}

/**
 * The cursors by name. One without a position is damaged, or not of this log, and holds back all truncation. While the
 * log is open, a position may be older than that which its writer knows by now.
 */
export async function cursorsOf({
  directory,
  lastLsn = Infinity,
  segment,
}: LogAsKnown): Promise<CursorInfo[]> {
  const names = (await readdir(directory)).flatMap(
    (file) => /^([\w.-]{1,64})\.cursor$/.exec(file)?.[1] ?? [],
  );
  if (names.length === 0) return [];
  const logId = await bytesOf(join(directory, segment), LOG_ID_AT, LOG_ID_BYTES);
  const cursors: CursorInfo[] = [];
  for (const name of names.sort()) {
    const path = join(directory, `${name}.cursor`);
    const slots = await Promise.all(SLOTS_AT.map((at) => bytesOf(path, at, SLOT_BYTES)));
    const last = slots
      .flatMap((bytes) => slotOf(bytes) ?? [])
      .sort((a, b) => a.sequence - b.sequence)
      .at(-1);
    const isGood = last?.name === name && last.logId.equals(logId) && last.position <= lastLsn;
    cursors.push({ name, position: isGood ? last.position : undefined });
  }
  return cursors;
}

/** The first LSN that some cursor still needs; infinite when there is none. */
export function heldFrom(cursors: readonly CursorInfo[]): number {
  return Math.min(...cursors.map(({ position }) => (position === undefined ? 1 : position + 1)));
}

interface Slot {
  readonly name: string;
  readonly logId: Buffer;
  readonly sequence: number;
  readonly position: number;
}

/** Undefined when the bytes are none. */
function slotOf(bytes: Buffer): Slot | undefined {
  if (bytes.length < SLOT_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC) return undefined;
  if (
    bytes.readUInt32LE(8) !== VERSION ||
    bytes.readUInt32LE(CHECKSUM_AT) !== crc32(bytes.subarray(0, CHECKSUM_AT))
  )
    return undefined;
  return {
    name: bytes.toString('latin1', 48, 48 + bytes.readUInt32LE(12)),
    logId: bytes.subarray(LOG_ID_AT, LOG_ID_AT + LOG_ID_BYTES),
    sequence: Number(bytes.readBigUInt64LE(32)),
    position: Number(bytes.readBigUInt64LE(40)),
  };
}

/** Fewer where the file ends; none when it has gone or can't be read, which makes a cursor a damaged one. */
async function bytesOf(path: string, at: number, bytes: number): Promise<Buffer> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return Buffer.alloc(0);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, at);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
