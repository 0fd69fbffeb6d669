/** append-stream: streams into a log: each chunk is one record, and acknowledged when it is on stable storage. */
import { Writable } from 'node:stream';
import { WritableStream } from 'node:stream/web';
import { checkOptions } from '../check-options.js';
import { shown } from '../errors.js';
import { InvalidArgumentError, type LogAppender, type Payload } from '../index.js';
import { Intake } from './intake.js';

export interface AppendStreamOptions {
  /**
   * Chunks that may be under way, written and not acknowledged; together at most 16 MiB, or one that is larger.
   * Default 256; from 1.
   */
  highWaterMark?: number;
  /** Called with the LSN of each chunk once it is durable, in the order of the chunks. */
  onAppend?: (lsn: number) => void;
}

/** What is needed of a log. */
export type Appends = Pick<LogAppender, 'append'>;

const known = new Set<string>(['highWaterMark', 'onAppend'] satisfies (keyof AppendStreamOptions)[]);
const CHUNKS = 256;

/**
 * A Node Writable, in object mode. The callback of a `write` is called once its chunk is durable; `finish` comes when
 * all are. What arrives while appends are under way is appended together and shares their writes and syncs. The first
 * append that is rejected is the stream's error. The log stays open.
 */
export function appendStream(log: Appends, options: AppendStreamOptions = {}): Writable {
  const { highWaterMark, onAppend } = resolved(log, options);
  // What waits for room as the stream is destroyed is not wanted any more.
  const appendOne = async (chunk: Payload): Promise<number> => {
    if (stream.destroyed) throw destroyedError();
    return log.append(chunk);
  };
  const intake = new Intake({ append: appendOne }, onAppend);
  const append = async (chunks: readonly Payload[]): Promise<void> => {
    await intake.take(chunks);
    await intake.fewerThan(1);
  };
  const stream = new Writable({
    objectMode: true,
    highWaterMark,
    write(chunk: Payload, _encoding, done) {
      settle(append([chunk]), done);
    },
    writev(chunks, done) {
      settle(append(chunks.map(({ chunk }) => chunk as Payload)), done);
    },
  });
  return stream;
}

/**
 * A web stream. A `write` of its writer resolves when fewer than `highWaterMark` chunks are under way, its own
 * included: with 1, when it is durable. `close` resolves when all are. After the first append that is rejected the
 * stream is in error, with its reason. `abort` waits for no append: chunks whose `write` rejects with its reason may
 * be durable or not. The log stays open.
 */
export function appendWritableStream(
  log: Appends,
  options: AppendStreamOptions = {},
): WritableStream<Payload> {
  const { highWaterMark, onAppend } = resolved(log, options);
  let fail: (error: unknown) => void = () => {};
  const intake = new Intake(log, onAppend, (error) => fail(error));
  return new WritableStream<Payload>(
    {
      start(controller) {
        fail = (error) => controller.error(error);
        // An abort waits for the write or close under way, which may be for as long as the disk is full.
        const { signal } = controller as typeof controller & { readonly signal: AbortSignal }; // Node's types lack it
        signal.addEventListener('abort', () => intake.stop(signal.reason));
      },
      async write(chunk) {
        await intake.take([chunk]);
        await intake.fewerThan(highWaterMark);
      },
      close: () => intake.fewerThan(1),
    },
    { highWaterMark },
  );
}

/** Calls `done`, which calls what is the user's, outside of the promise, which would be rejected with what that throws. */
function settle(appended: Promise<void>, done: (error?: Error) => void): void {
  appended.then(
    () => process.nextTick(done),
    (error) => process.nextTick(done, error),
  );
}

/** What Node gives to the callbacks of chunks that it holds when a stream is destroyed. */
function destroyedError(): Error {
  const error = new Error('The stream was destroyed before this chunk was appended.');
  return Object.assign(error, { code: 'ERR_STREAM_DESTROYED' });
}

/** Throws InvalidArgumentError. */
function resolved(log: Appends, options: AppendStreamOptions) {
  if (typeof log?.append !== 'function')
    throw new InvalidArgumentError('A stream of appends needs a log to append to.');
  checkOptions('a stream', options, known);
  const { highWaterMark = CHUNKS, onAppend } = options;
  if (!Number.isSafeInteger(highWaterMark) || highWaterMark < 1)
    throw new InvalidArgumentError(
      `Option "highWaterMark" must be an integer from 1, not ${shown(highWaterMark)}.`,
    );
  if (onAppend !== undefined && typeof onAppend !== 'function')
    throw new InvalidArgumentError('Option "onAppend" must be a function.');
  return { highWaterMark, onAppend };
}
