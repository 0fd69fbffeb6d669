/** leaving: a stream into a log can be left at any moment, and what its user throws goes where it would go without it. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { appendWritableStream } from '../../dist/src/streams/index.js';
import { turn } from '../support/turns.js';

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

// Callbacks and listeners ran in a reaction of the library's own promise.
it.each([
  ['the callback of a write', "stream.write('x', fail)"],
  ['the callback of a write that fails', "stream.on('error', () => {}).write(5, fail)"],
  ['a listener for drain', "stream.on('drain', fail).write('x')"],
])('what %s throws is an uncaught exception, and no unhandled rejection', (_, use) => {
  const streams = new URL('../../dist/src/streams/index.js', import.meta.url);
  const script = `
    const { appendStream } = await import(${JSON.stringify(streams.href)});
    process.on('uncaughtException', (error, origin) => console.log(origin, error.message));
    const log = { append: async (chunk) => { if (chunk === 5) throw new Error('refused'); return 1; } };
    const fail = () => { throw new Error('of the user'); };
    const stream = appendStream(log, { highWaterMark: 1 });
    ${use};
  `;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  expect(stdout).toBe('uncaughtException of the user\n');
});
