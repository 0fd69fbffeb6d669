/** encrypted-log: with which key the records of a log are encrypted, so that none is appended with another or without. */
import { DecryptionError, type EncryptionOption, openReader } from '../index.js';
import { CliError } from './failure.js';
import { readKey } from './key-file.js';

/**
 * Option `encryption` for appending to the log in `directory` (undefined: there is none yet): with the key of `keyFile`,
 * under `keyId` or else the id that the log's last record has. Throws CliError when the log is encrypted and there is no
 * key, or the wrong one.
 */
export async function encryptionFor(
  directory: string | undefined,
  { keyFile, keyId }: { keyFile?: string; keyId?: number },
): Promise<{ encryption?: EncryptionOption }> {
  const key = keyFile === undefined ? undefined : await readKey(keyFile);
  const lastId = directory === undefined ? undefined : await lastKeyId(directory, key);
  if (key === undefined) {
    if (lastId !== undefined)
      throw new CliError(
        'NO_KEY',
        `The records of the log in ${directory} are encrypted, the last one with key ${lastId}; nothing is appended in plain text.`,
        'Give the key with --key-file FILE: 32 bytes, or 64 hex digits.',
      );
    return {};
  }
  return { encryption: { keyId: keyId ?? lastId ?? 0, key: () => key } };
}

/**
 * The id of the key of the last record; undefined when it is not encrypted, or there is none. What keeps the places of lost
 * records at the end of a salvaged log (aborts in plain) tells nothing: then it is looked for before that.
 */
async function lastKeyId(directory: string, key: Uint8Array | undefined): Promise<number | undefined> {
  let asked: number | undefined;
  await using reader = await openReader(directory, {
    ...(key && {
      plainBefore: Number.MAX_SAFE_INTEGER, // it may be in plain
      key: (keyId: number) => {
        asked = keyId;
        return key;
      },
    }),
  });
  const { firstLsn, lastLsn } = reader;
  try {
    for (let back = 0; ; back = 2 * back + 1) {
      const from = Math.max(firstLsn, lastLsn - back);
      let isPlain = false;
      for await (const { type } of reader.read({ from, transactions: 'all' })) isPlain ||= type !== 'abort';
      if (asked !== undefined || isPlain || from === firstLsn) return asked;
    }
  } catch (error) {
    if (!(error instanceof DecryptionError)) throw error;
    if (key === undefined) return error.details.keyId;
    throw error;
  }
}
