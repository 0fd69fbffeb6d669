/** directory-path: the check of a directory that a caller names, and what it names at that moment. */
import { resolve } from 'node:path';
import { InvalidArgumentError, IoError } from './errors.js';

/**
 * The absolute path. Call it before anything asynchronous: the working directory may change.
 *
 * Throws InvalidArgumentError, and IoError when a relative path has nothing to be relative to any more.
 */
export function absoluteDirectory(path: string): string {
  // Half a surrogate pair can't be encoded: the system would take the name for another one.
  if (typeof path !== 'string' || path === '' || /\0|\p{Surrogate}/u.test(path))
    throw new InvalidArgumentError('A directory must be a path: a non-empty string of well-formed Unicode.');
  try {
    return resolve(path);
  } catch (cause) {
    throw new IoError(`Finding the directory ${path}`, cause);
  }
}
