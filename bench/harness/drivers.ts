/** drivers: make the appends of a load, and time them; each returns once all that it began are durable. */
import { LatencyHistogram } from './histogram.js';
import type { BurstLoad, ClosedLoad, OpenLoad } from './load.js';
import type { System } from './system.js';

export interface Driven {
  readonly records: number;
  readonly seconds: number;
  readonly latency: LatencyHistogram;
  readonly backlog?: number;
  readonly timeline?: readonly (readonly [ms: number, us: number])[];
  readonly rotationsMs?: readonly number[];
}

/** Above so many callers only every 16th append is timed: two clock reads a record would be a tenth of the work. */
const TIME_ALL_UP_TO = 100;
const TIME_EVERY = 16;
/** With a timeline every so many-th append asks for its segment, and is not timed: the answer costs something itself. */
const LOCATE_EVERY = 16;

/** More than these in flight: the system can't keep up, and an open load makes no more. */
const MOST_OPEN = 200_000;

export async function driveClosed(
  system: System,
  payloads: readonly Uint8Array[],
  load: ClosedLoad,
): Promise<Driven> {
  const latency = new LatencyHistogram();
  const worst = new Timeline();
  const append = appendOf(system, payloads, load.batch);
  const { appendLocated } = system;
  const start = performance.now();
  let isOver = false;
  let calls = 0;
  const timer = setTimeout(() => {
    isOver = true;
  }, load.ms);
  const mask = load.inFlight <= TIME_ALL_UP_TO ? 0 : TIME_EVERY - 1;
  const caller = async (): Promise<void> => {
    while (!isOver) {
      const n = calls++;
      if ((n & mask) !== 0) {
        await append(n);
        continue;
      }
      if (load.hasTimeline && appendLocated && n % LOCATE_EVERY === 0) {
        const segment = await appendLocated(payloadAt(payloads, n));
        worst.noteSegment(performance.now() - start, segment);
        continue;
      }
      const from = performance.now();
      await append(n);
      const now = performance.now();
      latency.record((now - from) * 1000);
      if (load.hasTimeline) worst.note(now - start, (now - from) * 1000);
    }
  };
  await Promise.all(Array.from({ length: load.inFlight }, caller));
  clearTimeout(timer);
  const seconds = (performance.now() - start) / 1000;
  return {
    ...{ records: calls * load.batch, seconds, latency },
    ...(load.hasTimeline && { timeline: worst.slices, rotationsMs: worst.rotationsMs }),
  };
}

function appendOf(
  system: System,
  payloads: readonly Uint8Array[],
  batch: number,
): (n: number) => Promise<unknown> {
  if (batch === 1) return (n) => system.append(payloadAt(payloads, n));
  if (system.appendBatch === undefined) throw new Error('This system has no batches.');
  const batches = Array.from({ length: 64 }, (_, at) =>
    Array.from({ length: batch }, (_, i) => payloads[(at * batch + i) % payloads.length] as Uint8Array),
  );
  return (n) => (system.appendBatch as Required<System>['appendBatch'])(batches[n % 64] as Uint8Array[]);
}

function payloadAt(payloads: readonly Uint8Array[], n: number): Uint8Array {
  return payloads[n % payloads.length] as Uint8Array;
}

/**
 * The event loop turns without a pause, and in each turn makes the appends that have become due: timers are too coarse,
 * and would make bursts of a steady load. So this thread's CPU is always busy, and what it costs is not told.
 */
export function driveOpen(
  system: System,
  payloads: readonly Uint8Array[],
  { arrivals, perSecond, ms }: OpenLoad,
): Promise<Driven> {
  const latency = new LatencyHistogram();
  const gap =
    arrivals === 'constant'
      ? () => 1000 / perSecond
      : () => -Math.log(1 - Math.random()) * (1000 / perSecond);
  const start = performance.now();
  let due = start;
  let made = 0;
  let done = 0;
  let backlog: number | undefined;
  return new Promise((resolve, reject) => {
    const settle = (at: number): void => {
      latency.record((performance.now() - at) * 1000);
      done++;
    };
    const turn = (): void => {
      const now = performance.now();
      while (due <= now && due < start + ms && made - done < MOST_OPEN) {
        const at = due;
        system.append(payloads[made % payloads.length] as Uint8Array).then(() => settle(at), reject);
        made++;
        due += gap();
      }
      if (now < start + ms) {
        setImmediate(turn);
        return;
      }
      // What is in flight, and what was due and never made; the next one may be due behind the end.
      backlog ??= made - done + Math.round((Math.max(0, start + ms - due) / 1000) * perSecond);
      if (done < made) setImmediate(turn);
      else resolve({ records: made, seconds: (performance.now() - start) / 1000, latency, backlog });
    };
    turn();
  });
}

export async function driveBursts(
  system: System,
  payloads: readonly Uint8Array[],
  { records, everyMs, ms }: BurstLoad,
): Promise<Driven> {
  const latency = new LatencyHistogram();
  const start = performance.now();
  const all: Promise<void>[] = [];
  let made = 0;
  const burst = (): void => {
    const from = performance.now();
    for (let i = 0; i < records; i++) {
      const done = system.append(payloads[made++ % payloads.length] as Uint8Array);
      all.push(done.then(() => latency.record((performance.now() - from) * 1000)));
    }
  };
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      if (performance.now() - start < ms) return burst();
      clearInterval(timer);
      resolve();
    }, everyMs);
    burst();
  });
  await Promise.all(all);
  return { records: made, seconds: (performance.now() - start) / 1000, latency };
}

/** The worst latency of each millisecond, and when new segments began. */
class Timeline {
  readonly #worst: number[] = [];
  readonly rotationsMs: number[] = [];
  #segment: number | undefined;

  note(ms: number, us: number): void {
    const slice = Math.floor(ms);
    this.#worst[slice] = Math.max(this.#worst[slice] ?? 0, us);
  }

  noteSegment(ms: number, segment: number): void {
    if (this.#segment !== undefined && segment > this.#segment) this.rotationsMs.push(ms);
    this.#segment = Math.max(segment, this.#segment ?? 0);
  }

  get slices(): [ms: number, us: number][] {
    return [...this.#worst.entries()].filter((entry): entry is [number, number] => entry[1] !== undefined);
  }
}
