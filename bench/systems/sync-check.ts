/**
 * sync-check: whether a system really syncs: it makes appends one after the other, with a pause before each, and those
 * are counted during which a sync of its own both began and ended.
 *
 * Which count is the honest one? Not the number of syncs: a store may sync twice for one append and for another not at
 * all, or after its answer. So what counts is an append that was not answered before a sync. With one append at a time
 * there is nothing that a sync could share, so that each must have one; the pause keeps a late sync of the last append
 * from being taken for one of the next.
 *
 * By strace, where it is installed and may trace: the calls of the process and of its children on files in the
 * directory: fsync, fdatasync, syncfs, msync(MS_SYNC), writes to files opened with O_DSYNC or O_SYNC, and pwritev2 with
 * RWF_DSYNC or RWF_SYNC. Not sync_file_range, which flushes neither the disk's cache nor the length of the file.
 *
 * Otherwise by the disk's counter of flushes in /proc/diskstats (Linux 5.5). It proves more, that the disk was told, and
 * is less certain: it counts the flushes of all processes, so that an idle system is needed; flushes at the same time
 * are merged into one; a disk without a volatile cache gets none; and a write with FUA is none.
 */
import { execFile } from 'node:child_process';
import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findProgram } from './server.js';
import type { SyncCheckAnswer, SyncCheckTask } from './sync-check-process.js';
import { synced } from './sync-trace.js';

export interface SyncCount {
  readonly appends: number;
  /** Appends during which there was a sync; less than `appends`: the system answers before it has synced. */
  readonly syncs: number;
  readonly by: 'strace' | 'diskstats';
}

const MOST_MS = 90_000;
const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('./sync-check-process.js', import.meta.url));

/** The question mark: there are machines without this call. */
const CALLS = [
  ...['fsync', 'fdatasync', '?syncfs', '?sync', 'msync'],
  ...['?open', 'openat', 'write', 'pwrite64', 'writev', 'pwritev', '?pwritev2'],
  ...['?access', 'faccessat', '?faccessat2'],
];

/** Counts the syncs of the system of that name, in `directory`, which must be empty; or says why it could not. */
export async function countSyncs(
  kind: string,
  directory: string,
  appends: number,
): Promise<SyncCount | string> {
  const task: SyncCheckTask = { kind, directory: realpathSync(directory), appends };
  const command = [process.execPath, PROGRAM, JSON.stringify(task)] as const;
  const trace = `${task.directory}.trace`;
  try {
    if (await mayTrace()) {
      const options = ['-f', '-y', '-qq', '-s', '0', '-e', 'signal=none', '-e', `trace=${CALLS.join(',')}`];
      await run('strace', [...options, '-o', trace, ...command], { timeout: MOST_MS });
      return {
        appends,
        syncs: synced(readFileSync(trace, 'utf8').split('\n'), task.directory),
        by: 'strace',
      };
    }
    const [program, ...parameters] = command;
    const { stdout } = await run(program, parameters, { timeout: MOST_MS });
    const answer = JSON.parse(stdout) as SyncCheckAnswer;
    return answer.uncounted ?? { appends, syncs: answer.flushed, by: 'diskstats' };
  } catch (error) {
    return `the check failed: ${error instanceof Error ? error.message : error}`;
  } finally {
    rmSync(trace, { force: true });
  }
}

/** Tracing may be forbidden, in containers above all. */
async function mayTrace(): Promise<boolean> {
  if (findProgram('strace') === undefined) return false;
  try {
    await run('strace', ['-f', '-y', '-qq', '-o', '/dev/null', 'true'], { timeout: MOST_MS });
    return true;
  } catch {
    return false;
  }
}
