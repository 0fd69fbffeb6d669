/** source: the damaged directory: whether it is in use, whether it is damaged, and whether it stays as it is. */
import { createHash } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { liveStats, verifyLog } from '../../index.js';
import { unlessAborted } from '../aborted.js';
import { CliError } from '../failure.js';
import type { CliIo } from '../io.js';
import { progressBar } from '../progress-bar.js';

/** Throws CliError when somebody has the log open, or when that can't be told. */
export async function checkClosed(directory: string): Promise<void> {
  const live = await liveStats(directory).catch((error: unknown) => {
    throw new CliError(
      'RINGWAL_LOCKED',
      `Whether the log in ${directory} is open can't be told: ${error instanceof Error ? error.message : String(error)}`,
      'Run it as the user who owns the log, and stop the process that has it open.',
    );
  });
  if (live !== undefined)
    throw new CliError(
      'RINGWAL_LOCKED',
      `The log in ${directory} is open in process ${live.pid}.`,
      'Close it there first: what is written meanwhile would not be saved.',
    );
}

/** Throws CliError when opening number `epoch` has put nothing aside: what is saved then is the log as it is. */
export async function checkPutAside(directory: string, epoch: number): Promise<void> {
  const found = (await readdir(directory)).flatMap((name) => /\.lost-(\d+)$/.exec(name)?.[1] ?? []);
  const epochs = [...new Set(found.map(Number))].sort((a, b) => a - b);
  if (epochs.includes(epoch)) return;
  throw new CliError(
    'NOTHING_ASIDE',
    `There is no file *.lost-${epoch} in ${directory}: no opening of that number has ended the log at damage.`,
    epochs.length === 0 ? 'Leave --before-epoch out.' : `There are those of ${epochs.join(', ')}.`,
  );
}

/**
 * Whether all of the log verifies, and with it what there is: LSNs and segments. Undefined: it is damaged. Throws what
 * `verifyLog` does, except for what salvage can do something about.
 */
export async function soundness(
  io: CliIo,
  directory: string,
): Promise<{ firstLsn: number; lastLsn: number; segments: number } | undefined> {
  const bar = progressBar(io, 'verifying');
  try {
    const verified = verifyLog(directory, {
      onProgress: ({ bytes, totalBytes }) => bar.update(bytes, totalBytes),
    });
    const { damage, firstLsn, lastLsn, segments } = await unlessAborted(io.signal, verified);
    return damage.length === 0 ? { firstLsn, lastLsn, segments } : undefined;
  } catch (error) {
    if (isMendable(error)) return undefined;
    throw error;
  } finally {
    bar.stop();
  }
}

/** Damage; no segment with a beginning that verifies (salvage also finds others, or no log); a bad block. */
function isMendable(error: unknown): boolean {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 4; cause = cause.cause, depth++) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'RINGWAL_CORRUPT' || code === 'RINGWAL_OUT_OF_RANGE' || code === 'EIO') return true;
  }
  return false;
}

/** What tells whether a regular file of `directory` was changed, made or removed since. */
export async function fingerprint(directory: string): Promise<string> {
  const lines: string[] = [];
  for (const name of (await readdir(directory)).sort()) {
    const found = await lstat(join(directory, name), { bigint: true });
    if (found.isFile()) lines.push(`${name} ${found.ino} ${found.size} ${found.mtimeNs}`);
  }
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
