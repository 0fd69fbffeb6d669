/** clock: the one clock on which all threads of a process agree. */
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { sharedUs } from '../../dist/src/ring/clock.js';

it('a thread that began later reads the same time', async () => {
  const clock = new URL('../../dist/src/ring/clock.js', import.meta.url).href;
  const code = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(clock)}).then(({ sharedUs }) => parentPort.postMessage(sharedUs()));
  `;
  const before = sharedUs();
  const worker = new Worker(code, { eval: true });
  const there = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const after = sharedUs();
  await worker.terminate();
  expect((there - before) | 0).toBeGreaterThan(0);
  expect((after - there) | 0).toBeGreaterThan(0);
});
