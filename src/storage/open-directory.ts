/** open-directory: a log directory that is only to be read: none is made. */
import { InvalidArgumentError, IoError } from '../errors.js';
import { NodeStorage } from './node-storage.js';

/** Throws InvalidArgumentError and IoError. */
export async function openDirectory(path: string): Promise<NodeStorage> {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new InvalidArgumentError('The log directory must be a path, a non-empty string.');
  }
  try {
    return await NodeStorage.open(path, { create: false });
  } catch (cause) {
    throw new IoError(`Opening the directory ${path}`, cause);
  }
}
