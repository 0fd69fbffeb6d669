/** append-stream: streams into a log: each chunk is one record, and acknowledged when it is on stable storage. */
import { Writable } from 'node:stream';
import { WritableStream } from 'node:stream/web';
import { checkOptions } from '../check-options.js';
import { shown } from '../errors.js';
import { InvalidArgumentError, type LogAppender, type Payload } from '../index.js';

export interface AppendStreamOptions {
  /** Chunks that may be under way, written and not acknowledged. Default 256; from 1. */
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
  const { highWaterMark, onAppend } = resolved(options);
  const append = async (chunks: readonly Payload[]): Promise<void> => {
    await Promise.all(
      chunks.map(async (chunk) => {
        const lsn = await log.append(chunk);
        onAppend?.(lsn);
      }),
    );
  };
  return new Writable({
    objectMode: true,
    highWaterMark,
    write(chunk: Payload, _encoding, done) {
      append([chunk]).then(() => done(), done);
    },
    writev(chunks, done) {
      append(chunks.map(({ chunk }) => chunk as Payload)).then(() => done(), done);
    },
  });
}

/**
 * A web stream. A `write` of its writer resolves when fewer than `highWaterMark` chunks are under way, its own
 * included: with 1, when it is durable. `close` resolves when all are. After the first append that is rejected the
 * stream is in error, with its reason. The log stays open.
 */
export function appendWritableStream(
  log: Appends,
  options: AppendStreamOptions = {},
): WritableStream<Payload> {
  const { highWaterMark, onAppend } = resolved(options);
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let fail: (error: unknown) => void = () => {};
  const fewerThan = async (chunks: number): Promise<void> => {
    while (underWay.size >= chunks && !failure) await Promise.race(underWay);
    if (failure) throw failure.error;
  };
  return new WritableStream<Payload>(
    {
      start(controller) {
        fail = (error) => controller.error(error);
      },
      async write(chunk) {
        const appended = (async () => {
          const lsn = await log.append(chunk);
          onAppend?.(lsn);
        })().catch((error: unknown) => {
          failure ??= { error };
          fail(failure.error); // not with the next write only: there may be none
        });
        const settled = appended.then(() => {
          underWay.delete(settled);
        });
        underWay.add(settled);
        await fewerThan(highWaterMark);
      },
      close: () => fewerThan(1),
    },
    { highWaterMark },
  );
}

/** Throws InvalidArgumentError. */
function resolved(options: AppendStreamOptions) {
  checkOptions('a stream', options, known);
  const { highWaterMark = CHUNKS, onAppend } = options;
  if (!Number.isSafeInteger(highWaterMark) || highWaterMark < 1)
    throw new InvalidArgumentError(
      `Option "highWaterMark" must be an integer from 1, not ${shown(highWaterMark)}.`,
    );
  return { highWaterMark, onAppend };
}
