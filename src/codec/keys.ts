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
  /**
   * The LSN from which on each record must be encrypted: reading one that is not rejects with RINGWAL_DECRYPTION, as
   * somebody without the key may have put it there. Default 0: all of them. For a log that was encrypted from some record
   * on, and for one that was salvaged: what keeps the place of a lost record is in plain.
   */
  readonly plainBefore?: number;
}

const known = new Set<string>(['keyId', 'key', 'plainBefore'] satisfies (keyof EncryptionOption)[]);

/** Throws InvalidArgumentError. */
export function checkEncryption(option: EncryptionOption): void {
  checkOptions('option "encryption"', option, known);
  if (typeof option.key !== 'function')
    throw new InvalidArgumentError('Option "encryption" must be { keyId, key }, `key` a function.');
  checkKeyId(option.keyId);
  checkPlainBefore(option.plainBefore);
}

export function checkPlainBefore(lsn: number | undefined): void {
  if (lsn !== undefined && !(Number.isSafeInteger(lsn) && lsn >= 0))
    throw new InvalidArgumentError(`Option "plainBefore" must be an LSN, not ${shown(lsn)}.`);
}

export function checkKeyId(keyId: number): void {
  if (!Number.isInteger(keyId) || keyId < 0 || keyId > 0xffff_ffff)
    throw new InvalidArgumentError(`A key id must be an integer from 0 to 2^32 - 1, not ${shown(keyId)}.`);
}

/** Gives a key, copied. Rejects with EncryptionError when there is none, or it is no key. */
export type KeySource = (keyId: number) => Promise<Uint8Array>;

/** The keys that the callback gives: it is asked once for each, also for one that several want at once, until it gives it. */
export function keySource(callback: KeyCallback): KeySource {
  const keys = new Map<number, Promise<Uint8Array>>();
  return (keyId) => {
    const known = keys.get(keyId);
    if (known !== undefined) return known;
    const key = keyOf(callback, keyId);
    keys.set(keyId, key);
    key.catch(() => keys.delete(keyId)); // who asks is told; the next one may have more luck
    return key;
  };
}

async function keyOf(callback: KeyCallback, keyId: number): Promise<Uint8Array> {
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
