/**
 * record-assembler: makes the records that callers see of the frames that are on disk: puts fragments together,
 * holds the records of a transaction back until it is committed, takes encodings off, and verifies checksums.
 *
 * Frames come in LSN order. What a span still lacks is kept: the fragments of large records that are not whole, and
 * the records of transactions that are open. A span that was open when the log was opened anew never ends; its
 * number says in which epoch it began, and what began in an earlier one is dropped with the first of a later.
 */
import { EMPTY_SPAN, spanDigest } from '../codec/span-digest.js';
import { CorruptError } from '../errors.js';
import { recordChecksum } from '../format/checksum.js';
import {
  COMPRESSED,
  ENCRYPTED,
  HAS_CHECKSUM,
  ID_BYTES,
  IN_TRANSACTION,
  idBytes,
  RECORD_CHECKPOINT,
  RECORD_FIRST,
  RECORD_FULL,
  RECORD_LAST,
  RECORD_TXN_ABORT,
  RECORD_TXN_BEGIN,
  RECORD_TXN_COMMIT,
  type RecordPlace,
} from '../format/record-frame.js';

/** What a record is. `begin`, `commit` and `abort` have no payload, and are read with `transactions: 'all'` only. */
export type RecordType = 'record' | 'checkpoint' | 'begin' | 'commit' | 'abort';

/** One record as `read` yields it. */
export interface LogRecord {
  /** Its log sequence number. */
  readonly lsn: number;
  /** What it was appended as. */
  readonly type: RecordType;
  /** The record's bytes. The caller owns them: no other record and no file shares their memory. */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** When the record's group was written: microseconds since 1970, by the writer's environment. */
  readonly timestampUs: number;
  /** The transaction that it is part of. */
  readonly transaction: number | undefined;
  /**
   * The LSN with which it took effect: its own, or in a transaction that of the commit. Reading goes on behind a
   * record with `from: commitLsn + 1`. In a transaction that is read before its end, its own.
   */
  readonly commitLsn: number;
}

/** Takes encodings off what was stored. Each method throws a RingwalError when it can't. */
export interface PayloadDecoder {
  /**
   * Gets ready for the frames of a group's body that are needed for what takes effect from `from` to `to`; the others are
   * called for them after that.
   */
  prepare(body: Uint8Array, records: number, firstLsn: number, from: number, to?: number): Promise<void>;
  decrypt(stored: Uint8Array, place: RecordPlace): Uint8Array;
  inflate(stored: Uint8Array, lsn: number): Uint8Array<ArrayBuffer>;
}

/** Which transactions are read: those that were committed, at their commit; or everything, as it comes. */
export type TransactionMode = 'committed' | 'all';

interface LargeRecord {
  readonly epoch: number;
  /** Of its parts as far as they are encrypted. */
  digest: Uint8Array;
  readonly parts: Uint8Array[];
}

interface OpenTransaction {
  readonly epoch: number;
  /** Of all its frames as far as they are encrypted. */
  digest: Uint8Array;
  /** What each of its records is, once it takes effect with an LSN: nobody may ever ask for what it holds. */
  readonly records: ((commitLsn: number) => LogRecord)[];
}

const EPOCH_UNIT = 0x1_0000_0000;
const NAMES: Readonly<Record<number, RecordType>> = {
  [RECORD_CHECKPOINT]: 'checkpoint',
  [RECORD_TXN_BEGIN]: 'begin',
  [RECORD_TXN_COMMIT]: 'commit',
  [RECORD_TXN_ABORT]: 'abort',
};

export class RecordAssembler {
  readonly #mode: TransactionMode;
  readonly #from: number;
  readonly #to: number;
  readonly #decoder: PayloadDecoder | undefined;
  readonly #large = new Map<number, LargeRecord>();
  readonly #transactions = new Map<number, OpenTransaction>();
  #epoch = 0;

  /** Gives records that take effect from `from` to `to`. */
  constructor(
    from: number,
    mode: TransactionMode,
    decoder: PayloadDecoder | undefined,
    to = Number.POSITIVE_INFINITY,
  ) {
    this.#from = from;
    this.#to = to;
    this.#mode = mode;
    this.#decoder = decoder;
  }

  /** Takes one frame, its content being `body` from `start` to `end`; adds what is whole with it to `into`. */
  take(
    into: LogRecord[],
    lsn: number,
    type: number,
    flags: number,
    body: Uint8Array,
    start: number,
    end: number,
    stated: number,
    timestampUs: number,
  ): void {
    if (!isNeeded(lsn, type, flags, this.#from, this.#to)) return;
    if (type === RECORD_FULL && (flags & ~HAS_CHECKSUM) === 0) {
      const payload = body.slice(start, end) as Uint8Array<ArrayBuffer>;
      if (flags !== 0) verify(payload, stated, lsn);
      into.push({ lsn, type: 'record', payload, timestampUs, transaction: undefined, commitLsn: lsn });
      return;
    }
    const payloadAt = start + idBytes(type, flags);
    const isInTransaction = (flags & IN_TRANSACTION) !== 0 || type >= RECORD_TXN_BEGIN;
    const isFragment = type >= RECORD_FIRST && type <= RECORD_LAST;
    const transaction = isInTransaction ? this.#id(body, start) : undefined;
    const open = transaction === undefined ? undefined : this.#openTransaction(type, transaction);
    const large = isFragment ? this.#largeRecord(type, this.#id(body, payloadAt - ID_BYTES)) : undefined;
    const isEnd = type === RECORD_LAST || type === RECORD_TXN_COMMIT;
    const ended = type === RECORD_LAST ? large : isEnd ? open : undefined;
    if (isEnd && ended === undefined) {
      if (lsn < this.#from) return;
      this.#checkLacksBeginning(lsn, type, flags);
    }
    const ids = body.subarray(start, payloadAt);
    const place = { lsn, type, flags, ids, span: ended?.digest ?? EMPTY_SPAN };
    const part = this.#opened(body.slice(payloadAt, end), place, open, large);
    if (type >= RECORD_TXN_BEGIN) {
      this.#boundary(into, lsn, type, transaction as number, open, timestampUs);
      return;
    }
    if (isFragment) {
      large?.parts.push(part);
      if (large === undefined || type !== RECORD_LAST) return;
    }
    const isHeld = transaction !== undefined && this.#mode === 'committed';
    if (lsn < this.#from && !isHeld) return;
    const content = large === undefined ? part : joined(large.parts);
    const whole = (commitLsn: number): LogRecord => {
      const payload = (
        (flags & COMPRESSED) === 0 ? content : this.#decoding(lsn).inflate(content, lsn)
      ) as Uint8Array<ArrayBuffer>;
      if ((flags & HAS_CHECKSUM) !== 0) verify(payload, stated, lsn);
      return { lsn, type: NAMES[type] ?? 'record', payload, timestampUs, transaction, commitLsn };
    };
    if (isHeld) open?.records.push(whole);
    else into.push(whole(lsn));
  }

  /** Throws for what ends a span without a beginning, but for a commit in plain that is read as it lies. */
  #checkLacksBeginning(lsn: number, type: number, flags: number): void {
    if (type === RECORD_LAST) throw incomplete(lsn, 'the beginning of this large record');
    if (this.#mode === 'committed' || (flags & ENCRYPTED) !== 0)
      throw incomplete(lsn, 'the transaction that it commits');
  }

  /** The payload of a frame without its encryption; the digests of the spans that it is part of go on with it. */
  #opened(
    stored: Uint8Array,
    place: RecordPlace,
    open: OpenTransaction | undefined,
    large: LargeRecord | undefined,
  ): Uint8Array {
    const isEncrypted = (place.flags & ENCRYPTED) !== 0;
    // One in plain among encrypted ones was put there: with it the digest is none that was sealed.
    for (const span of [open, large])
      if (span !== undefined && (isEncrypted || span.digest.length > 0))
        span.digest = spanDigest(span.digest, stored);
    if (!isEncrypted) return stored;
    return this.#decoding(place.lsn).decrypt(stored, place);
  }

  #boundary(
    into: LogRecord[],
    lsn: number,
    type: number,
    id: number,
    open: OpenTransaction | undefined,
    timestampUs: number,
  ): void {
    if (type !== RECORD_TXN_BEGIN) this.#transactions.delete(id);
    if (lsn < this.#from) return;
    if (this.#mode === 'all') {
      const payload = new Uint8Array(0);
      into.push({
        lsn,
        type: NAMES[type] as RecordType,
        payload,
        timestampUs,
        transaction: id,
        commitLsn: lsn,
      });
    } else if (type === RECORD_TXN_COMMIT) {
      for (const whole of open?.records ?? []) into.push(whole(lsn));
    }
  }

  /** The transaction that a frame of this type is part of; undefined: its beginning was not seen. */
  #openTransaction(type: number, id: number): OpenTransaction | undefined {
    if (type === RECORD_TXN_BEGIN)
      this.#transactions.set(id, { epoch: epochOf(id), digest: EMPTY_SPAN, records: [] });
    return this.#transactions.get(id);
  }

  /** The same of a large record. */
  #largeRecord(type: number, id: number): LargeRecord | undefined {
    if (type === RECORD_FIRST) this.#large.set(id, { epoch: epochOf(id), digest: EMPTY_SPAN, parts: [] });
    const large = this.#large.get(id);
    if (type === RECORD_LAST) this.#large.delete(id);
    return large;
  }

  #decoding(lsn: number): PayloadDecoder {
    if (this.#decoder === undefined)
      throw new CorruptError(`LSN ${lsn} is encoded, and there is no decoder.`);
    return this.#decoder;
  }

  /** A span's number; drops what is open of earlier epochs, which can't end any more. */
  #id(body: Uint8Array, at: number): number {
    const view = new DataView(body.buffer, body.byteOffset + at, ID_BYTES);
    const id = view.getUint32(4, true) * EPOCH_UNIT + view.getUint32(0, true);
    const epoch = epochOf(id);
    if (epoch > this.#epoch) {
      this.#epoch = epoch;
      for (const spans of [this.#large, this.#transactions]) {
        for (const [old, span] of spans) if (span.epoch < epoch) spans.delete(old);
      }
    }
    return id;
  }
}

/** Whether a frame can be needed for what takes effect from `from` to `to`: of those before it, the ones of spans. */
export function isNeeded(lsn: number, type: number, flags: number, from: number, to: number): boolean {
  return lsn <= to && (lsn >= from || idBytes(type, flags) > 0);
}

function epochOf(id: number): number {
  return Math.floor(id / EPOCH_UNIT);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function verify(payload: Uint8Array, stated: number, lsn: number): void {
  if (recordChecksum(payload) === stated) return;
  throw new CorruptError(`The record with LSN ${lsn} does not have the checksum that its caller gave it.`, {
    expectedLsn: lsn,
  });
}

function incomplete(lsn: number, what: string): CorruptError {
  return new CorruptError(`Acknowledged data is missing before LSN ${lsn}: ${what}.`, { expectedLsn: lsn });
}
