/**
 * group-body: the bodies of the three groups that carry no records: LINK, SEAL and MARK.
 *
 * LINK, a segment's first group, 64 bytes: how the chain goes back.
 *    0 16B  predecessor's salt (zeros: the log begins here)
 *   16 u64  predecessor's segment number (0: none)
 *   24 u64  predecessor's last LSN
 *   32 u32  predecessor's valid end: bytes of it that belong to the log
 *   36 u32  offset of the predecessor's SEAL (0: it has none, the writer died)
 *   40 u64  truncation mark: records below this LSN are no longer part of the log
 *   48 u64  open LSN: the least LSN at which a large record or a transaction may begin that ends in this segment
 *           or a later one; 0: none
 *   56 u64  LSN of the last checkpoint before this segment; 0: none
 *
 * SEAL, a segment's last group, 32 bytes and 16 for each index entry: how the chain goes on.
 *    0 16B  successor's salt
 *   16 u64  successor's segment number
 *   24 u32  index entries
 *   28 u32  reserved, 0
 *   32      entries: u64 first LSN of a DATA group, u32 its offset, u32 how many LSNs before it the oldest large
 *           record or transaction begins that is open there (0: none is; 2^32 - 1: that many, or more)
 *
 * MARK, 16 bytes: evidence, written when the log goes idle, is truncated, or closes.
 *    0 u64  truncation mark
 *    8 u32  flags: 1 CLEAN, the log was closed here
 *   12 u32  reserved, 0
 */
import { getU64, setU64 } from './group-header.js';

export const LINK_BODY_BYTES = 64;
export const MARK_BODY_BYTES = 16;
const SEAL_FIXED_BYTES = 32;
const INDEX_ENTRY_BYTES = 16;

/** Most index entries a SEAL holds: one for about every 256 KiB of a 64 MiB segment. */
export const MAX_INDEX_ENTRIES = 256;

/** Largest SEAL body. */
export const MAX_SEAL_BODY_BYTES = SEAL_FIXED_BYTES + MAX_INDEX_ENTRIES * INDEX_ENTRY_BYTES;

export const MARK_CLEAN = 1;

export interface LinkBody {
  /** 16 bytes; undefined when the log begins here. */
  predecessorSalt: Uint8Array | undefined;
  predecessorNumber: number;
  predecessorLastLsn: number;
  predecessorEnd: number;
  predecessorSealOffset: number;
  truncatedBefore: number;
  /** 0: none. */
  openLsn: number;
  /** 0: none. */
  checkpointLsn: number;
}

/** One entry of a segment's sparse index: the DATA group at `offset` begins with `firstLsn`. */
export interface IndexEntry {
  firstLsn: number;
  offset: number;
  /** How many LSNs before `firstLsn` the oldest span begins that is open there; 0: none is. */
  openBack: number;
}

/** The largest `openBack`: so many, or more. */
export const MAX_OPEN_BACK = 0xffff_ffff;

export interface SealBody {
  successorSalt: Uint8Array;
  successorNumber: number;
  index: readonly IndexEntry[];
}

export interface MarkBody {
  truncatedBefore: number;
  clean: boolean;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function encodeLink(link: LinkBody): Uint8Array {
  const bytes = new Uint8Array(LINK_BODY_BYTES);
  const view = viewOf(bytes);
  if (link.predecessorSalt !== undefined) bytes.set(link.predecessorSalt, 0);
  setU64(view, 16, link.predecessorNumber);
  setU64(view, 24, link.predecessorLastLsn);
  view.setUint32(32, link.predecessorEnd, true);
  view.setUint32(36, link.predecessorSealOffset, true);
  setU64(view, 40, link.truncatedBefore);
  setU64(view, 48, link.openLsn);
  setU64(view, 56, link.checkpointLsn);
  return bytes;
}

/**
 * Decodes a body whose checksum was verified; undefined when it is shorter than a LINK, or holds a number that no log
 * comes to.
 */
export function decodeLink(bytes: Uint8Array): LinkBody | undefined {
  if (bytes.length < LINK_BODY_BYTES) return undefined;
  const view = viewOf(bytes);
  const predecessorNumber = getU64(view, 16);
  const predecessorLastLsn = getU64(view, 24);
  const truncatedBefore = getU64(view, 40);
  const openLsn = getU64(view, 48);
  const checkpointLsn = getU64(view, 56);
  if (!areSafe(predecessorNumber, predecessorLastLsn, truncatedBefore, openLsn, checkpointLsn))
    return undefined;
  return {
    predecessorSalt: predecessorNumber === 0 ? undefined : bytes.slice(0, 16),
    predecessorNumber,
    predecessorLastLsn,
    predecessorEnd: view.getUint32(32, true),
    predecessorSealOffset: view.getUint32(36, true),
    truncatedBefore,
    openLsn,
    checkpointLsn,
  };
}

export function encodeSeal(seal: SealBody): Uint8Array {
  const bytes = new Uint8Array(SEAL_FIXED_BYTES + seal.index.length * INDEX_ENTRY_BYTES);
  const view = viewOf(bytes);
  bytes.set(seal.successorSalt, 0);
  setU64(view, 16, seal.successorNumber);
  view.setUint32(24, seal.index.length, true);
  for (const [i, entry] of seal.index.entries()) {
    const at = SEAL_FIXED_BYTES + i * INDEX_ENTRY_BYTES;
    setU64(view, at, entry.firstLsn);
    view.setUint32(at + 8, entry.offset, true);
    view.setUint32(at + 12, entry.openBack, true);
  }
  return bytes;
}

/**
 * Decodes a body whose checksum was verified; undefined when its length and its entry count disagree, or it holds a
 * number that no log comes to.
 */
export function decodeSeal(bytes: Uint8Array): SealBody | undefined {
  if (bytes.length < SEAL_FIXED_BYTES) return undefined;
  const view = viewOf(bytes);
  const entries = view.getUint32(24, true);
  if (bytes.length !== SEAL_FIXED_BYTES + entries * INDEX_ENTRY_BYTES) return undefined;
  const successorNumber = getU64(view, 16);
  if (!areSafe(successorNumber)) return undefined;
  const index: IndexEntry[] = [];
  for (let i = 0; i < entries; i++) {
    const at = SEAL_FIXED_BYTES + i * INDEX_ENTRY_BYTES;
    const firstLsn = getU64(view, at);
    if (!areSafe(firstLsn)) return undefined;
    index.push({
      firstLsn,
      offset: view.getUint32(at + 8, true),
      openBack: view.getUint32(at + 12, true),
    });
  }
  return { successorSalt: bytes.slice(0, 16), successorNumber, index };
}

export function encodeMark(mark: MarkBody): Uint8Array {
  const bytes = new Uint8Array(MARK_BODY_BYTES);
  const view = viewOf(bytes);
  setU64(view, 0, mark.truncatedBefore);
  view.setUint32(8, mark.clean ? MARK_CLEAN : 0, true);
  return bytes;
}

/** Decodes a body whose checksum was verified; undefined when it is shorter than a MARK, or its mark is none. */
export function decodeMark(bytes: Uint8Array): MarkBody | undefined {
  if (bytes.length < MARK_BODY_BYTES) return undefined;
  const view = viewOf(bytes);
  const truncatedBefore = getU64(view, 0);
  if (!areSafe(truncatedBefore)) return undefined;
  return { truncatedBefore, clean: (view.getUint32(8, true) & MARK_CLEAN) !== 0 };
}

/** Whether the numbers read are the ones written: `getU64` is not exact above 2^53 - 1. */
function areSafe(...numbers: readonly number[]): boolean {
  return numbers.every(Number.isSafeInteger);
}
