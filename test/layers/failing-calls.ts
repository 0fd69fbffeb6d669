/**
 * failing-calls: cases of the layer failing-sync: a preloaded library has the n-th call of a kind fail under a writer,
 * in a new log or in one that it must recover first. A batch of them lies on one file system, so that its cache is
 * dropped and it is mounted again for all of them at a time. A case counts when the library has left its trace.
 */
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { failingLife } from '../support/failing-life.js';
import { compiledLibrary } from '../support/native.js';
import { openedByEngine, openedLog } from '../support/opening.js';
import { Prng } from '../support/prng.js';
import { reopen } from '../support/reopening.js';
import { BrokenPromise } from '../support/witness.js';
import { type End, optionsFrom, Writers } from '../support/writers.js';
import { MOMENTS, type Moment, type Place } from './failing-place.js';

const ERRNOS = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EINTR', 'EACCES', 'EMFILE', 'EBUSY'] as const;
const SYNC_MODES = ['fdatasync', 'fsync', 'dsync', 'direct'] as const;

export interface Call {
  readonly name: 'write' | 'sync' | 'open' | 'truncate' | 'link' | 'unlink' | 'read';
  readonly modes: readonly ('once' | 'sticky' | 'short' | 'dropped')[];
  /** Which call of its kind is made to fail: from the first on, up to one that nearly each run makes. */
  readonly least?: number;
  readonly most: number;
}

const CALLS: readonly Call[] = [
  { name: 'write', modes: ['once', 'sticky', 'short'], most: 24 },
  { name: 'sync', modes: ['once', 'sticky', 'dropped', 'dropped'], most: 20 },
  { name: 'open', modes: ['once', 'sticky'], most: 6 },
  { name: 'sync', modes: ['once', 'sticky', 'dropped', 'dropped'], most: 6 },
  { name: 'truncate', modes: ['once', 'sticky'], most: 4 },
  { name: 'link', modes: ['once', 'sticky'], most: 4 },
  { name: 'write', modes: ['once', 'sticky', 'short'], most: 6 },
  { name: 'unlink', modes: ['once', 'sticky'], most: 3 },
  { name: 'read', modes: ['once', 'sticky'], most: 6 },
];

export interface CallsOptions {
  /** A planted bug: what is written counts as acknowledged. */
  readonly isEarly?: boolean;
  /** Only logs that are new. */
  readonly isNew?: boolean;
  /** Which calls fail, instead of any. */
  readonly calls?: readonly Call[];
}

/** Tries these cases; returns how often their logs were opened at which moment, and in how many the call failed. */
export async function tryCalls(
  place: Place,
  numbers: readonly number[],
  seed: number,
  options: CallsOptions = {},
): Promise<{ failed: number; opened: Record<Moment, number> }> {
  const folder = join(place.outside, 'witnesses');
  mkdirSync(folder, { recursive: true });
  const template = await unclosedLog(place, folder, seed * 1_000_003 + (numbers[0] ?? 0));
  const cases: Case[] = [];
  for (const number of numbers) {
    const one = new Case(place, folder, number, seed, options);
    await one.live(template);
    if (one.isReached) cases.push(one);
  }
  const opened = { 'the same boot': 0, drop_caches: 0, 'a remount': 0 };
  // Each of the moments comes first for some, and second, and third.
  const moments = place.moments.length === 1 ? place.moments : [...MOMENTS, ...MOMENTS.slice(0, 2)];
  for (const [index, moment] of moments.entries()) {
    await place.reach(moment);
    for (const [position, one] of cases.entries()) {
      const first = place.moments.length === 1 ? 0 : position % MOMENTS.length;
      if (index < first || index >= first + place.moments.length) continue;
      await one.reopen(moment, index === first);
      opened[moment]++;
    }
  }
  for (const name of ['template', ...numbers.map(String)])
    rmSync(join(place.path, name), { recursive: true, force: true });
  rmSync(folder, { recursive: true });
  return { failed: cases.length, opened };
}

interface Template {
  readonly directory: string;
  readonly lines: readonly string[];
}

/** A log whose writer was killed in the midst of work. */
async function unclosedLog(place: Place, folder: string, seed: number): Promise<Template> {
  const directory = join(place.path, 'template');
  const prng = new Prng(seed);
  const writers = new Writers(directory, join(folder, 'template'), optionsFrom(prng, ['fdatasync']), prng);
  return { directory, lines: await writers.live({ end: { by: 'kill', acks: 25, spinMs: 0.3 } }) };
}

class Case {
  readonly #directory: string;
  readonly #trace: string;
  readonly #prng: Prng;
  readonly #call: Call;
  readonly #nth: number;
  readonly #errno: (typeof ERRNOS)[number];
  readonly #mode: Call['modes'][number];
  readonly #writers: Writers;
  readonly #options: CallsOptions;
  readonly #what: string;

  constructor(place: Place, folder: string, number: number, seed: number, options: CallsOptions) {
    const prng = new Prng(seed * 1_000_003 + number);
    this.#prng = prng;
    this.#options = options;
    this.#directory = join(place.path, `${number}`);
    this.#trace = join(folder, `trace-${number}`);
    this.#call = prng.pick(options.calls ?? CALLS);
    const { name, modes, least = 1, most } = this.#call;
    this.#nth = prng.between(least, most);
    // The kernel does not interrupt reads of files, and libuv makes no second attempt at them.
    this.#errno = prng.pick(ERRNOS.filter((errno) => name !== 'read' || errno !== 'EINTR'));
    const mode = prng.pick(modes);
    // libuv tries again for ever when a call is interrupted for ever; and it tries a sync that dropped its data again.
    this.#mode = this.#errno === 'EINTR' && mode !== 'short' ? 'once' : mode;
    // With the other modes a group's sync is part of its write.
    const isSync = name === 'sync' && (most > 6 || this.#mode === 'dropped');
    const modesHere = SYNC_MODES.filter((one) => one !== 'direct' || place.isDirect);
    const logOptions = optionsFrom(prng, isSync ? ['fdatasync', 'fsync'] : modesHere);
    this.#what = `case ${number}, seed ${seed}: ${name} ${this.#nth} fails with ${this.#errno}, ${this.#mode}`;
    this.#writers = new Writers(this.#directory, join(folder, `${number}`), logOptions, prng, this.#what, 1);
  }

  get isReached(): boolean {
    return existsSync(this.#trace);
  }

  async live({ directory, lines }: Template): Promise<void> {
    // Nothing is read in a new log, and it is the recovery that makes most of the other calls.
    const isOld = this.#call.name === 'read' || this.#prng.chance(0.5);
    if (isOld && this.#options.isNew !== true) {
      cpSync(directory, this.#directory, { recursive: true, filter: (path) => !path.endsWith('.sock') });
      this.#writers.hear(lines);
    }
    const end: End = {
      by: 'itself',
      ops: this.#prng.between(20, 50),
      isClosed: true,
      isEarly: this.#options.isEarly ?? false,
    };
    const env = {
      LD_PRELOAD: compiledLibrary('failing-calls'),
      FAIL_DIR: this.#directory,
      FAIL_CALL: this.#call.name,
      FAIL_NTH: `${this.#nth}`,
      FAIL_ERRNO: `${constants.errno[this.#errno]}`,
      FAIL_MODE: this.#mode,
      FAIL_TRACE: this.#trace,
    };
    const failing = { isLasting: this.#mode === 'sticky', isHidden: this.#errno === 'EINTR' };
    await failingLife(this.#writers, { end, env }, failing);
  }

  /** The first time by the package as it is. */
  async reopen(moment: Moment, isFirst: boolean): Promise<void> {
    const opened = isFirst ? openedLog : openedByEngine;
    try {
      await reopen(this.#directory, this.#writers.witness, moment, opened);
    } catch (error) {
      const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
      throw new BrokenPromise(`${cause}\nopened after ${moment}\n${this.#writers.story}`, { cause: error });
    }
  }
}
