/**
 * crash-choices: what is still open about a simulated disk at a crash, as a list of independent choices, and
 * the disk image that follows once all of them are made.
 */
import type { Target } from './sim-directory.js';
import { FileImage, Image } from './sim-image.js';
import type { Inode, Version } from './sim-inode.js';
import {
  garbageSector,
  isSameSector,
  SECTORS_PER_PAGE,
  type Sector,
  spoilSector,
  WRITTEN_ZEROS,
  ZERO_SECTOR,
} from './sim-sector.js';
import type { SimStorage } from './sim-storage.js';

export interface CrashModel {
  /** M1: a sector caught in the middle may hold zeros where it was to change. */
  readonly tearsToZeros?: boolean;
  /** M1: or garbage. */
  readonly tearsToGarbage?: boolean;
  /** M9, false: a 4 KiB page that is being written may turn into garbage as a whole. */
  readonly hasPowerSafeOverwrite?: boolean;
}

/** Something that is one of several, whatever the other choices are. Alternative 0 is the durable one. */
interface Alternatives<T> {
  readonly values: readonly T[];
  /** The operation that made each of them, or `DURABLE`, or one for which `isTorn` holds. */
  readonly operations: readonly number[];
  /** Which of them the running program sees. */
  readonly newest: number;
}

type NameChoice = { readonly kind: 'name'; readonly name: string } & Alternatives<Target>;
type SizeChoice = { readonly kind: 'size'; readonly inode: Inode } & Alternatives<number>;
type SectorChoice = { kind: 'sector'; readonly inode: Inode; readonly index: number } & Alternatives<Sector>;
type PageChoice = { kind: 'page'; readonly inode: Inode; readonly index: number } & Alternatives<
  'intact' | 'garbage'
>;

export type CrashChoice = NameChoice | SizeChoice | SectorChoice | PageChoice;

/** Comes before all operations, as torn sectors come after them. */
export const DURABLE = -Infinity;
export const TORN_TO_ZEROS = 2 ** 40;
export const TORN_TO_GARBAGE = 2 ** 41;

export function isTorn(operation: number): boolean {
  return operation >= TORN_TO_ZEROS;
}

export class CrashChoices {
  readonly all: readonly CrashChoice[];
  /** How many ways there are to make all choices; several of them may lead to the same image. */
  readonly combinations: number;
  /** The first of `all`. */
  readonly #names: readonly NameChoice[];
  readonly #fixedNames: ReadonlyMap<string, Inode>;
  /** Names of each file, at whatever time, for descriptions. */
  readonly #namesOf = new Map<Inode, string>();
  readonly #fixedFiles = new Map<Inode, FileImage>();
  /** Per file that has any, where its choices are in `all`. */
  readonly #choicesOf = new Map<Inode, number[]>();

  constructor(storage: SimStorage, model: CrashModel = {}) {
    const { directory } = storage;
    for (const [name, inode] of directory.possible()) {
      const known = this.#namesOf.get(inode);
      if (known === undefined) this.#namesOf.set(inode, name);
      else if (!known.split('|').includes(name)) this.#namesOf.set(inode, `${known}|${name}`);
    }
    const names = nameChoices(storage);
    const reachable = new Set(directory.durable.values());
    for (const { values } of names) for (const inode of values) if (inode !== undefined) reachable.add(inode);
    const all: CrashChoice[] = [...names];
    for (const inode of reachable) {
      const own = fileChoices(inode, model);
      this.#choicesOf.set(
        inode,
        own.map((_, i) => all.length + i),
      );
      all.push(...own);
      if (own.length === 0)
        this.#fixedFiles.set(inode, new FileImage(inode.durable.slice(), inode.durableSize));
    }
    const open = new Set(names.map(({ name }) => name));
    this.#fixedNames = new Map([...directory.durable].filter(([name]) => !open.has(name)));
    this.all = all;
    this.#names = names;
    this.combinations = all.reduce((product, { values }) => product * values.length, 1);
  }

  /** The disk after a crash with which alternative `picks[i]` of each choice `i` came true. */
  image(picks: ArrayLike<number>): Image {
    const files = new Map<string, FileImage>();
    const made = new Map<Inode, FileImage>();
    const add = (name: string, inode: Inode): void => {
      const file = made.get(inode) ?? this.#fixedFiles.get(inode) ?? this.#file(inode, picks);
      made.set(inode, file);
      files.set(name, file);
    };
    for (const [name, inode] of this.#fixedNames) add(name, inode);
    this.#names.forEach(({ name, values }, i) => {
      const target = values[picks[i] ?? 0];
      if (target !== undefined) add(name, target);
    });
    return new Image(files);
  }

  /** What was picked, in words. */
  describe(picks: ArrayLike<number>): string {
    const lines = new Map<string, string[]>();
    this.all.forEach((choice, i) => {
      const pick = picks[i] ?? 0;
      const owner = choice.kind === 'name' ? 'names' : (this.#namesOf.get(choice.inode) ?? '?');
      const line = lines.get(owner) ?? [];
      lines.set(owner, line);
      const state = describeAlternative(choice, pick);
      if (choice.kind === 'size') line.push(`size ${choice.values[pick] ?? 0} (${state})`);
      else if (choice.kind !== 'name') line.push(`${choice.kind} ${choice.index} ${state}`);
      else {
        const target = choice.values[pick];
        line.push(`${choice.name} ${target === undefined ? 'absent' : `is file ${target.id}`} (${state})`);
      }
    });
    return [...lines].map(([owner, line]) => `${owner}: ${line.join(', ')}`).join('\n');
  }

  #file(inode: Inode, picks: ArrayLike<number>): FileImage {
    const sectors = inode.durable.slice();
    let size = inode.durableSize;
    // The page choices come behind the sector choices, and so prevail.
    for (const i of this.#choicesOf.get(inode) ?? []) {
      const choice = this.all[i];
      const pick = picks[i] ?? 0;
      if (choice === undefined || pick === 0 || choice.kind === 'name') continue;
      if (choice.kind === 'size') size = choice.values[pick] ?? size;
      else if (choice.kind === 'sector') {
        while (sectors.length < choice.index) sectors.push(ZERO_SECTOR);
        sectors[choice.index] = choice.values[pick] ?? ZERO_SECTOR;
      } else {
        const first = choice.index * SECTORS_PER_PAGE;
        while (sectors.length < first) sectors.push(ZERO_SECTOR);
        for (let at = first; at < first + SECTORS_PER_PAGE; at++) sectors[at] = garbageSector(at);
      }
    }
    return new FileImage(sectors, size);
  }
}

function describeAlternative({ operations, newest }: CrashChoice, pick: number): string {
  const operation = operations[pick] ?? DURABLE;
  if (operation === TORN_TO_ZEROS) return 'zeros';
  if (operation === TORN_TO_GARBAGE) return 'garbage';
  if (pick === newest) return pick === 0 ? 'unchanged' : 'new';
  if (operation === DURABLE) return 'old';
  return operation < 0 ? 'of the process before' : `as of #${operation}`;
}

function nameChoices(storage: SimStorage): NameChoice[] {
  const { durable, live, pending, doubtful } = storage.directory;
  const choices: NameChoice[] = [];
  for (const name of new Set([...doubtful.keys(), ...pending.keys()])) {
    const versions = [...(doubtful.get(name) ?? []), ...(pending.get(name) ?? [])];
    const found = alternatives(durable.get(name), versions, live.get(name), Object.is);
    if (found.values.length > 1) choices.push({ kind: 'name', name, ...found });
  }
  return choices;
}

function fileChoices(inode: Inode, model: CrashModel): CrashChoice[] {
  const choices: CrashChoice[] = [];
  const sizes = alternatives(inode.durableSize, inode.pendingSizes, inode.liveSize, Object.is);
  if (sizes.values.length > 1) choices.push({ kind: 'size', inode, ...sizes });
  const indexes = [...new Set([...inode.doubtful.keys(), ...inode.pending.keys()])].sort((a, b) => a - b);
  const pages = new Set<number>();
  for (const index of indexes) {
    const versions = [...(inode.doubtful.get(index) ?? []), ...(inode.pending.get(index) ?? [])];
    const sectors = sectorAlternatives(inode, index, versions, model);
    if (sectors.values.length > 1) choices.push({ kind: 'sector', inode, index, ...sectors });
    if (inode.pending.has(index)) pages.add(Math.floor(index / SECTORS_PER_PAGE));
  }
  if (model.hasPowerSafeOverwrite === false) {
    const page = {
      values: ['intact', 'garbage'],
      operations: [DURABLE, TORN_TO_GARBAGE],
      newest: 0,
    } as const;
    for (const index of pages) choices.push({ kind: 'page', inode, index, ...page });
  }
  return choices;
}

function sectorAlternatives(
  inode: Inode,
  index: number,
  versions: readonly Version<Sector>[],
  model: CrashModel,
): Alternatives<Sector> {
  const old = inode.durable[index] ?? ZERO_SECTOR;
  const live = inode.live[index] ?? ZERO_SECTOR;
  const torn: Version<Sector>[] = [];
  if (model.tearsToZeros === true)
    torn.push({ value: spoilSector(old, live, WRITTEN_ZEROS), operation: TORN_TO_ZEROS });
  if (model.tearsToGarbage === true) {
    torn.push({ value: spoilSector(old, live, garbageSector(index)), operation: TORN_TO_GARBAGE });
  }
  return alternatives(old, [...versions, ...torn], live, isSameSector);
}

/** The durable value and the versions after it, equal ones once. */
function alternatives<T>(
  durable: T,
  versions: readonly Version<T>[],
  newest: T,
  isSame: (a: T, b: T) => boolean,
): Alternatives<T> {
  const values = [durable];
  const operations = [DURABLE];
  for (const { value, operation } of versions) {
    if (values.some((known) => isSame(known, value))) continue;
    values.push(value);
    operations.push(operation);
  }
  // Not found when a failed sync has left the cache with something that is not going to the disk.
  const found = values.findIndex((value) => isSame(value, newest));
  return { values, operations, newest: Math.max(found, 0) };
}
