/**
 * sim-directory: the names of a simulated directory, each of which survives a crash or not on its own (M3).
 */
import { type FailedSync, fromBefore, type Inode, type Version } from './sim-inode.js';

/** The file behind a name, or nothing. */
export type Target = Inode | undefined;

export class Directory {
  readonly live = new Map<string, Inode>();
  readonly durable = new Map<string, Inode>();
  /** Per name, what it has stood for since the last directory sync, oldest first. */
  readonly pending = new Map<string, Version<Target>[]>();
  /** What a failed directory sync may have written. */
  readonly doubtful = new Map<string, Version<Target>[]>();

  /** Makes `name` stand for `target` (nothing: removes it). */
  set(name: string, target: Target, operation: number): void {
    if (target === undefined) this.live.delete(name);
    else this.live.set(name, target);
    const version = { value: target, operation };
    const versions = this.pending.get(name);
    if (versions === undefined) this.pending.set(name, [version]);
    else versions.push(version);
  }

  sync(): void {
    for (const name of this.pending.keys()) {
      const target = this.live.get(name);
      if (target === undefined) this.durable.delete(name);
      else this.durable.set(name, target);
      this.doubtful.delete(name);
    }
    this.pending.clear();
  }

  /** Names do not revert under the feet of a running program, so 'revert' leaves them as much in doubt. */
  failSync(mode: FailedSync): void {
    if (mode !== 'lost') {
      for (const [name, versions] of this.pending) {
        this.doubtful.set(name, [...(this.doubtful.get(name) ?? []), ...versions]);
      }
    }
    this.pending.clear();
  }

  /** Every name with every file that it may stand for after a crash or now. */
  *possible(): Generator<[name: string, inode: Inode]> {
    yield* this.live;
    yield* this.durable;
    for (const versions of [this.pending, this.doubtful]) {
      for (const [name, list] of versions) {
        for (const { value } of list) if (value !== undefined) yield [name, value];
      }
    }
  }

  /** The same directory over copies of all its files, for the next process. */
  clone(): Directory {
    const copies = new Map<Inode, Inode>();
    const copyOf = (inode: Inode): Inode => {
      const copy = copies.get(inode) ?? inode.clone();
      copies.set(inode, copy);
      return copy;
    };
    const copyVersions = (list: readonly Version<Target>[]) =>
      list.map(fromBefore).map(({ value, operation }) => ({ value: value && copyOf(value), operation }));
    const clone = new Directory();
    for (const [name, inode] of this.live) clone.live.set(name, copyOf(inode));
    for (const [name, inode] of this.durable) clone.durable.set(name, copyOf(inode));
    for (const [name, list] of this.pending) clone.pending.set(name, copyVersions(list));
    for (const [name, list] of this.doubtful) clone.doubtful.set(name, copyVersions(list));
    return clone;
  }
}
