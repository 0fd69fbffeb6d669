/** independent-opener: opens encrypted records by docs/CODECS.md alone, and by no code of the package. */
import { createDecipheriv, createHash, hkdfSync } from 'node:crypto';

export interface StoredPlace {
  readonly lsn: bigint;
  readonly type: number;
  readonly flags: number;
  readonly ids: Uint8Array;
  /** Of LAST and COMMIT; else empty. */
  readonly span: Uint8Array;
}

/** The plaintext of a stored form. Throws when it does not open. */
export function openIndependently(
  logId: Uint8Array,
  key: Uint8Array,
  stored: Buffer,
  { lsn, type, flags, ids, span }: StoredPlace,
): Buffer {
  const info = Buffer.concat([Buffer.from('ringwal record v1'), logId, stored.subarray(0, 4)]);
  const session = Buffer.from(hkdfSync('sha256', key, stored.subarray(8, 24), info, 32));
  const nonce = Buffer.concat([Buffer.alloc(8), Buffer.from(stored.subarray(4, 8)).reverse()]);
  const place = Buffer.alloc(10);
  place.writeBigUInt64LE(lsn);
  place[8] = type;
  place[9] = flags;
  const decipher = createDecipheriv('aes-256-gcm', session, nonce);
  decipher.setAAD(Buffer.concat([logId, place, ids, span]));
  decipher.setAuthTag(stored.subarray(-16));
  return Buffer.concat([decipher.update(stored.subarray(24, -16)), decipher.final()]);
}

/** The digest of a span with one frame more. */
export function digestIndependently(before: Uint8Array | undefined, stored: Uint8Array): Buffer {
  const bytes = Buffer.concat([before ?? new Uint8Array(0), stored.subarray(-16)]);
  return createHash('sha256').update(bytes).digest();
}
