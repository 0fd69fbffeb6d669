/** log-directory: whether there is a log in a directory, looked at without making or changing anything. */
import { stat } from 'node:fs/promises';
import { listSegments, type SegmentListing } from '../index.js';
import { CliError } from './failure.js';

/** The segments of the log in `path`, oldest first, at least one. Throws CliError, and as `listSegments` does. */
export async function segmentsOf(path: string): Promise<SegmentListing[]> {
  await checkDirectory(path);
  const segments = await listSegments(path);
  if (segments.length === 0)
    throw new CliError(
      'NO_LOG',
      `${path} holds no log.`,
      'Give the directory that `openLog` is called with.',
    );
  return segments;
}

/** Throws CliError when `path` is no directory. */
export async function checkDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (found === undefined)
    throw new CliError('NO_DIRECTORY', `There is no directory ${path}.`, 'Check the path; nothing was made.');
  if (!found.isDirectory())
    throw new CliError(
      'NOT_A_DIRECTORY',
      `${path} is not a directory.`,
      'Give the directory of the log, not a file of it.',
    );
}
