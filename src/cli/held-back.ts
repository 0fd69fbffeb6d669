/** held-back: where the cursors of a log stand, and what truncation leaves to them. */
import { type CursorInfo, listCursors } from '../index.js';

/**
 * The cursors by name. One without a position is damaged, or behind the log's end (`lastLsn`, where that is known), and
 * holds back all truncation.
 */
export async function cursorsOf(
  directory: string,
  lastLsn = Number.POSITIVE_INFINITY,
): Promise<CursorInfo[]> {
  const cursors = await listCursors(directory);
  return cursors.map(({ name, position = Number.POSITIVE_INFINITY }) => ({
    name,
    position: position <= lastLsn && position < Number.POSITIVE_INFINITY ? position : undefined,
  }));
}

/** The first LSN that some cursor still needs; infinite when there is none. */
export function heldFrom(cursors: readonly CursorInfo[]): number {
  return Math.min(...cursors.map(({ position }) => (position === undefined ? 1 : position + 1)));
}
