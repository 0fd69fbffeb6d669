/**
 * make-room: what an opening gives up for its own segment on a disk that has no room for that: files that hold nothing, and
 * the zeros in its first part. A log that has filled its disk could else not be opened to be truncated, and the room that
 * it lacks may be in its own spare.
 */
import { BLOCK_BYTES } from '../format/segment-header.js';
import { FIRST_FILL_BYTES } from '../segment/prepare.js';
import type { SegmentFile } from '../segment/segment-files.js';
import { inTurn } from '../storage/directory-turns.js';
import type { Storage } from '../storage/storage.js';
import type { FoundLog } from './find-log.js';

/**
 * Spares that were never used. None before the newest segment, and none that a SEAL may name: without its successor a
 * sealed segment is no end of a log. Where damage is accepted, it can't be told that nothing was in them.
 */
export function unusedSpares({ newest, scan, leftovers, damage }: FoundLog): readonly SegmentFile[] {
  if (scan.seal !== undefined || damage.length > 0) return [];
  return leftovers.filter(
    ({ number, header, link, asideEpoch }) =>
      number > newest.number && header !== undefined && link === undefined && asideEpoch === undefined,
  );
}

/** How a segment is to be laid out. */
export interface Filling {
  /** How many bytes are filled with zeros. */
  readonly fillBytes: number;
  /** Files that hold nothing and are there. */
  readonly spent: readonly string[];
}

/**
 * Runs `make`, which lays out a segment; when there is no room for it, again without the files `spent`, and then with the
 * least that it can do with. What `make` leaves behind when it fails has the name `own`. Throws the first error, whatever
 * follows it: that is the cause.
 */
export async function withRoom<T>(
  storage: Storage,
  own: string,
  spent: readonly string[],
  make: (filling: Filling) => Promise<T>,
): Promise<T> {
  const tries: readonly (Filling & { readonly without: readonly string[] })[] = [
    { without: [], fillBytes: FIRST_FILL_BYTES, spent },
    { without: [...new Set([...spent, own])], fillBytes: FIRST_FILL_BYTES, spent: [] },
    { without: [own], fillBytes: BLOCK_BYTES, spent: [] },
  ];
  const errors: unknown[] = [];
  for (const { without, ...filling } of tries) {
    try {
      if (without.length > 0) await removeFiles(storage, without);
      return await make(filling);
    } catch (error) {
      errors.push(error);
      if (!isForRoom(error)) break;
    }
  }
  throw errors[0];
}

function isForRoom(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** Removes those that are there, durably. */
function removeFiles(storage: Storage, names: readonly string[]): Promise<void> {
  return inTurn(storage, async () => {
    for (const name of names) {
      await storage.unlink(name).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
    await storage.syncDirectory();
  });
}
