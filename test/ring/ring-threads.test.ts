/** ring-threads: a ring between two real threads that sleep and wake each other: nothing lost, torn or reordered. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { parkBlocking } from '../../dist/src/ring/doorbell.js';
import { createRing, ringOver } from '../../dist/src/ring/layout.js';
import { LogState, WORKER_DOORBELL } from '../../dist/src/ring/log-state.js';
import { walkRecords } from '../../dist/src/segment/records.js';
import { Prng, testSeed } from '../support/prng.js';

const RECORDS = 250_000;
const fixture = new URL('../fixtures/ring-producer.mjs', import.meta.url);

it(`moves ${RECORDS} records of two producers to one consumer, in order and whole, and every thread is woken`, async () => {
  const prng = new Prng(testSeed(1));
  const state = new LogState();
  const rings = [createRing(16_384), createRing(4096)];
  const consumers = rings.map(({ buffer }) => new RingConsumer(ringOver(buffer)));
  const workers = rings.map(
    ({ buffer }, i) =>
      new Worker(fixture, {
        workerData: {
          ringBuffer: buffer,
          stateBuffer: state.buffer,
          limits: { bytes: 2048, records: 64 },
          records: RECORDS / 2,
          seed: i + 1,
        },
      }),
  );
  const ends = workers.map((worker) => once(worker, 'message') as Promise<[{ sent: number; told: number }]>);
  const next = [0, 0];
  let sleeps = 0;
  const hasWork = (): boolean => consumers.some((consumer) => consumer.hasChunks());
  let patience = 0;
  while ((next[0] ?? 0) + (next[1] ?? 0) < RECORDS) {
    let took = false;
    consumers.forEach((consumer, which) => {
      const first = next[which] ?? 0;
      let own = first;
      for (let chunk = consumer.peek(); chunk !== undefined; chunk = consumer.peek()) {
        const { records } = chunk;
        const view = consumer.take(first + 1);
        const words = new DataView(view.buffer, view.byteOffset, view.byteLength);
        const wrong = walkRecords(view, records, 1, (_lsn, _type, _flags, start, end) => {
          const isSent =
            words.getUint32(start, true) === own && (end - start === 4 || view[end - 1] === (own & 255));
          if (!isSent) throw new Error(`record ${own} of ring ${which} is not what was sent`);
          own++;
        });
        if (wrong !== undefined) throw new Error(wrong);
        if (prng.chance(0.3)) break;
      }
      if (own === first) return;
      took = true;
      next[which] = own;
      consumer.complete(first + 1, { records: 0, bytes: 0, syncUs: 0, segment: 1 });
    });
    if (took) {
      patience = 0;
      if (prng.chance(0.001)) await new Promise((resolve) => setTimeout(resolve, prng.below(3)));
    } else {
      sleeps++;
      // Longer than any pause of a producer: a wake-up that got lost would show as a time-out.
      const start = performance.now();
      parkBlocking(state.words, WORKER_DOORBELL, 2000, hasWork);
      if (performance.now() - start >= 2000) expect(++patience, 'sleeps that nobody ended').toBeLessThan(3);
    }
  }
  for (const end of ends) expect((await end)[0]).toMatchObject({ sent: RECORDS / 2, told: RECORDS / 2 });
  expect(sleeps).toBeGreaterThan(0);
  for (const worker of workers) await worker.terminate();
  expect(consumers.map((consumer) => consumer.detached)).toEqual([true, true]);
});
