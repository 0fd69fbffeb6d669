/** open-directory: a log directory that is only to be read: none is made. */
import { absoluteDirectory } from '../directory-path.js';
import { IoError } from '../errors.js';
import { NodeStorage } from './node-storage.js';

/** Where an open log is, for the threads that read in it. */
export interface LogPlace {
  /** Absolute path of its directory when it was opened. */
  readonly directory: string;
  /** The way to it through what its writer holds open, as long as it does. */
  readonly reach: string;
  /** Tells it from other directories. */
  readonly id: string;
}

/** Throws InvalidArgumentError and IoError. */
export async function openDirectory(path: string): Promise<NodeStorage> {
  const directory = absoluteDirectory(path);
  try {
    return await NodeStorage.open(directory, { create: false });
  } catch (cause) {
    throw new IoError(`Opening the directory ${path}`, cause);
  }
}

/**
 * The directory of a log, wherever it was moved to: what is at its path by now may be another log's, whose records would
 * be taken for its own. Throws IoError: it can't be opened, or was moved, and its writer has closed.
 */
export async function openPlace({ directory, reach, id }: LogPlace): Promise<NodeStorage> {
  let cause: unknown;
  for (const path of [directory, reach]) {
    try {
      const storage = await NodeStorage.open(path, { create: false });
      if (storage.id === id) return storage;
      await storage.close();
      cause ??= new Error('another directory is in its place');
    } catch (error) {
      cause ??= error;
    }
  }
  throw new IoError(`Opening the directory ${directory}`, cause);
}
