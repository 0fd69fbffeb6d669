/** back-pressure: a stream into a log holds its source back; what it has under way never is more than a log has room for. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { appendStream, appendWritableStream } from '../../dist/src/streams/index.js';
import { tempDir } from '../support/temp-dir.js';
import { turn } from '../support/turns.js';

const MiB = 1024 * 1024;

/** A log whose appends are acknowledged by hand, oldest first. */
function manual() {
  const waiting: (() => void)[] = [];
  const log = { append: () => new Promise<number>((resolve) => waiting.push(() => resolve(1))) };
  return { log, waiting };
}

const kinds: [string, (log: never) => WritableStream<Uint8Array> | NodeJS.WritableStream][] = [
  ['Node', (log) => appendStream(log)],
  ['web', (log) => appendWritableStream(log) as never],
];

/** Has `chunks` go through the stream, at the pace at which it takes them. */
function through(stream: WritableStream<Uint8Array> | NodeJS.WritableStream, chunks: Uint8Array[]) {
  const source = Readable.from(chunks);
  return 'getWriter' in stream ? Readable.toWeb(source).pipeTo(stream) : pipeline(source, stream);
}

describe.each(kinds)('a %s stream into a log', (_, make) => {
  it('is never told that the log is overloaded by its own chunks', async () => {
    const log = await openLog(tempDir(), {
      ...{ segmentBytes: 4 * MiB, ringBytes: 2 * MiB, maxGroupBytes: MiB, maxWaitingBytes: 20 * MiB },
    });
    const chunk = new Uint8Array(MiB / 2);
    await through(make(log as never), new Array(60).fill(chunk));
    expect(log.durableLsn).toBe(60);
    await log.close();
  });

  it('has at most 16 MiB under way, or one chunk that is larger', async () => {
    const { log, waiting } = manual();
    const sizes = [...new Array(40).fill(MiB), 20 * MiB, 20 * MiB, ...new Array(20).fill(MiB)];
    const done = through(
      make(log as never),
      sizes.map((size) => new Uint8Array(size)),
    );
    let settled = 0;
    let most = 0;
    while (settled < sizes.length) {
      await turn();
      const underWay: number[] = sizes.slice(settled, settled + waiting.length);
      const bytes = underWay.reduce((sum, size) => sum + size, 0);
      most = Math.max(most, waiting.length);
      expect(bytes <= 16 * MiB || underWay.length === 1, `${underWay.length} chunks, ${bytes} bytes`).toBe(
        true,
      );
      if (waiting.length > 0) settled++;
      waiting.shift()?.();
    }
    await done;
    expect(most).toBe(16);
  });
});

it('a Node stream that is destroyed appends no more of what waits for room, and acknowledges none of it', async () => {
  const { log, waiting } = manual();
  const stream = appendStream(log as never);
  const told: unknown[] = [];
  stream.on('error', (error) => told.push(error));
  for (let i = 0; i < 40; i++) stream.write(new Uint8Array(MiB), (error) => told.push(error ?? 'durable'));
  waiting.shift()?.();
  await turn();
  expect({ told, underWay: waiting.length }).toEqual({ told: ['durable'], underWay: 16 });
  stream.destroy();
  for (const acknowledge of waiting.splice(0)) acknowledge();
  await turn();
  expect(waiting.length).toBe(0);
  expect(told.slice(1)).toEqual(
    new Array(39).fill(expect.objectContaining({ code: 'ERR_STREAM_DESTROYED' })),
  );
});
