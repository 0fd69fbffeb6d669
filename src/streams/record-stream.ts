/** record-stream: the records of a read or tail as a stream, at the pace at which the stream is read. */
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { checkOptions } from '../check-options.js';
import { shown } from '../errors.js';
import { InvalidArgumentError, type LogRecord } from '../index.js';

/** Options of `toReadable`. */
export interface RecordStreamOptions {
  /** Records that the stream reads ahead. Default 16; from 0. */
  highWaterMark?: number;
}

const known = new Set<string>(['highWaterMark'] satisfies (keyof RecordStreamOptions)[]);

/**
 * A Node Readable, in object mode, of what `log.read`, `log.tail` or the like return. Destroying it ends the read or
 * tail, also one that waits for a record; what that throws is the stream's error.
 */
export function toReadable(records: AsyncIterable<LogRecord>, options: RecordStreamOptions = {}): Readable {
  checkRecords(records);
  checkOptions('toReadable', options, known);
  const { highWaterMark = 16 } = options;
  if (!Number.isSafeInteger(highWaterMark) || highWaterMark < 0)
    throw new InvalidArgumentError(
      `Option "highWaterMark" must be an integer from 0, not ${shown(highWaterMark)}.`,
    );
  return Readable.from(records, { objectMode: true, highWaterMark });
}

/** The same as a web stream, which reads nothing ahead. Cancelling it ends the read or tail. */
export function toWebStream(records: AsyncIterable<LogRecord>): ReadableStream<LogRecord> {
  checkRecords(records);
  const iterator = records[Symbol.asyncIterator]();
  return new ReadableStream<LogRecord>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** Throws InvalidArgumentError. Node would make a stream of a string, or of what is no record. */
function checkRecords(records: AsyncIterable<LogRecord>): void {
  if (typeof records?.[Symbol.asyncIterator] !== 'function')
    throw new InvalidArgumentError('A stream of records is made of what `read` or `tail` return.');
}
