/**
 * thin-image: cases of the layer failing-sync: a file system in a sparse image that lies in too small a memory. It
 * believes that it has room; so writes go well, and the sync, or the write-back, finds that there is none. The kernel
 * then marks the pages clean, and shows until it drops them what is on no disk.
 *
 * Without a journal a file system goes on after that, the next sync succeeds; with one it turns read-only at once, or
 * not until its journal meets the end. In the end the disk is mended: there is room again.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { Disks, type FileSystem, makeImage } from '../support/disks.js';
import { failingLife } from '../support/failing-life.js';
import { Prng } from '../support/prng.js';
import { mayReopen } from '../support/reopening.js';
import { inScratch } from '../support/scratch.js';
import { BrokenPromise } from '../support/witness.js';
import { type End, optionsFrom, Writers } from '../support/writers.js';
import { dropCaches, mountedLacks, writingLacks } from './failing-place.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const PAGE_BYTES = 4 * KiB;
/** As much as no case needs. */
const PLENTY_BYTES = 128 * MiB;

const MAKE = ['-q', '-F', '-b', '4096', '-N', '256', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];

interface ThinSystem extends FileSystem {
  readonly hasJournal: boolean;
}

/** Of a single block group, so that all its maps are on disk from the beginning: losing them is not the log's affair. */
function thinExt4(name: string, hasJournal: boolean, mount: string): ThinSystem {
  const make = [...MAKE, ...(hasJournal ? ['-J', 'size=4'] : ['-O', '^has_journal'])];
  return { name, type: 'ext4', make, mount, bytes: 64 * MiB, hasJournal };
}

const SYSTEMS = [
  thinExt4('ext4 without a journal', false, 'errors=continue'),
  thinExt4('ext4, ordered', true, 'data=ordered'),
  thinExt4('ext4, writeback', true, 'data=writeback'),
] as const;

type Step = 'as it is' | 'drop' | 'remount' | 'mend';
/** What happens to the disk when the writer is gone. The log is opened after each. */
const WAYS: readonly (readonly Step[])[] = [
  ['as it is', 'mend', 'drop', 'remount', 'as it is'],
  ['drop', 'mend', 'remount', 'drop'],
  ['mend', 'drop', 'remount'],
  ['remount', 'mend', 'as it is', 'drop'],
];

/** Why there can't be thin images here. Their loop devices are told to write single pages. */
export function thinLacks(): string | undefined {
  return mountedLacks() ?? writingLacks('/sys/block');
}

export interface ThinOptions {
  /** A planted bug: nothing is synced. */
  readonly isUnsynced?: boolean;
}

export interface ThinPlace {
  readonly disks: Disks;
  /** The memory that is too small. */
  readonly memory: string;
  readonly outside: string;
}

export function inThinPlace<T>(task: (place: ThinPlace) => Promise<T>): Promise<T> {
  return inScratch(async (outside) => {
    const disks = new Disks(outside);
    try {
      const memory = join(outside, 'memory');
      mkdirSync(memory);
      mkdirSync(join(outside, 'mounted'));
      await disks.mountMemory(memory, PLENTY_BYTES);
      return await task({ disks, memory, outside });
    } finally {
      await disks.end();
    }
  });
}

/** Resolves with whether the disk ran out under the writer. */
export async function tryThinImage(
  place: ThinPlace,
  number: number,
  seed: number,
  options: ThinOptions = {},
): Promise<boolean> {
  const one = new ThinCase(place, number, seed, options);
  try {
    return await one.run();
  } catch (error) {
    const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new BrokenPromise(`${cause}\n${one.story}`, { cause: error });
  } finally {
    await one.end();
  }
}

class ThinCase {
  readonly #place: ThinPlace;
  readonly #prng: Prng;
  readonly #system: ThinSystem;
  readonly #way: readonly Step[];
  readonly #writers: Writers;
  readonly #image: string;
  readonly #path: string;
  readonly #directory: string;
  readonly #isLarge: boolean;
  readonly #steps: string[] = [];
  #isMounted = false;

  constructor(place: ThinPlace, number: number, seed: number, { isUnsynced = false }: ThinOptions) {
    const prng = new Prng(seed * 1_000_003 + 500_000 + number);
    this.#place = place;
    this.#prng = prng;
    this.#system = prng.pick(SYSTEMS);
    this.#way = prng.pick(WAYS);
    this.#image = join(place.memory, 'image');
    this.#path = join(place.outside, 'mounted');
    this.#directory = join(this.#path, 'log');
    // Segments that are not written throughout before they are used: there it is a group's own sync that fails.
    this.#isLarge = prng.chance(0.6);
    const options = optionsFrom(
      prng,
      isUnsynced ? ['none'] : ['fdatasync', 'fdatasync', 'fsync', 'dsync', 'direct'],
    );
    this.#writers = new Writers(
      this.#directory,
      join(place.outside, `witness-${number}`),
      this.#isLarge ? { ...options, segmentBytes: 4 * MiB, ringBytes: MiB } : options,
      prng,
      `thin image ${number}, seed ${seed}: ${this.#system.name}`,
    );
  }

  get story(): string {
    return `${this.#writers.story}\n${this.#steps.join('\n')}`;
  }

  async run(): Promise<boolean> {
    const { disks, memory } = this.#place;
    await disks.resizeMemory(memory, PLENTY_BYTES);
    makeImage(this.#image, this.#system);
    await this.#mount();
    // On disk before the end of it: without a journal, a directory whose first block got lost is the file system's
    // damage, and no log can be opened in it.
    mkdirSync(this.#directory, { mode: 0o700 });
    syncDirectory(this.#directory);
    const room = PAGE_BYTES * this.#prng.below((this.#isLarge ? 4 * MiB : 600 * KiB) / PAGE_BYTES);
    await disks.resizeMemory(memory, usedBytes(memory) + room);
    this.#steps.push(`there is room for ${room} bytes`);
    if (!(await this.#live())) return false;
    let isMended = false;
    let isFresh = false;
    for (const step of this.#way) {
      isMended ||= step === 'mend';
      // With a journal, a system that has turned read-only stays so until it is mounted again.
      isFresh ||= isMended && (step === 'remount' || !this.#system.hasJournal);
      const isThere = await this.#take(step);
      // Once more: what was read from the cache and is on no disk can be gone between two looks of one opening, which
      // then says that it changed. (Seen twice; other parts of a run drop all caches.)
      const isOpened =
        isThere && ((await this.#reopen(step)) || (isFresh && (await this.#reopen(`${step}, again`))));
      this.#steps.push(`${step}: ${isOpened ? 'opened' : 'refused'}`);
      if (!isOpened && isFresh) throw new BrokenPromise('the disk was mended, and the log did not open');
    }
    if (isFresh) return true;
    await this.#take('remount');
    if (!(await this.#reopen('the end'))) throw new BrokenPromise('the log did not open in the end');
    return true;
  }

  async end(): Promise<void> {
    if (this.#isMounted) await this.#place.disks.unmount(this.#path);
    rmSync(this.#image, { force: true });
  }

  /** Resolves with whether the writer noticed. */
  async #live(): Promise<boolean> {
    const end: End = this.#isLarge
      ? { by: 'itself', ops: 120, isClosed: true, recordBytes: 30_000 }
      : { by: 'itself', ops: 200, isClosed: true };
    const lines = await failingLife(this.#writers, { end }, { isLasting: true, isHidden: false });
    const notice = lines.find((line) => /^[eh] /.test(line));
    const free = freeBytes(this.#place.memory);
    this.#steps.push(`the writer: ${notice ?? 'noticed nothing'}; ${free} bytes are left`);
    if (notice !== undefined && free > 0) throw new BrokenPromise('it failed, though the disk had room');
    return notice !== undefined;
  }

  /** False when the file system can't be mounted. */
  async #take(step: Step): Promise<boolean> {
    const { disks, memory } = this.#place;
    if (step === 'mend') await disks.resizeMemory(memory, PLENTY_BYTES);
    if (step === 'drop') dropCaches();
    if (step === 'remount' && this.#isMounted) {
      await disks.unmount(this.#path);
      this.#isMounted = false;
    }
    if (!this.#isMounted) await this.#mount().catch(() => {});
    return this.#isMounted;
  }

  async #mount(): Promise<void> {
    await this.#place.disks.mountThin(this.#image, this.#path, this.#system);
    this.#isMounted = true;
  }

  #reopen(step: string): Promise<boolean> {
    return mayReopen(this.#directory, this.#writers.witness, `${step} ${this.#steps.length}`);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

function usedBytes(path: string): number {
  const { bsize, blocks, bfree } = statfsSync(path);
  return bsize * (blocks - bfree);
}

function freeBytes(path: string): number {
  const { bsize, bfree } = statfsSync(path);
  return bsize * bfree;
}
