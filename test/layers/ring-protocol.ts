/**
 * ring-protocol: every interleaving of the protocol between the threads of a log, on a model of it; then the real rings
 * between real threads, with pauses at random between their atomic steps, and an exact account of every record.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { RingConsumer } from '../../dist/src/ring/consumer.js';
import { parkBlocking } from '../../dist/src/ring/doorbell.js';
import { createRing, ringOver } from '../../dist/src/ring/layout.js';
import { LogState, WORKER_DOORBELL } from '../../dist/src/ring/log-state.js';
import type { Layer, LayerTask } from '../full/layer.js';
import { exploreProtocol, type ModelSize } from '../support/ring-model.js';

const RECORDS = 100_000_000;
/** Records of two pairs that share a state, as the rings of a log do. */
const ROUND = 2_000_000;
const FRAME_BYTES = 24;
/** Longer than any pause: a sleep that ends after it was not ended by a wake-up. */
const PATIENCE_MS = 3000;

const endings = [{}, { dies: true }, { closes: true }, { fails: true }, { deserts: true }];

/** From small to large; a share takes the first ones. */
export const MODEL_SIZES: readonly ModelSize[] = [
  ...endings.map((ending) => ({ producers: 1, appends: 2, follower: false, ...ending })),
  ...endings.map((ending) => ({ producers: 1, appends: 2, follower: true, ...ending })),
  { producers: 1, appends: 3, follower: true, dies: true, closes: true, fails: true },
  ...endings.map((ending) => ({ producers: 2, appends: 1, follower: false, ...ending })),
];

export const layer: Layer = {
  name: 'ring-protocol',
  title: 'publish, park, wake, complete, detach, death: all interleavings; then threads with pauses',
  targets: { 'model sizes, all interleavings': MODEL_SIZES.length, 'records between threads': RECORDS },
  parts: 2,
  minutes: 1,
  async run(task) {
    let sizes = 0;
    const wanted = Math.ceil(MODEL_SIZES.length * task.share);
    for (let i = task.part; i < wanted; i += task.parts) {
      const size = MODEL_SIZES[i] as ModelSize;
      const { states } = exploreProtocol(size);
      task.progress(`${states} states of ${JSON.stringify(size)}`);
      sizes++;
    }
    let records = 0;
    const own = (RECORDS * task.share) / task.parts;
    for (let round = 0; records < own; round++) {
      const count = Math.min(ROUND, 2 * Math.ceil((own - records) / 2));
      await moveRecords(count, task.seed + task.part * 1000 + round);
      records += count;
      task.progress(`${records} records`);
    }
    return { 'model sizes, all interleavings': sizes, 'records between threads': records };
  },
} satisfies Layer & { run(task: LayerTask): Promise<unknown> };

/** Moves `count` records of two producer threads to this one, and throws unless each arrives once, whole, in order. */
export async function moveRecords(count: number, seed: number): Promise<void> {
  const state = new LogState();
  const rings = [createRing(1 << 20), createRing(1 << 14)];
  const consumers = rings.map(({ buffer }) => new RingConsumer(ringOver(buffer)));
  const each = count / 2;
  const root = process.cwd();
  const workers = rings.map(
    ({ buffer }, i) =>
      new Worker(pathToFileURL(join(root, 'test/fixtures/pausing-producer.mjs')), {
        workerData: {
          ...{ ringBuffer: buffer, stateBuffer: state.buffer, records: each, seed: seed * 2 + i },
          ...{ limits: { bytes: 1 << 13, records: 4096 }, pauseOneIn: 20 },
          ring: pathToFileURL(join(root, 'dist/src/ring/')).href,
        },
      }),
  );
  const ends = Promise.all(
    workers.map((worker) => once(worker, 'message') as Promise<[{ sent: number; told: number }]>),
  );
  ends.catch(() => {}); // looked at below, or an error before it says more
  try {
    const next = consumers.map(() => 0);
    const hasWork = (): boolean => consumers.some((consumer) => consumer.hasChunks());
    while (next.some((taken) => taken < each)) {
      let isIdle = true;
      for (const [which, consumer] of consumers.entries()) {
        const first = next[which] ?? 0;
        let record = first;
        for (let chunk = consumer.peek(); chunk !== undefined; chunk = consumer.peek()) {
          const { records } = chunk;
          record = checkChunk(consumer.take(first + 1), records, record, `seed ${seed}, ring ${which}`);
          if (record - first > 20_000) break;
        }
        if (record === first) continue;
        isIdle = false;
        next[which] = record;
        consumer.complete(first + 1, { records: 0, bytes: 0, syncUs: 0, segment: 1 });
      }
      if (!isIdle) continue;
      const start = performance.now();
      parkBlocking(state.words, WORKER_DOORBELL, PATIENCE_MS, hasWork);
      if (performance.now() - start >= PATIENCE_MS && hasWork())
        throw new Error(`seed ${seed}: a wake-up was lost at ${next}`);
      await new Promise((resolve) => setImmediate(resolve)); // an error of a producer is heard here
    }
    for (const [{ sent, told }] of await ends)
      if (sent !== each || told !== each)
        throw new Error(`seed ${seed}: ${sent} sent, ${told} told of ${each}`);
    if (consumers.some((consumer) => !consumer.detached || consumer.hasChunks()))
      throw new Error(`seed ${seed}: a ring that was left is not empty`);
  } finally {
    for (const worker of workers) await worker.terminate();
  }
}

/** Returns the number of the record behind the chunk, whose first is to be `record`. */
function checkChunk(view: Uint8Array, records: number, record: number, where: string): number {
  const words = new Int32Array(view.buffer, view.byteOffset, view.byteLength >> 2);
  if (view.byteLength !== records * FRAME_BYTES)
    throw new Error(`${where}: a chunk of ${view.byteLength} bytes`);
  for (let i = 0; i < records; i++) {
    const at = (i * FRAME_BYTES) >> 2;
    if (words[at] !== 4 || words[at + 2] !== record + i)
      throw new Error(`${where}: record ${record + i} arrived as ${words[at + 2]}, of ${words[at]} bytes`);
  }
  return record + records;
}
