/** write-batch: puts and deletes that are logged together, all or none. */
import { InvalidArgumentError } from '../errors.js';
import type { AppendOptions, LogAppender, LsnRange } from '../index.js';
import { type Bytes, encodeOperation } from './operation.js';

/**
 * Puts and deletes in the order in which they were called. Each is one record and takes one LSN, so the n-th
 * operation of a batch (from 0) has the LSN `first + n`. The same key may come more than once: the last one is
 * meant to win, when the batch is applied in order.
 */
export class WriteBatch {
  #payloads: Uint8Array[] = [];
  #bytes = 0;

  /** Operations, which is also how many LSNs the batch takes. */
  get length(): number {
    return this.#payloads.length;
  }

  /**
   * Bytes of all encoded operations: 8 each, and keys and values. In a group of the log (`maxGroupBytes`) each
   * operation takes 8 to 15 bytes more.
   */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a put. The bytes of key and value are taken before it returns: their memory can be reused at once.
   * Throws InvalidArgumentError when one is neither string nor Uint8Array, TooLargeError when no log could take
   * them (512 MiB); the batch then is as it was.
   */
  put(key: Bytes, value: Bytes): this {
    if (value === undefined) throw new InvalidArgumentError('A put needs a value; it may be empty.');
    return this.#add(encodeOperation(key, value));
  }

  /** Adds a delete. Takes the key's bytes, and throws, as `put` does. */
  delete(key: Bytes): this {
    return this.#add(encodeOperation(key, undefined));
  }

  /** Forgets all operations, so that the batch can be used again; at once, also while it is being written. */
  clear(): void {
    this.#payloads = [];
    this.#bytes = 0;
  }

  /**
   * One payload per operation, in order, fit for `log.appendBatch`. The array is the caller's; the payloads are
   * the batch's own memory, to be read only.
   */
  encode(): Uint8Array[] {
    return [...this.#payloads];
  }

  #add(payload: Uint8Array): this {
    this.#payloads.push(payload);
    this.#bytes += payload.length;
    return this;
  }
}

/**
 * Appends a batch, all or nothing, also after a crash; resolves with its LSNs (`last` is the last operation's)
 * once all of it is on stable storage. What the batch holds is taken before `writeBatch` returns.
 *
 * `options.signal` ends the wait for room in the ring, as for `append`. Rejects with RINGWAL_INVALID_ARGUMENT
 * when the batch is empty or none, with RINGWAL_TOO_LARGE when it does not fit into one group (`maxGroupBytes`,
 * `maxGroupRecords`; nothing was written), and else as `log.appendBatch` does.
 */
export async function writeBatch(
  log: Pick<LogAppender, 'appendBatch'>,
  batch: WriteBatch,
  options?: AppendOptions,
): Promise<LsnRange> {
  // By what it can do, not `instanceof`: two copies of this package in one process have two classes.
  if (typeof batch?.encode !== 'function')
    throw new InvalidArgumentError('What is to be written must be a WriteBatch.');
  if (batch.length === 0)
    throw new InvalidArgumentError('The batch is empty: put or delete something first.');
  return log.appendBatch(batch.encode(), options);
}
