/** key-file: the key of an encrypted log, from a file. */
import { readFile } from 'node:fs/promises';
import type { KeyCallback } from '../index.js';
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

/** Option `key` of a reader: every key id has the key in `path`. Nothing when there is no such file given. */
export async function keyFrom(path: string | undefined): Promise<{ key?: KeyCallback }> {
  if (path === undefined) return {};
  const key = await readKey(path);
  return { key: () => key };
}
