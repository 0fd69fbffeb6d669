/** key-file: the key of an encrypted log, from a file. */
import { readFile } from 'node:fs/promises';
import type { ReaderOptions } from '../index.js';
import { CliError } from './failure.js';

const KEY_BYTES = 32;

/** The key in `path`, 32 bytes or 64 hex digits. Throws CliError; never with a byte of what the file holds. */
export async function readKey(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CliError('NO_KEY', `The key file ${path} can't be read: ${error.message}.`);
  });
  if (bytes.length === KEY_BYTES) return bytes;
  const text = bytes.length < 4 * KEY_BYTES ? bytes.toString('latin1').trim() : '';
  if (!/^[0-9a-f]{64}$/i.test(text))
    throw new CliError(
      'NO_KEY',
      `The key file ${path} must hold ${KEY_BYTES} bytes or ${2 * KEY_BYTES} hex digits; it has ${bytes.length} bytes.`,
    );
  return Buffer.from(text, 'hex');
}

/** What is given of how a log is encrypted. */
export interface KeyOptions {
  readonly keyFile?: string;
  readonly plainBefore?: number;
}

/** The same as options of a reader: every key id has the key in the file. */
export async function keyFrom({
  keyFile,
  plainBefore,
}: KeyOptions): Promise<Pick<ReaderOptions, 'key' | 'plainBefore'>> {
  const key = keyFile === undefined ? undefined : await readKey(keyFile);
  return { ...(key && { key: () => key }), ...(plainBefore !== undefined && { plainBefore }) };
}
