/**
 * sync-mode: the ways to make a group durable, and how the fastest one of a directory is found: by trying.
 *
 * What is fastest differs between disks, and with the size of the write: one with O_DIRECT|O_DSYNC saves a system call and
 * the page cache's work, and on a disk without a volatile cache the flush; on others a sync of the cached write is as fast.
 * Measured on two machines (ext4, virtio disk, medians): 4 KiB: direct 125 us, fdatasync 127; 200 bytes and 64 KiB on the
 * other: direct 178 and 308, fdatasync 174 and 280.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { IoError } from '../errors.js';
import { AlignedMemory, BufferedWrites, DirectWrites, type GroupWrites } from './group-writes.js';

/** A way to make groups durable; see the option `syncMode`. */
export type SyncMode = 'direct' | 'dsync' | 'fdatasync' | 'fsync' | 'none';

const { O_CREAT, O_DIRECT, O_DSYNC, O_EXCL, O_RDWR } = fs.constants;

/**
 * Flags with which a file is opened for its groups; 0: none but those for everything else. Undefined: not there. Only Linux
 * is known to have a write with O_DSYNC empty the disk's cache, as a sync does: macOS has the flag, and leaves the data in
 * the cache, so `auto` would have found it to be the fastest.
 */
export function groupFlags(mode: SyncMode, platform: string = process.platform): number | undefined {
  if (mode !== 'direct' && mode !== 'dsync') return 0;
  if (platform !== 'linux') return undefined;
  return mode === 'direct' ? O_DIRECT | O_DSYNC : O_DSYNC;
}

/**
 * How groups are written through `fd`, which was opened with the mode's flags; `cachedFd` is the same file without
 * them.
 */
export function groupWrites(
  mode: SyncMode,
  fd: number,
  cachedFd: number,
  memory: AlignedMemory,
): GroupWrites {
  switch (mode) {
    case 'direct':
      return new DirectWrites(fd, new BufferedWrites(cachedFd, fs.fdatasyncSync), memory);
    case 'fdatasync':
      return new BufferedWrites(fd, fs.fdatasyncSync);
    case 'fsync':
      return new BufferedWrites(fd, fs.fsyncSync);
    default:
      return new BufferedWrites(fd, () => {}); // `dsync`: the write was durable when it returned
  }
}

const PROBE_NAME = '.sync-probe';
/** A group of a few records, and one of many: which mode is the fastest may differ. The second are tried less often. */
const SMALL = { bytes: 512, trials: 8 } as const;
const LARGE = { bytes: 128 * 1024, trials: 5 } as const;
/**
 * Each way has a part of the file to itself, at the beginning of a block: a direct write takes what it covers out of the
 * page cache, and a cached write there would have to read it again, each at the other's cost.
 */
const WAY_BYTES = LARGE.bytes;
const LEAST_TRIALS = 4;
/** A slow disk is not tried for longer than the least number of trials takes. */
const PROBE_BUDGET_MS = 30;

/** The durable modes, all of which `auto` tries. */
const DURABLE_MODES = ['direct', 'dsync', 'fdatasync', 'fsync'] as const;
/** What a file system says that has no room for the file. */
const NO_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const PROBE_BYTES = DURABLE_MODES.length * WAY_BYTES;

/**
 * The fastest durable mode in `directory`; takes some milliseconds. Without the space to try them it is `fdatasync`:
 * a log is opened on a disk that is nearly full, too. Throws IoError when not even cached writes can be made.
 */
export function fastestSyncMode(directory: string): SyncMode {
  try {
    return withProbe(directory, 0, (cached, path) => {
      const written = fs.writeSync(cached, new Uint8Array(PROBE_BYTES), 0, PROBE_BYTES, 0);
      if (written < PROBE_BYTES) return 'fdatasync';
      fs.fsyncSync(cached); // so that the trials find their blocks allocated, as in a segment
      const fds = DURABLE_MODES.map((mode) => openProbe(path, mode));
      try {
        const memory = new AlignedMemory();
        const ways = DURABLE_MODES.flatMap((mode, i) => {
          const fd = fds[i];
          return fd === undefined ? [] : [{ mode, writes: groupWrites(mode, fd, cached, memory) }];
        });
        return fastest(ways);
      } finally {
        for (const fd of fds) if (fd !== undefined) fs.closeSync(fd);
      }
    });
  } catch (cause) {
    if (NO_SPACE.has((cause as NodeJS.ErrnoException).code ?? '')) return 'fdatasync';
    throw new IoError(`Trying ways to sync in ${directory}`, cause);
  }
}

/** Throws IoError if `directory`'s file system can't do what `mode` asks for. */
export function requireSyncMode(mode: SyncMode, directory: string): void {
  if (mode !== 'direct' && mode !== 'dsync') return;
  const refused = (cause: unknown): IoError => new IoError(`Sync mode "${mode}" in ${directory}`, cause);
  const flags = groupFlags(mode);
  if (flags === undefined) throw refused(new Error('this system does not have it'));
  try {
    withProbe(directory, flags, (fd) =>
      groupWrites(mode, fd, fd, new AlignedMemory()).write([new Uint8Array(SMALL.bytes)], 0, true),
    );
  } catch (cause) {
    throw refused(cause);
  }
}

/**
 * Runs `task` with a new file that is opened with `flags`, and removes it, also when opening it made the file and then
 * failed. One that a crash left behind goes first; O_EXCL never follows a link that somebody put there.
 */
function withProbe<T>(directory: string, flags: number, task: (fd: number, path: string) => T): T {
  const path = join(directory, PROBE_NAME);
  fs.rmSync(path, { force: true });
  try {
    const fd = fs.openSync(path, O_RDWR | O_CREAT | O_EXCL | flags, 0o600);
    try {
      return task(fd, path);
    } finally {
      fs.closeSync(fd);
    }
  } finally {
    fs.rmSync(path, { force: true });
  }
}

/** Undefined when the system or the file system has no such writes (tmpfs has no direct ones, for one). */
function openProbe(path: string, mode: SyncMode): number | undefined {
  const flags = groupFlags(mode);
  if (flags === undefined) return undefined;
  try {
    return fs.openSync(path, O_RDWR | flags);
  } catch (error) {
    if (flags === 0) throw error;
    return undefined;
  }
}

/** A mode, and how to write by it. */
export interface Way {
  readonly mode: SyncMode;
  readonly writes: GroupWrites;
}

/**
 * The mode of the way that is fastest by its medians of write and sync, one for each size, multiplied: so that what is lost
 * with one size must be won with the other. Tries all of them in turn, so that what disturbs one disturbs the others too.
 * Throws what a way throws that needs no flags.
 */
export function fastest(ways: readonly Way[]): SyncMode {
  const scores = new Map<Way, number>(ways.map((way) => [way, 1]));
  for (const { bytes, trials } of [SMALL, LARGE]) {
    const views = [new Uint8Array(bytes).fill(1)];
    const times = new Map<Way, number[]>([...scores.keys()].map((way) => [way, []]));
    const end = performance.now() + PROBE_BUDGET_MS;
    for (let trial = 0; trial < trials && (trial < LEAST_TRIALS || performance.now() < end); trial++) {
      for (const [way, took] of times) {
        const position = ways.indexOf(way) * WAY_BYTES + ((trial * bytes) % WAY_BYTES);
        const from = performance.now();
        try {
          way.writes.write(views, position, true);
          way.writes.sync();
        } catch (error) {
          if (groupFlags(way.mode) === 0) throw error;
          times.delete(way); // some file systems open such a file and then refuse its writes
          scores.delete(way);
          continue;
        }
        took.push(performance.now() - from);
      }
    }
    for (const [way, took] of times) scores.set(way, (scores.get(way) ?? 1) * median(took));
  }
  return [...scores].reduce((best, one) => (one[1] < best[1] ? one : best))[0].mode;
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? 0;
}
