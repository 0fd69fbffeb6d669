/** disk-use: what the files of a log directory are, and what they take. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export type FileKind = 'segments' | 'spare or freed' | 'put aside' | 'cursors' | 'others';

export interface DiskUse {
  readonly kind: FileKind;
  readonly files: number;
  /** Their sizes. */
  readonly bytes: number;
  /** What they take of the disk, which may be less: space that was never written. */
  readonly diskBytes: number;
}

const kinds: readonly FileKind[] = ['segments', 'spare or freed', 'put aside', 'cursors', 'others'];

/** The regular files of `directory` by kind; `segments` are the files that belong to the log. */
export async function diskUse(directory: string, segments: ReadonlySet<string>): Promise<DiskUse[]> {
  const sums = new Map(kinds.map((kind) => [kind, { kind, files: 0, bytes: 0, diskBytes: 0 }]));
  const seen = new Set<number>();
  for (const name of (await readdir(directory)).sort()) {
    const found = await lstat(join(directory, name)).catch(() => undefined); // it may be gone since
    const sum = sums.get(kindOf(name, segments));
    if (found === undefined || sum === undefined || !found.isFile()) continue;
    sum.files++;
    sum.bytes += found.size;
    if (!seen.has(found.ino)) sum.diskBytes += found.blocks * 512; // what is put aside may have two names
    seen.add(found.ino);
  }
  return [...sums.values()].filter(({ files }) => files > 0);
}

function kindOf(name: string, segments: ReadonlySet<string>): FileKind {
  if (segments.has(name)) return 'segments';
  if (/^\d{20}\.(wal|new)$/.test(name)) return 'spare or freed';
  if (/\.lost-\d+$/.test(name)) return 'put aside';
  if (/\.cursor(\.new)?$/.test(name)) return 'cursors';
  return 'others';
}
