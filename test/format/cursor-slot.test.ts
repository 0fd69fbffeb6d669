/** cursor-slot: a cursor's slot comes back as it was written, byte for byte as docs/FORMAT.md has it, or not at all. */
import { expect, it } from 'vitest';
import { checksum } from '../../dist/src/format/checksum.js';
import {
  CURSOR_FILE_BYTES,
  CURSOR_SLOT_BYTES,
  cursorFileName,
  cursorSlotOffset,
  decodeCursorSlot,
  encodeCursorSlot,
} from '../../dist/src/format/cursor-slot.js';

const LOG_ID = Uint8Array.from({ length: 16 }, (_, i) => 100 + i);
const SLOT = { name: 'backup', logId: LOG_ID, sequence: 2 ** 40 + 3, position: 2 ** 50 + 5 };

/** The slot with some of it changed, and its checksum put right again. */
function forged(change: (view: DataView) => void, slot = SLOT): Uint8Array {
  const bytes = encodeCursorSlot(slot);
  const view = new DataView(bytes.buffer);
  change(view);
  view.setUint32(508, checksum(bytes.subarray(0, 508), 0), true);
  return bytes;
}

it('is laid out as the format says', () => {
  const bytes = Buffer.from(encodeCursorSlot(SLOT));
  expect(bytes.length).toBe(512);
  expect(bytes.toString('latin1', 0, 8)).toBe('RWCURSOR');
  expect([bytes.readUInt32LE(8), bytes.readUInt32LE(12)]).toEqual([1, 6]);
  expect(bytes.subarray(16, 32)).toEqual(Buffer.from(LOG_ID));
  expect([bytes.readBigUInt64LE(32), bytes.readBigUInt64LE(40)]).toEqual([2n ** 40n + 3n, 2n ** 50n + 5n]);
  expect(bytes.toString('latin1', 48, 54)).toBe('backup');
  expect(bytes.subarray(54, 508).every((byte) => byte === 0)).toBe(true);
  expect(bytes.readUInt32LE(508)).toBe(checksum(bytes.subarray(0, 508), 0));
});

it('comes back as it was, also from the middle of a buffer and with the longest name', () => {
  expect(decodeCursorSlot(encodeCursorSlot(SLOT))).toEqual(SLOT);
  const long = { ...SLOT, name: 'n'.repeat(64) };
  const inside = Uint8Array.from([...new Uint8Array(24), ...encodeCursorSlot(long), ...new Uint8Array(8)]);
  expect(decodeCursorSlot(inside.subarray(24))).toEqual(long);
});

it('is none with any byte changed, or cut', () => {
  const bytes = encodeCursorSlot(SLOT);
  for (let at = 0; at < bytes.length; at++) {
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
    expect(decodeCursorSlot(bytes), `byte ${at}`).toBeUndefined();
    bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  }
  expect(decodeCursorSlot(bytes.subarray(0, CURSOR_SLOT_BYTES - 1))).toBeUndefined();
  expect(decodeCursorSlot(new Uint8Array(0))).toBeUndefined();
});

it('is none when its magic, its version or its name is not one of ours, though its checksum verifies', () => {
  expect(decodeCursorSlot(forged(() => {}))).toEqual(SLOT);
  expect(decodeCursorSlot(forged((view) => view.setUint8(7, 0x53)))).toBeUndefined();
  expect(decodeCursorSlot(forged((view) => view.setUint32(8, 2, true)))).toBeUndefined();
  expect(decodeCursorSlot(forged((view) => view.setUint32(8, 0, true)))).toBeUndefined();
  expect(decodeCursorSlot(forged((view) => view.setUint32(12, 64, true)))?.name.length).toBe(64);
  expect(decodeCursorSlot(forged((view) => view.setUint32(12, 65, true)))).toBeUndefined();
});

it('lies in one of two blocks in turn', () => {
  expect([0, 1, 2, 3, 2 ** 40 + 1].map(cursorSlotOffset)).toEqual([0, 4096, 0, 4096, 4096]);
  expect(CURSOR_FILE_BYTES).toBe(8192);
  expect(cursorFileName('backup')).toBe('backup.cursor');
});
