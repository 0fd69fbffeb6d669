/** attach-closed: a handle whose log is gone, or that is none, is answered at once and never waited for. */
import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { attachLog, type LogHandle, type LogOptions, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };
const PATIENCE_MS = 3000;
const index = new URL('../../dist/src/index.js', import.meta.url);

/** What becomes of `attachLog` in a thread of its own: 'attached', an error's code, or 'hangs'. */
async function attachElsewhere(handle: LogHandle): Promise<string> {
  const code = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { attachLog } = await import(workerData.index);
    parentPort.postMessage(await attachLog(workerData.handle).then(() => 'attached', (error) => error.code));
    parentPort.close();`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    workerData: { handle, index: index.href },
    transferList: [handle],
  });
  const outcome = await soon(once(worker, 'message').then(([said]) => String(said)));
  await worker.terminate();
  return outcome;
}

function soon(answer: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('hangs'), PATIENCE_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

const outcome = (handle: unknown): Promise<string> =>
  soon(
    attachLog(handle as LogHandle).then(
      () => 'attached',
      (error: { code: string }) => error.code,
    ),
  );

it('a handle that was made after the log was closed gives RINGWAL_CLOSED, in any thread', async () => {
  const log = await openLog(tempDir(), SMALL);
  await log.close();
  expect(await outcome(log.handle())).toBe('RINGWAL_CLOSED');
  expect(await attachElsewhere(log.handle())).toBe('RINGWAL_CLOSED');
});

it('a handle whose log is closed on its way gives RINGWAL_CLOSED', async () => {
  const log = await openLog(tempDir(), SMALL);
  const answer = attachElsewhere(log.handle());
  await log.close();
  expect(await answer).toBe('RINGWAL_CLOSED');
});

it('a handle that was made before its log was closed gives RINGWAL_CLOSED', async () => {
  const log = await openLog(tempDir(), SMALL);
  const handle = log.handle();
  await log.close();
  expect(await outcome(handle)).toBe('RINGWAL_CLOSED');
});

it('a handle made by a thread that has left the log gives RINGWAL_CLOSED, though the log is open', async () => {
  const log = await openLog(tempDir(), SMALL);
  const attached = await attachLog(log.handle());
  await attached.close();
  expect(await outcome(attached.handle())).toBe('RINGWAL_CLOSED');
  await log.close();
});

it('a handle made by an attached thread serves a third one', async () => {
  const log = await openLog(tempDir(), SMALL);
  const second = await attachLog(log.handle());
  const third = await attachLog(second.handle());
  await second.close();
  expect(await third.append('through two hands')).toBe(1);
  await third.close();
  await log.close();
});

it('a handle that was used, also at the same moment, or passed on gives RINGWAL_INVALID_ARGUMENT', async () => {
  const log = await openLog(tempDir(), SMALL);
  const handle = log.handle();
  const [first, second] = await Promise.all([attachLog(handle), outcome(handle)]);
  expect(second).toBe('RINGWAL_INVALID_ARGUMENT');
  expect(await outcome(handle)).toBe('RINGWAL_INVALID_ARGUMENT');
  expect(await first.append('undisturbed')).toBe(1);
  await first.close();
  expect(await outcome(handle)).toBe('RINGWAL_INVALID_ARGUMENT');
  const passedOn = log.handle();
  const elsewhere = attachElsewhere(passedOn);
  expect(await outcome(passedOn)).toBe('RINGWAL_INVALID_ARGUMENT');
  expect(await elsewhere).toBe('attached');
  await log.close();
});

it('a port that is no handle gives RINGWAL_INVALID_ARGUMENT, whatever it was used for before', async () => {
  const silent = new MessageChannel();
  const talking = new MessageChannel();
  for (const message of [null, 'hello', { greeting: 'hello' }]) talking.port2.postMessage(message);
  const closed = new MessageChannel();
  closed.port1.close();
  const left = new MessageChannel();
  left.port2.close();
  for (const { port1, port2 } of [silent, talking, closed, left]) {
    expect(await outcome(port1)).toBe('RINGWAL_INVALID_ARGUMENT');
    port2.close();
  }
  for (const value of [undefined, null, {}, 'handle', 1]) {
    expect(await outcome(value)).toBe('RINGWAL_INVALID_ARGUMENT');
  }
});
