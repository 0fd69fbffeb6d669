/** odd-peers: whoever listens in the place of an I/O worker neither holds who asks, nor fills its memory, nor makes it believe. */
import { mkdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { liveStats } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

/** A directory in which `answer` is what a question is met with. */
async function directoryOf(answer: (socket: Socket) => void): Promise<string> {
  const directory = join(tempDir(), 'log');
  mkdirSync(directory);
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(join(directory, 'lock-1.sock'), resolve));
  onTestFinished(() => void server.close());
  return directory;
}

it.each([
  'null',
  '5',
  '{}',
  '[]',
  '{"stats":null}',
  '{"stats":{}}',
  '{"error":7}',
  'hello',
  '{"stats":',
])('an answer that is none is an error, and not a log that nobody has open: %s', async (answer) => {
  const directory = await directoryOf((socket) => void socket.end(`${answer}\n`));
  await expect(liveStats(directory)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
});

it('an answer that goes on for ever, bit by bit, is waited for no longer than 5 s', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const directory = await directoryOf((socket) => {
    const more = setInterval(() => socket.write(' '), 10);
    socket.once('close', () => clearInterval(more));
    vi.advanceTimersByTime(5000);
  });
  await expect(liveStats(directory)).rejects.toMatchObject({
    code: 'RINGWAL_IO',
    message: expect.stringContaining('no answer within 5 s'),
  });
});

it('an answer without end is cut off', async () => {
  const part = Buffer.alloc(1 << 20, ' ');
  let sent = 0;
  const directory = await directoryOf((socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(part)) sent++;
    };
    socket.on('drain', more);
    more();
  });
  await expect(liveStats(directory)).rejects.toMatchObject({
    code: 'RINGWAL_IO',
    message: expect.stringContaining('no end'),
  });
  expect(sent).toBeLessThan(100);
});
