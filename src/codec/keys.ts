/** keys: the caller's callback for encryption keys, and the check of what it gives. */
import { checkOptions } from '../check-options.js';
import { EncryptionError, InvalidArgumentError, shown } from '../errors.js';

/** Gives the key with an id: 32 bytes. It is asked once for each id that is met. */
export type KeyCallback = (keyId: number) => Uint8Array | Promise<Uint8Array>;

/** What `encryption` of `openLog` takes. */
export interface EncryptionOption {
  /** The key for what is appended: 0 to 2^32 - 1. Stored, readable, with each record. */
  readonly keyId: number;
  /** Called on this thread; `openLog` rejects with RINGWAL_ENCRYPTION when it has no key for `keyId`. */
  readonly key: KeyCallback;
}

const known = new Set<string>(['keyId', 'key'] satisfies (keyof EncryptionOption)[]);

/** Throws InvalidArgumentError. */
export function checkEncryption(option: EncryptionOption): void {
  checkOptions('option "encryption"', option, known);
  if (typeof option.key !== 'function')
    throw new InvalidArgumentError('Option "encryption" must be { keyId, key }, `key` a function.');
  checkKeyId(option.keyId);
}

export function checkKeyId(keyId: number): void {
  if (!Number.isInteger(keyId) || keyId < 0 || keyId > 0xffff_ffff)
    throw new InvalidArgumentError(`A key id must be an integer from 0 to 2^32 - 1, not ${shown(keyId)}.`);
}

/** The key, copied. Throws EncryptionError when the callback throws or gives none. */
export async function keyOf(callback: KeyCallback, keyId: number): Promise<Uint8Array> {
  let key: unknown;
  try {
    key = await callback(keyId);
  } catch (cause) {
    throw new EncryptionError(`The callback for encryption keys failed for key id ${keyId}.`, { cause });
  }
  if (!(key instanceof Uint8Array) || key.length !== 32)
    throw new EncryptionError(`The callback for encryption keys must give 32 bytes for key id ${keyId}.`);
  return new Uint8Array(key);
}
