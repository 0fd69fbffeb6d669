/** cursor-slots: reads where a cursor stands from its file: of its two slots, the newest that verifies. */
import {
  CURSOR_SLOT_BYTES,
  type CursorSlot,
  cursorSlotOffset,
  decodeCursorSlot,
} from '../format/cursor-slot.js';
import type { StorageFile } from '../storage/storage.js';

/** Undefined when neither verifies. Throws what the storage throws. */
export async function newestSlot(file: StorageFile): Promise<CursorSlot | undefined> {
  const slots = [await readSlot(file, 0), await readSlot(file, 1)].filter((slot) => slot !== undefined);
  return slots.sort((a, b) => a.sequence - b.sequence).at(-1);
}

async function readSlot(file: StorageFile, turn: number): Promise<CursorSlot | undefined> {
  const bytes = new Uint8Array(CURSOR_SLOT_BYTES);
  const read = await file.read(bytes, cursorSlotOffset(turn));
  return decodeCursorSlot(bytes.subarray(0, read));
}
