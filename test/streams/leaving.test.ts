/** leaving: a stream into a log can be left at any moment, whatever the log is waiting for. */
import { describe, expect, it } from 'vitest';
import { appendWritableStream } from '../../dist/src/streams/index.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A log that acknowledges nothing, as one does whose disk is full. */
const stalled = { append: () => new Promise<number>(() => {}) } as never;

/** What has become of it when all is done that can be done. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const settled = promise.then(
    () => 'resolved',
    (error: Error) => error.message,
  );
  for (let i = 0; i < 10; i++) await turn();
  return Promise.race([settled, Promise.resolve('pending')]);
}

describe('abort of a web stream into a log that stalls', () => {
  it('takes effect at once, and no chunk that is not durable was acknowledged', async () => {
    const writer = appendWritableStream(stalled, { highWaterMark: 1 }).getWriter();
    const written = writer.write('x');
    const waiting = writer.write('y');
    await turn();
    const aborted = writer.abort(new Error('enough'));
    const outcomes = Promise.all([aborted, written, waiting, writer.closed].map(outcome));
    expect(await outcomes).toEqual(['resolved', 'enough', 'enough', 'enough']);
  });

  it('also while it is being closed', async () => {
    const stream = appendWritableStream(stalled);
    const writer = stream.getWriter();
    await writer.write('x');
    const closed = writer.close();
    await turn();
    const aborted = writer.abort(new Error('enough'));
    expect(await Promise.all([closed, aborted, writer.closed].map(outcome))).toEqual(
      new Array(3).fill('enough'),
    );
  });
});
