/**
 * swap: puts a repaired directory in the place of a damaged one by two renames, and finishes what a kill cut short.
 *
 *   DIR -> DIR.damaged-n,  DIR.repairing-n -> DIR
 *
 * The parent directory is synced behind each, so that also after a power cut the first is there before the second.
 * In between there is no DIR, and both others have the same number: that is how a later run knows.
 */
import { access, open, readdir, readlink, realpath, rename } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CliError } from '../failure.js';
import { REPORT } from './report.js';

/** What a swap does to the file system; tests end it between any two. */
export interface SwapSteps {
  rename(from: string, to: string): Promise<void>;
  /** Makes renames in `directory` durable. */
  syncDirectory(directory: string): Promise<void>;
}

export const systemSteps: SwapSteps = { rename, syncDirectory };

/** The three names of one repair. */
export interface SwapNames {
  readonly directory: string;
  /** Where the repaired log is made. */
  readonly repairing: string;
  /** Where the damaged one goes. */
  readonly damaged: string;
}

/** The directory itself, also behind a symbolic link, and also when it is away between the two renames. */
export async function placeOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const target = await readlink(path).catch(() => '');
    return target === '' ? resolve(path) : resolve(dirname(path), target);
  }
}

/** Names with a number that no repair of `directory` has had. */
export async function freshNames(directory: string): Promise<SwapNames> {
  const taken = await siblings(directory);
  return namesOf(directory, Math.max(0, ...taken.map(({ number }) => number)) + 1);
}

/** What runs that were killed while they saved have left: no use, and not removed by anybody. */
export async function leftovers(directory: string): Promise<string[]> {
  const there = await siblings(directory);
  return there
    .filter(({ kind }) => kind === 'repairing')
    .map(({ number }) => namesOf(directory, number).repairing);
}

/**
 * What a run that was killed between its renames has left: both names, the repaired one complete. Undefined: nothing
 * such.
 */
export async function cutShort(directory: string): Promise<SwapNames | undefined> {
  const there = await siblings(directory);
  const isThere = (kind: string, number: number): boolean =>
    there.some((one) => one.kind === kind && one.number === number);
  for (const { kind, number } of there) {
    if (kind !== 'repairing' || !isThere('damaged', number)) continue;
    const names = namesOf(directory, number);
    if (await exists(join(names.repairing, REPORT))) return names;
  }
  return undefined;
}

/** The two renames, with `check` in between as in `finish`. Throws CliError, and what the file system says. */
export async function swap(names: SwapNames, steps: SwapSteps, check: () => Promise<void>): Promise<void> {
  const { directory, damaged } = names;
  await steps.rename(directory, damaged).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EBUSY' && error.code !== 'EXDEV') throw error;
    throw new CliError(
      'MOUNT_POINT',
      `${directory} can't be renamed: it is a mount point, or in use as one.`,
      `The repaired log is in ${names.repairing}: move the files yourself, the damaged ones out first.`,
    );
  });
  await steps.syncDirectory(dirname(directory));
  await finish(names, steps, check);
}

/**
 * The second rename. `check` is asked before, and when it throws the first one is taken back. Throws CliError also when
 * somebody has made the directory anew meanwhile.
 */
export async function finish(names: SwapNames, steps: SwapSteps, check: () => Promise<void>): Promise<void> {
  const { directory, repairing, damaged } = names;
  await checkAway(names);
  try {
    await check();
  } catch (error) {
    await steps.rename(damaged, directory);
    await steps.syncDirectory(dirname(directory));
    throw error;
  }
  await steps.rename(repairing, directory);
  await steps.syncDirectory(dirname(directory));
}

/** Throws CliError when somebody has made the directory anew between the two renames. */
export async function checkAway({ directory, repairing, damaged }: SwapNames): Promise<void> {
  // Rename would put it over an empty directory, which may be one that a program has just made to open its log in.
  if (await exists(directory))
    throw new CliError(
      'IN_THE_WAY',
      `${directory} has been made anew while a repair was under way.`,
      `The repaired log is in ${repairing}, the damaged one in ${damaged}. Stop who uses ${directory}, move it out of the way if its records matter, and run \`ringwal repair ${directory} --write\` again.`,
    );
}

export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function namesOf(directory: string, number: number): SwapNames {
  return {
    directory,
    repairing: `${directory}.repairing-${number}`,
    damaged: `${directory}.damaged-${number}`,
  };
}

async function siblings(directory: string): Promise<{ kind: string; number: number }[]> {
  const name = basename(directory);
  return (await readdir(dirname(directory)))
    .filter((one) => one.startsWith(`${name}.`))
    .flatMap((one) => {
      const [, kind, digits] = /^(damaged|repairing)-(\d{1,9})$/.exec(one.slice(name.length + 1)) ?? [];
      return kind === undefined ? [] : [{ kind, number: Number(digits) }];
    });
}
