/**
 * cursor-slot: the bytes of one slot of a cursor's file, `<name>.cursor`: 512 of them, a sector.
 *
 *     0   8  magic "RWCURSOR"
 *     8  u32 format version, 1
 *    12  u32 bytes of the name
 *    16  16B log id
 *    32  u64 sequence: of the slots that verify, the one with the highest counts
 *    40  u64 position: the last LSN that the consumer is done with; 0: none
 *    48  64B name, then zeros
 *   112      zeros
 *   508  u32 CRC-32 of bytes 0..507
 *
 * The file has two slots, in blocks of their own, which are written in turn: whatever becomes of the one that is
 * being written, the other one stays.
 */
import { checksum } from './checksum.js';
import { getU64, setU64 } from './group-header.js';
import { BLOCK_BYTES } from './segment-header.js';

export const CURSOR_SLOT_BYTES = 512;
export const CURSOR_FILE_BYTES = 2 * BLOCK_BYTES;
export const MAX_CURSOR_NAME_BYTES = 64;

const VERSION = 1;
const MAGIC = new Uint8Array(Buffer.from('RWCURSOR', 'latin1'));
const VERSION_OFFSET = 8;
const NAME_BYTES_OFFSET = 12;
const LOG_ID_OFFSET = 16;
const SEQUENCE_OFFSET = 32;
const POSITION_OFFSET = 40;
const NAME_OFFSET = 48;
const CHECKSUM_OFFSET = CURSOR_SLOT_BYTES - 4;

export interface CursorSlot {
  readonly name: string;
  /** 16 bytes. */
  readonly logId: Uint8Array;
  readonly sequence: number;
  readonly position: number;
}

/** Where in the file the slot with this sequence number lies. */
export function cursorSlotOffset(sequence: number): number {
  return (sequence % 2) * BLOCK_BYTES;
}

export function encodeCursorSlot(slot: CursorSlot): Uint8Array {
  const bytes = new Uint8Array(CURSOR_SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  const name = Buffer.from(slot.name, 'latin1');
  bytes.set(MAGIC, 0);
  view.setUint32(VERSION_OFFSET, VERSION, true);
  view.setUint32(NAME_BYTES_OFFSET, name.length, true);
  bytes.set(slot.logId, LOG_ID_OFFSET);
  setU64(view, SEQUENCE_OFFSET, slot.sequence);
  setU64(view, POSITION_OFFSET, slot.position);
  bytes.set(name, NAME_OFFSET);
  view.setUint32(CHECKSUM_OFFSET, checksum(bytes.subarray(0, CHECKSUM_OFFSET), 0), true);
  return bytes;
}

/** Undefined when the bytes are no slot, or one of another format version. */
export function decodeCursorSlot(bytes: Uint8Array): CursorSlot | undefined {
  if (bytes.length < CURSOR_SLOT_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, CURSOR_SLOT_BYTES);
  if (view.getUint32(CHECKSUM_OFFSET, true) !== checksum(bytes.subarray(0, CHECKSUM_OFFSET), 0))
    return undefined;
  const nameBytes = view.getUint32(NAME_BYTES_OFFSET, true);
  if (view.getUint32(VERSION_OFFSET, true) !== VERSION || nameBytes > MAX_CURSOR_NAME_BYTES) return undefined;
  return {
    name: Buffer.from(bytes.subarray(NAME_OFFSET, NAME_OFFSET + nameBytes)).toString('latin1'),
    logId: bytes.slice(LOG_ID_OFFSET, LOG_ID_OFFSET + 16),
    sequence: getU64(view, SEQUENCE_OFFSET),
    position: getU64(view, POSITION_OFFSET),
  };
}

/** `<name>.cursor` */
export function cursorFileName(name: string): string {
  return `${name}.cursor`;
}

/** A cursor's file under preparation; whatever has this name is never a cursor. */
export function preparedCursorName(name: string): string {
  return `${name}.cursor.new`;
}

const CURSOR_FILE = /^([A-Za-z0-9._-]{1,64})\.cursor(\.new)?$/;

/** The cursor that a file name is for, and whether it is under preparation; undefined for other names. */
export function parseCursorFileName(file: string): { name: string; isPrepared: boolean } | undefined {
  const [, name, suffix] = CURSOR_FILE.exec(file) ?? [];
  return name === undefined ? undefined : { name, isPrepared: suffix !== undefined };
}

export function isCursorName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(name);
}
