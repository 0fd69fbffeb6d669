/**
 * thread-ends: however a thread ends that has a part in a log, what it had published is written, its ring goes with
 * it, and the others go on.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { type Log, type LogOptions, openLog } from '../../dist/src/index.js';
import { Prng, testSeed } from '../support/prng.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };
const index = new URL('../../dist/src/index.js', import.meta.url);

/**
 * A thread that attaches to `log` as `attached` and runs `code`. Its errors are expected: whoever waits for one of its
 * messages with `once` must have it before it throws, or hears of the error instead.
 */
function threadOf(log: Log, code: string): Worker {
  const handle = log.handle();
  const whole = `
    import { once } from 'node:events';
    import { parentPort, workerData } from 'node:worker_threads';
    const { attachLog } = await import(workerData.index);
    const attached = await attachLog(workerData.handle);
    ${code}`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(whole)}`), {
    workerData: { handle, index: index.href },
    transferList: [handle],
  });
  worker.on('error', () => {});
  return worker;
}

async function payloads(log: Log): Promise<string[]> {
  const all: string[] = [];
  for await (const { payload } of log.read()) all.push(Buffer.from(payload).toString());
  return all;
}

async function expectDropped(log: Log): Promise<void> {
  await expect.poll(async () => (await log.stats()).producers, { timeout: 10_000 }).toBe(1);
}

/** Appends are published once the microtasks of their turn have run. */
const PUBLISH = `for (let i = 0; i < 30; i++) attached.append('published').catch(() => {});
  await null;`;

const ends: readonly (readonly [how: string, published: number, code: string])[] = [
  ['process.exit(), with appends under way', 30, `${PUBLISH} process.exit(0);`],
  ['process.exit() in the middle of a turn', 0, `void attached.append('unpublished'); process.exit(0);`],
  ['an exception', 30, `${PUBLISH} throw new Error('simulated');`],
  ['a rejection that nobody handles', 30, `${PUBLISH} Promise.reject(new Error('simulated'));`],
  ['terminate()', 30, `${PUBLISH} parentPort.postMessage('published'); for (;;);`],
  ['its code being over', 30, PUBLISH],
  ['close()', 30, `${PUBLISH} await attached.close();`],
];

it.each(ends)('by %s', async (how, published, ending) => {
  const log = await openLog(tempDir(), SMALL);
  const code = `
    parentPort.postMessage(await attached.append('first'));
    await once(parentPort, 'message');
    ${ending}`;
  const worker = threadOf(log, code);
  const exit = new Promise((resolve) => worker.once('exit', resolve));
  expect((await once(worker, 'message'))[0]).toBe(1);
  expect((await log.stats()).producers).toBe(2);
  worker.postMessage('go on');
  if (how === 'terminate()') {
    await once(worker, 'message');
    await worker.terminate();
  }
  await exit;
  await expectDropped(log);
  const lsn = await log.append('mine');
  expect(lsn).toBe(1 + published + 1);
  expect(await payloads(log)).toEqual(['first', ...new Array(published).fill('published'), 'mine']);
  await log.close();
});

it('by process.exit() with appends that wait for room in its ring: some are written, in order, none torn', async () => {
  const log = await openLog(tempDir(), SMALL);
  const code = `
    for (let i = 0; i < 99; i++) void attached.append(String(i).padStart(900, '-'));
    await null;
    process.exit(0);`;
  const worker = threadOf(log, code);
  await new Promise((resolve) => worker.once('exit', resolve));
  await expectDropped(log);
  await log.append('mine');
  const all = await payloads(log);
  expect(all.pop()).toBe('mine');
  expect(all).toEqual(all.map((_, i) => String(i).padStart(900, '-')));
  await log.close();
});

it('by terminate() at any moment, one after the other, while others append', async () => {
  const prng = new Prng(testSeed(1));
  const log = await openLog(tempDir(), SMALL);
  const acknowledged = new Map<number, string>();
  let isOver = false;
  const mine = (async () => {
    for (let i = 0; !isOver; i++) acknowledged.set(await log.append(`mine ${i}`), `mine ${i}`);
  })();
  for (let round = 0; round < 6; round++) {
    const code = `
      for (let i = 0; ; i++) {
        const text = '${round} ' + i;
        attached.append(text).then((lsn) => parentPort.postMessage([lsn, text]));
        if (i % 5 === 0) await attached.append('filler');
      }`;
    const worker = threadOf(log, code);
    let left = prng.between(1, 200);
    await new Promise<void>((resolve) => {
      worker.on('message', ([lsn, text]: [number, string]) => {
        acknowledged.set(lsn, text);
        if (--left === 0) resolve();
      });
    });
    await worker.terminate();
  }
  isOver = true;
  await mine;
  await expectDropped(log);
  const all = await payloads(log);
  expect(all.length).toBe(log.durableLsn);
  for (const [lsn, text] of acknowledged) expect(all[lsn - 1]).toBe(text);
  await log.close();
});
