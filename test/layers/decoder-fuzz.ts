/**
 * decoder-fuzz: forged input with checksums that are right, into every decoder: an answer or an error with a code, no
 * allocation beyond a small multiple of the input, and time that grows as the input does. In a full run in a worker
 * whose heap may have 64 MiB.
 */
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Layer, LayerFigures, LayerTask } from '../full/layer.js';
import { casesOf } from '../full/layer.js';
import { Prng } from '../support/prng.js';
import { mustGrowLinearly } from './decoder-growth.js';
import { DECODERS, type Family, INFLATED_BYTES, type Input } from './decoder-inputs.js';
import { SEGMENTS } from './decoder-segments.js';

const FAMILIES: readonly Family[] = [...DECODERS, ...SEGMENTS];
const HEAP_MB = 64;

/** Bytes that one input may have allocated: windows of 1 MiB and new segments where files are opened. */
function allowance(family: Family, input: Input): number {
  const isLog = SEGMENTS.includes(family);
  return 16 * input.bytes.length + 2 * INFLATED_BYTES + (isLog ? 24 * 1024 * 1024 : 0);
}

export const layer: Layer = {
  name: 'decoder-fuzz',
  title:
    'forged input with right checksums into every decoder: typed errors, no length bombs, a heap of 64 MiB',
  targets: { ...Object.fromEntries(FAMILIES.map(({ name, count }) => [name, count])), 'kinds of growth': 8 },
  parts: 2,
  minutes: 1,
  // Compiled, as in a full run, it has a worker with little memory; vitest runs the sources, which no worker could load.
  run: (task) => (import.meta.url.endsWith('.js') ? inWorker(task) : fuzz(task)),
};

async function inWorker({ progress, ...task }: LayerTask): Promise<LayerFigures> {
  const worker = new Worker(new URL('./decoder-fuzz-worker.js', import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
  let figures: LayerFigures | undefined;
  worker.on('message', (message: string | LayerFigures) => {
    if (typeof message === 'string') progress(message);
    else figures = message;
  });
  await once(worker, 'exit'); // rejects with the worker's error, an exhausted heap included
  if (figures === undefined) throw new Error('the worker ended without an answer');
  return figures;
}

/** Tries the inputs in this thread. */
export async function fuzz(task: LayerTask): Promise<LayerFigures> {
  const figures: Record<string, number> = {};
  const count = countAllocations();
  try {
    for (const [number, family] of FAMILIES.entries()) {
      figures[family.name] = 0;
      for (const i of casesOf(task, family.count)) {
        if (i % 256 < task.parts) {
          task.progress(`${family.name} ${i}`);
          await turn(); // zlib keeps what it has worked on until the event loop turns, and promises alone don't turn it
        }
        const input = family.make(new Prng(task.seed * 2 ** 28 + number * 2 ** 24 + i));
        count.bytes = 0;
        const outcome = tryInput(input);
        const wrong = outcome instanceof Promise ? await outcome : outcome;
        const most = allowance(family, input);
        const bomb =
          count.bytes > most ? `${count.bytes} bytes were allocated, ${most} are enough` : undefined;
        if (wrong !== undefined || bomb !== undefined)
          throw new Error(
            `${family.name}, seed ${task.seed}, case ${i}: ${bomb ?? wrong}\n${hex(input.bytes)}`,
          );
        figures[family.name] = (figures[family.name] ?? 0) + 1;
      }
    }
  } finally {
    count.end();
  }
  figures['kinds of growth'] = task.part === 0 ? await mustGrowLinearly() : 0;
  return figures;
}

/** What is wrong with how the input is decoded. */
function tryInput(input: Input): string | undefined | Promise<string | undefined> {
  try {
    const result = input.run();
    if (result instanceof Promise) return result.then(() => undefined, judged);
    return undefined;
  } catch (error) {
    return judged(error);
  }
}

function judged(error: unknown): string | undefined {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'string' && code.startsWith('RINGWAL_')
    ? undefined
    : ((error as Error).stack ?? `${error}`);
}

/** Counts the bytes of all Uint8Arrays that are made by length, as the package makes its buffers. */
function countAllocations(): { bytes: number; end(): void } {
  const real = globalThis.Uint8Array;
  const count = {
    bytes: 0,
    end: () => {
      globalThis.Uint8Array = real;
    },
  };
  globalThis.Uint8Array = new Proxy(real, {
    construct(target, args, newTarget) {
      const made = Reflect.construct(target, args, newTarget === globalThis.Uint8Array ? target : newTarget);
      if (!(args[0] instanceof ArrayBuffer)) count.bytes += (made as Uint8Array).length;
      return made;
    },
  });
  return count;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 8192)).toString('hex');
}
