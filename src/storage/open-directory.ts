/** open-directory: a log directory that is only to be read: none is made. */
import { absoluteDirectory } from '../directory-path.js';
import { IoError } from '../errors.js';
import { NodeStorage } from './node-storage.js';

/** Throws InvalidArgumentError and IoError. */
export async function openDirectory(path: string): Promise<NodeStorage> {
  const directory = absoluteDirectory(path);
  try {
    return await NodeStorage.open(directory, { create: false });
  } catch (cause) {
    throw new IoError(`Opening the directory ${path}`, cause);
  }
}
