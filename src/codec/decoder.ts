/**
 * decoder: takes encryption and compression off what is read; asks for each key once, when it is first met; and refuses what
 * is not encrypted, where all should be.
 */
import { DecryptionError } from '../errors.js';
import { ENCRYPTED, idBytes, type RecordPlace } from '../format/record-frame.js';
import { sameBytes } from '../format/same-bytes.js';
import { isNeeded, type PayloadDecoder } from '../read/record-assembler.js';
import { walkRecords } from '../segment/records.js';
import { decompress } from './compression.js';
import { keyIdOf, RecordOpener } from './encryption.js';
import type { KeySource } from './keys.js';

const IN_PLAIN =
  'it is not encrypted. Somebody without the key put it there; or the log was encrypted from a later record on, or was ' +
  'salvaged, and option "plainBefore" must say up to where records may be in plain';

export class Decoder implements PayloadDecoder {
  readonly #logId: Uint8Array;
  readonly #opener: RecordOpener;
  readonly #key: KeySource | undefined;
  readonly #limitBytes: number;
  readonly #plainBefore: number;

  /** `plainBefore`: the LSN from which on records in plain are refused. */
  constructor(logId: Uint8Array, key: KeySource | undefined, limitBytes: number, plainBefore: number) {
    this.#logId = logId;
    this.#opener = new RecordOpener(logId);
    this.#key = key;
    this.#limitBytes = limitBytes;
    this.#plainBefore = plainBefore;
  }

  /** Whether it is for the records of the log with that id: those of others don't open. */
  isOf(logId: Uint8Array): boolean {
    return sameBytes(this.#logId, logId);
  }

  async prepare(
    body: Uint8Array,
    records: number,
    firstLsn: number,
    from: number,
    to = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const missing = new Map<number, number>();
    walkRecords(body, records, firstLsn, (lsn, type, flags, start, end) => {
      if (!isNeeded(lsn, type, flags, from, to)) return;
      if ((flags & ENCRYPTED) === 0) {
        if (lsn >= this.#plainBefore) throw new DecryptionError(lsn, undefined, IN_PLAIN);
        return;
      }
      const keyId = keyIdOf(body.subarray(start + idBytes(type, flags), end));
      if (keyId !== undefined && !this.#opener.hasKey(keyId) && !missing.has(keyId)) missing.set(keyId, lsn);
    });
    for (const [keyId, lsn] of missing) {
      if (this.#key === undefined)
        throw new DecryptionError(
          lsn,
          keyId,
          'no key was given (option "encryption" of openLog, "key" of openReader and attachLog)',
        );
      const key = await this.#key(keyId).catch((cause: unknown) => {
        throw new DecryptionError(lsn, keyId, `there is no key with id ${keyId}`, { cause });
      });
      this.#opener.addKey({ keyId, key });
    }
  }

  decrypt(stored: Uint8Array, place: RecordPlace): Uint8Array {
    return this.#opener.open(stored, place);
  }

  inflate(stored: Uint8Array, lsn: number): Uint8Array<ArrayBuffer> {
    return decompress(stored, this.#limitBytes, lsn);
  }
}

/** A decoder that is made when it is first needed. */
export function lateDecoder(make: () => PayloadDecoder): PayloadDecoder {
  let made: PayloadDecoder | undefined;
  const decoder = (): PayloadDecoder => {
    made ??= make();
    return made;
  };
  return {
    prepare: (...args) => decoder().prepare(...args),
    decrypt: (stored, place) => decoder().decrypt(stored, place),
    inflate: (stored, lsn) => decoder().inflate(stored, lsn),
  };
}
