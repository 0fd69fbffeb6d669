/** target: the directory that a repair saves into: made by this run alone, durably, and taken away when it fails. */
import { mkdir, readdir, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { CliError } from '../failure.js';
import { syncDirectory } from './swap.js';

export interface Target {
  /** Takes away all that is in it, and the directories that were made. */
  undo(): Promise<void>;
}

/**
 * Makes `path`; with `mayBeThere` it may be there, empty: who has given it wants it to be that one. Its own entry in its
 * parent is for who fills it to make durable; those of the directories above it, as far as they were made, are. Throws
 * CliError when it is not empty, when it lies inside `damaged`, and when another run has just made it.
 */
export async function makeTarget(
  damaged: string,
  path: string,
  mayBeThere: boolean,
  sync = syncDirectory,
): Promise<Target> {
  const target = resolve(path);
  await checkOutside(damaged, target, path);
  const names = await namesIn(target, path);
  if (names !== undefined) {
    if (names.length > 0) throw notEmpty(path);
    if (!mayBeThere) throw justMade(path);
    return { undo: () => empty(target) };
  }
  const made = await makeParent(dirname(target), sync);
  // Not `recursive`: of two runs at the same time one must fail, or it would take away what the other has saved.
  await mkdir(target, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? justMade(path) : error;
  });
  return {
    async undo() {
      await empty(target);
      // Others may have put something beside it by now.
      for (const one of [target, ...made]) await rmdir(one).catch(() => {});
    },
  };
}

/**
 * Makes the directory and those above it that are missing, each durably; returns them, deepest first. Not by `mkdir` with
 * `recursive`, which tries for ever where the system says ENOENT of a name whose parent is there.
 */
async function makeParent(path: string, sync: typeof syncDirectory): Promise<string[]> {
  const above = dirname(path);
  const isThere = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (isThere || above === path) return [];
  const made = await makeParent(above, sync);
  try {
    await mkdir(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return made; // somebody was faster
    throw error;
  }
  await sync(above);
  return [path, ...made];
}

async function empty(target: string): Promise<void> {
  for (const name of await readdir(target)) await rm(join(target, name), { recursive: true, force: true });
}

/** Undefined when it is not there. */
async function namesIn(target: string, path: string): Promise<string[] | undefined> {
  try {
    return await readdir(target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ENOTDIR')
      throw new CliError('NOT_EMPTY', `${path} is not a directory.`, 'Give another one.');
    throw error;
  }
}

/** By the directories that there are, links followed: the damaged one is not even to get an empty directory. */
async function checkOutside(damaged: string, target: string, path: string): Promise<void> {
  let real: string | undefined;
  for (let there = target; real === undefined; there = dirname(there)) {
    real = await realpath(there).catch(() => undefined);
    if (dirname(there) === there) break;
  }
  const way = relative(await realpath(damaged), real ?? target);
  if (!/^\.\.([/\\]|$)/.test(way) && !isAbsolute(way))
    throw new CliError('INSIDE', `${path} lies inside the damaged log.`, 'Give a directory elsewhere.');
}

function notEmpty(path: string): CliError {
  return new CliError(
    'NOT_EMPTY',
    `The directory ${path} is there and not empty.`,
    'Remove it, if it is from an earlier repair, or give another directory: ringwal repair <dir> <new>',
  );
}

function justMade(path: string): CliError {
  return new CliError(
    'NOT_EMPTY',
    `The directory ${path} is there: another repair may have just made it.`,
    'Let that one end; remove the directory, if there is none.',
  );
}
