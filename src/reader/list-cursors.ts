/** list-cursors: where the cursors of a log directory stand, told from their files. */
import type { CursorInfo } from '../control/cursor-info.js';
import { cursorFileName, parseCursorFileName } from '../format/cursor-slot.js';
import { sameBytes } from '../format/same-bytes.js';
import { newestSlot } from '../read/cursor-slots.js';
import { findNewest } from '../recovery/chain.js';
import { readDirectory } from '../segment/segment-files.js';
import type { Storage } from '../storage/storage.js';
import { listing } from './listing.js';

/**
 * The cursors of the log in `path`, by name, as their files say. While a writer has the log open it may know a newer
 * position of one. A position behind the log's end, which opening takes for damage, is told as it is. Takes no lock and
 * changes nothing.
 *
 * Rejects with RINGWAL_INVALID_ARGUMENT, RINGWAL_IO, RINGWAL_CORRUPT when the newest segment can't be told, and
 * RINGWAL_UNSUPPORTED_VERSION.
 */
export function listCursors(path: string): Promise<CursorInfo[]> {
  return listing(path, 'Listing the cursors', list);
}

async function list(storage: Storage): Promise<CursorInfo[]> {
  const names = (await storage.list()).flatMap((file) => {
    const { name, isPrepared = false } = parseCursorFileName(file) ?? {};
    return name === undefined || isPrepared ? [] : name;
  });
  if (names.length === 0) return [];
  const { segments } = await readDirectory(storage);
  const logId = findNewest(segments)?.header.logId;
  const cursors: CursorInfo[] = [];
  for (const name of names.sort()) cursors.push({ name, position: await positionOf(storage, name, logId) });
  return cursors;
}

/** Undefined when the file is damaged, of another log, or can't be read. */
async function positionOf(
  storage: Storage,
  name: string,
  logId: Uint8Array | undefined,
): Promise<number | undefined> {
  try {
    const file = await storage.open(cursorFileName(name), 'read');
    try {
      const slot = await newestSlot(file);
      const isOfLog = slot?.name === name && sameBytes(slot.logId, logId);
      return isOfLog ? slot.position : undefined;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
