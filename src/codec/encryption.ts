/**
 * encryption: records sealed and opened with AES-256-GCM.
 *
 * Stored form: u32 LE key id, u32 LE counter, 16 bytes session salt, ciphertext, 16 bytes tag.
 *
 * A *session* is one use of a key by one opening of the log. Its key is HKDF-SHA256 of the caller's key, with the
 * session's random salt and "ringwal record v1", the log id and the key id as info. The nonce is the counter, which
 * counts the records of the session from 0 (8 zero bytes, then u32 BE); before it would wrap, and when the key
 * changes, a new session begins.
 *
 * No nonce is used twice under one key: within a session the counter only grows, and it is kept in memory alone, never
 * read back. Sessions have keys of their own, as their salts are 128 random bits: also when the log is opened again,
 * when a copy of the directory is restored and written to beside the original, when two processes fork from one, and
 * when LSNs are given out anew. Nothing is derived from LSNs, clocks or files.
 *
 * The log id, the record's LSN, type, flags and ids are bound as associated data (16 bytes, u64 LE, u8, u8, and the ids as
 * they lie before the payload): a record that is moved to another place, another log, another transaction, or another type
 * does not open. What ends a span is also bound to what belongs to that (span-digest).
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { DecryptionError, EncryptionError } from '../errors.js';
import type { RecordPlace } from '../format/record-frame.js';

/** Bytes before and behind the ciphertext. */
export const SEAL_PREFIX_BYTES = 24;
export const TAG_BYTES = 16;
export const SEAL_OVERHEAD_BYTES = SEAL_PREFIX_BYTES + TAG_BYTES;

const SALT_OFFSET = 8;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const LARGEST_COUNTER = 0xffff_ffff;
const ALGORITHM = 'aes-256-gcm';
const MOST_SESSIONS = 64;

export interface EncryptionKey {
  readonly keyId: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** Seals records of one log; one session after the other. */
export class RecordSealer {
  readonly #logId: Uint8Array;
  readonly #randomBytes: (bytes: number) => Uint8Array;
  #current: EncryptionKey;
  #salt: Uint8Array = new Uint8Array(SALT_BYTES);
  #sessionKey: Uint8Array = new Uint8Array(KEY_BYTES);
  #counter = 0;
  /** Plaintexts are copied here: ring memory is shared, which node:crypto does not take everywhere. */
  #scratch = Buffer.alloc(4096);

  constructor(logId: Uint8Array, key: EncryptionKey, randomBytes: (bytes: number) => Uint8Array) {
    this.#logId = logId;
    this.#randomBytes = randomBytes;
    this.#current = key;
    this.#beginSession(key);
  }

  /** Seals with another key from now on. */
  rotate(key: EncryptionKey): void {
    this.#beginSession(key);
  }

  /**
   * Replaces the `bytes` of plaintext at `offset` + SEAL_PREFIX_BYTES by their stored form, which begins at `offset`.
   * Throws EncryptionError; the place then holds what it held before.
   */
  seal(target: Uint8Array, offset: number, bytes: number, place: RecordPlace): void {
    try {
      if (this.#counter > LARGEST_COUNTER) this.#beginSession(this.#current);
      const counter = this.#counter++;
      if (this.#scratch.length < bytes) this.#scratch = Buffer.alloc(2 * bytes);
      const plain = this.#scratch.subarray(0, bytes);
      const start = offset + SEAL_PREFIX_BYTES;
      plain.set(target.subarray(start, start + bytes));
      const cipher = createCipheriv(ALGORITHM, this.#sessionKey, nonceOf(counter), {
        authTagLength: TAG_BYTES,
      });
      cipher.setAAD(associated(this.#logId, place));
      const sealed = cipher.update(plain);
      cipher.final();
      const tag = cipher.getAuthTag();
      plain.fill(0);
      const view = new DataView(target.buffer, target.byteOffset + offset, SEAL_PREFIX_BYTES);
      view.setUint32(0, this.#current.keyId, true);
      view.setUint32(4, counter, true);
      target.set(this.#salt, offset + SALT_OFFSET);
      target.set(sealed, start);
      target.set(tag, start + bytes);
    } catch (cause) {
      throw new EncryptionError('The record could not be encrypted.', { cause });
    }
  }

  /** All of it, or, when it throws, nothing: what is stated with a record must be what it was sealed with. */
  #beginSession(key: EncryptionKey): void {
    const salt = this.#randomBytes(SALT_BYTES);
    this.#sessionKey = sessionKey(key, salt, this.#logId);
    this.#salt = salt;
    this.#current = key;
    this.#counter = 0;
  }
}

/** The key id of a stored form; undefined when it is too short to be one. */
export function keyIdOf(stored: Uint8Array): number | undefined {
  if (stored.length < SEAL_OVERHEAD_BYTES) return undefined;
  return new DataView(stored.buffer, stored.byteOffset, 4).getUint32(0, true);
}

/** Opens records of one log, with the keys it was given. */
export class RecordOpener {
  readonly #logId: Uint8Array;
  readonly #keys = new Map<number, Uint8Array>();
  /** Session keys by key id and salt, the least recently made first. */
  readonly #sessions = new Map<string, Uint8Array>();

  constructor(logId: Uint8Array) {
    this.#logId = logId;
  }

  hasKey(keyId: number): boolean {
    return this.#keys.has(keyId);
  }

  addKey({ keyId, key }: EncryptionKey): void {
    this.#keys.set(keyId, key);
  }

  /** The plaintext. Throws DecryptionError when the key is not there, is wrong, or anything was changed. */
  open(stored: Uint8Array, place: RecordPlace): Uint8Array<ArrayBuffer> {
    const { lsn } = place;
    const keyId = keyIdOf(stored);
    if (keyId === undefined) throw new DecryptionError(lsn, 0, 'it is too short to be encrypted');
    const key = this.#keys.get(keyId);
    if (key === undefined) throw new DecryptionError(lsn, keyId, `there is no key with id ${keyId}`);
    const view = new DataView(stored.buffer, stored.byteOffset, SEAL_PREFIX_BYTES);
    const salt = stored.slice(SALT_OFFSET, SALT_OFFSET + SALT_BYTES);
    const end = stored.length - TAG_BYTES;
    try {
      const decipher = createDecipheriv(
        ALGORITHM,
        this.#session({ keyId, key }, salt),
        nonceOf(view.getUint32(4, true)),
        { authTagLength: TAG_BYTES },
      );
      decipher.setAAD(associated(this.#logId, place));
      decipher.setAuthTag(stored.subarray(end));
      const plain = decipher.update(stored.subarray(SEAL_PREFIX_BYTES, end));
      decipher.final();
      return new Uint8Array(plain); // memory of its own, not of Node's pool
    } catch (cause) {
      throw new DecryptionError(lsn, keyId, 'the key is wrong, or the record was changed', { cause });
    }
  }

  #session(key: EncryptionKey, salt: Uint8Array): Uint8Array {
    const name = `${key.keyId}/${Buffer.from(salt).toString('hex')}`;
    const known = this.#sessions.get(name);
    if (known !== undefined) return known;
    if (this.#sessions.size >= MOST_SESSIONS)
      this.#sessions.delete(this.#sessions.keys().next().value as string);
    const made = sessionKey(key, salt, this.#logId);
    this.#sessions.set(name, made);
    return made;
  }
}

function sessionKey({ keyId, key }: EncryptionKey, salt: Uint8Array, logId: Uint8Array): Uint8Array {
  const id = Buffer.alloc(4);
  id.writeUInt32LE(keyId);
  const info = Buffer.concat([Buffer.from('ringwal record v1'), logId, id]);
  return new Uint8Array(hkdfSync('sha256', key, salt, info, KEY_BYTES));
}

function nonceOf(counter: number): Uint8Array {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(counter, 8);
  return nonce;
}

function associated(logId: Uint8Array, { lsn, type, flags, ids, span }: RecordPlace): Uint8Array {
  const bytes = Buffer.alloc(26 + ids.length + span.length);
  bytes.set(logId, 0);
  bytes.writeUInt32LE(lsn >>> 0, 16);
  bytes.writeUInt32LE(Math.floor(lsn / 0x1_0000_0000), 20);
  bytes.writeUInt8(type, 24);
  bytes.writeUInt8(flags, 25);
  bytes.set(ids, 26);
  bytes.set(span, 26 + ids.length);
  return bytes;
}
