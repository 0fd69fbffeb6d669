/** sorted-source: what memtables and files have in common, and many of them read as one: the newest wins. */
import { lowerBound } from './keys.js';

/** Keys in ascending order, each once, and their values. */
export interface SortedSource {
  readonly keys: readonly string[];
  /** The value of `keys[index]`, as a copy of the caller's own; undefined when the key was deleted. */
  read(index: number): Promise<Uint8Array | undefined>;
}

/** Where the newest value, or deletion, of a key is. */
export interface Hit {
  readonly key: string;
  readonly source: SortedSource;
  readonly index: number;
}

/** The keys from `from` to before `to` in ascending order, each with the first of the sources that has it. */
export function* newestWins(newestFirst: readonly SortedSource[], from = '', to?: string): Generator<Hit> {
  const positions = newestFirst.map(({ keys }) => lowerBound(keys, from));
  for (;;) {
    let hit: Hit | undefined;
    for (const [i, source] of newestFirst.entries()) {
      const index = positions[i] as number;
      const key = source.keys[index];
      if (key !== undefined && (hit === undefined || key < hit.key)) hit = { key, source, index };
    }
    if (hit === undefined || (to !== undefined && hit.key >= to)) return;
    for (const [i, { keys }] of newestFirst.entries()) {
      const index = positions[i] as number;
      if (keys[index] === hit.key) positions[i] = index + 1;
    }
    yield hit;
  }
}
