/** open-reader: opens the log of a directory for reading, beside its writer or without one. */
import { checkOptions } from '../check-options.js';
import { checkPlainBefore, type KeyCallback, keySource } from '../codec/keys.js';
import { InvalidArgumentError } from '../errors.js';
import { DirectoryLock } from '../lock/directory-lock.js';
import { LARGEST_PAYLOAD_BYTES } from '../options.js';
import { openDirectory } from '../storage/open-directory.js';
import { DirectoryReader, type LogReader } from './log-reader.js';

/** Options of `openReader`. */
export interface ReaderOptions {
  /** Gives the keys of a log that is encrypted: 32 bytes for a key id, asked once for each. */
  readonly key?: KeyCallback;
  /**
   * Needs `key`: the LSN from which on each record must be encrypted; reading one that is not rejects with RINGWAL_DECRYPTION.
   * Default 0: all of them. As in `encryption` of `openLog`.
   */
  readonly plainBefore?: number;
  /** Largest payload that is inflated, in bytes. Default and most 1 GiB. */
  readonly maxInflatedBytes?: number;
}

/**
 * Opens the log in directory `path` for reading: also while this or another process has it open for writing, after a
 * crash, or before anything was written. Takes no lock, changes nothing, and never holds the writer up.
 *
 * Rejects with RINGWAL_INVALID_ARGUMENT, RINGWAL_IO when the directory is not there or can't be read, RINGWAL_CORRUPT
 * when acknowledged data is damaged, and RINGWAL_UNSUPPORTED_VERSION. Dispose of it with `close`, or `await using`.
 */
export async function openReader(path: string, options: ReaderOptions = {}): Promise<LogReader> {
  const { key, plainBefore, maxInflatedBytes } = checkReaderOptions(options);
  const storage = await openDirectory(path);
  try {
    const { directory, reach } = storage;
    const isWriterAlive = (): Promise<boolean> => DirectoryLock.isHeld(directory, reach);
    return await DirectoryReader.open({
      directory,
      storage,
      isWriterAlive,
      key: key && keySource(key),
      plainBefore,
      maxInflatedBytes,
    });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

const known = new Set<string>(['key', 'plainBefore', 'maxInflatedBytes'] satisfies (keyof ReaderOptions)[]);

function checkReaderOptions(options: ReaderOptions) {
  checkOptions('openReader', options, known);
  const { key, plainBefore, maxInflatedBytes = LARGEST_PAYLOAD_BYTES } = options;
  if (key !== undefined && typeof key !== 'function')
    throw new InvalidArgumentError('Option "key" of openReader must be a function.');
  checkPlainBefore(plainBefore);
  if (plainBefore !== undefined && key === undefined)
    throw new InvalidArgumentError('Option "plainBefore" of openReader needs option "key".');
  if (!Number.isInteger(maxInflatedBytes) || maxInflatedBytes < 1 || maxInflatedBytes > LARGEST_PAYLOAD_BYTES)
    throw new InvalidArgumentError(`Option "maxInflatedBytes" must be from 1 to ${LARGEST_PAYLOAD_BYTES}.`);
  return { key, plainBefore: key && (plainBefore ?? 0), maxInflatedBytes };
}
