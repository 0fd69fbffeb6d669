/**
 * file-set: which sorted files the store consists of.
 *
 * There is no manifest: a file's name says which LSNs it covers, and a file whose LSNs another one covers too
 * was merged into that one. So publishing a merged file is one rename, and a crash at any moment leaves either
 * the old files, or the new one and files that are known to be superfluous.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LsnRange } from 'ringwal';
import type { Memtable } from './memtable.js';
import { type Entry, SortedFile, writeSortedFile } from './sorted-file.js';
import { newestWins, type SortedSource } from './sorted-source.js';

const NAME = /^(\d{16})-(\d{16})\.sorted$/;

function nameOf({ first, last }: LsnRange): string {
  return `${`${first}`.padStart(16, '0')}-${`${last}`.padStart(16, '0')}.sorted`;
}

/** The last LSN that the sorted files of `directory` cover, by their names alone; 0 if there are none. */
export async function coveredLsn(directory: string): Promise<number> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return Math.max(0, ...names.map((name) => Number(NAME.exec(name)?.[2] ?? 0)));
}

export class FileSet {
  readonly #directory: string;
  #newestFirst: readonly SortedFile[];

  /** Opens and verifies the files, and removes what a crash has left. The caller has the directory for itself. */
  static async open(directory: string): Promise<FileSet> {
    const names = await readdir(directory);
    const ranges = names.flatMap((name): LsnRange[] => {
      const [, first, last] = NAME.exec(name) ?? [];
      return first === undefined ? [] : [{ first: Number(first), last: Number(last) }];
    });
    // The newest first, and a merged one before those that went into it.
    ranges.sort((a, b) => b.last - a.last || a.first - b.first);
    const files: SortedFile[] = [];
    const superfluous = names.filter((name) => name.endsWith('.sorted.tmp'));
    try {
      for (const range of ranges) {
        const next = files.at(-1)?.range.first;
        if (next !== undefined && range.first >= next) superfluous.push(nameOf(range));
        else if (next !== undefined && range.last !== next - 1)
          throw new Error(`The file with LSN ${next - 1} is missing in ${directory}`);
        else files.push(await SortedFile.open(join(directory, nameOf(range)), range));
      }
      const oldest = files.at(-1)?.range.first ?? 1;
      if (oldest !== 1) throw new Error(`The file with LSN ${oldest - 1} is missing in ${directory}`);
    } catch (error) {
      await Promise.all(files.map((file) => file.release()));
      throw error;
    }
    for (const name of superfluous) await rm(join(directory, name));
    return new FileSet(directory, files);
  }

  private constructor(directory: string, newestFirst: readonly SortedFile[]) {
    this.#directory = directory;
    this.#newestFirst = newestFirst;
  }

  /** A list of its own: later files do not show up in it. */
  get newestFirst(): readonly SortedFile[] {
    return this.#newestFirst;
  }

  /** The last LSN that is in a file. */
  get lastLsn(): number {
    return this.#newestFirst[0]?.range.last ?? 0;
  }

  /** Writes a memtable to a file of its own, which is durable when this resolves. */
  async add(memtable: Memtable): Promise<SortedFile> {
    const source = memtable.sorted();
    const file = await this.#write({ first: memtable.firstLsn, last: memtable.lastLsn }, [source], true);
    this.#newestFirst = [file, ...this.#newestFirst];
    return file;
  }

  /**
   * Merges all files into one. Deletions need not be kept: there is nothing older left for them to hide. Every
   * merge copies everything: fine here, but what other engines have levels for.
   */
  async merge(): Promise<SortedFile> {
    const old = this.#newestFirst;
    const range = { first: old.at(-1)?.range.first ?? 1, last: this.lastLsn };
    const file = await this.#write(range, old, false);
    this.#newestFirst = [file];
    for (const { path } of old) await rm(path);
    await Promise.all(old.map((superfluous) => superfluous.release()));
    return file;
  }

  async close(): Promise<void> {
    await Promise.all(this.#newestFirst.map((file) => file.release()));
  }

  async #write(
    range: LsnRange,
    newestFirst: readonly SortedSource[],
    deletions: boolean,
  ): Promise<SortedFile> {
    const path = join(this.#directory, nameOf(range));
    async function* entries(): AsyncGenerator<Entry> {
      for (const { key, source, index } of newestWins(newestFirst)) {
        const value = await source.read(index);
        if (value !== undefined || deletions) yield [key, value];
      }
    }
    await writeSortedFile(path, range, entries());
    return SortedFile.open(path, range);
  }
}
