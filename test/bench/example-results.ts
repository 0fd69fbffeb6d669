/**
 * example-results: a run of the bench that was never made, the same for the same seed: for tests of the report, and to look
 * at it without measuring for half an hour. Its figures follow a simple model of a disk and mean nothing.
 */
import type { Measurement } from '../../bench/harness/load.js';
import type { Bar, Cell, Results, SystemReport } from '../../bench/report/results.js';
import { Prng } from '../support/prng.js';
import { example, MODELS, type Model, type Random } from './example-models.js';

const IN_FLIGHT = [1, 3, 10, 32, 100, 316, 1000, 3162, 10_000, 16_384];
const ROUNDS = 3;
const MiB = 1024 * 1024;
const RECOVERY_BYTES_PER_SECOND: Readonly<Record<string, number>> = {
  open: 0,
  'verify, 1 thread': 1.1e9,
  'verify, all cores': 1.9e9,
  read: 0.8e9,
  'cat > /dev/null': 3.1e9,
};

const SYSTEMS: readonly SystemReport[] = MODELS.map(({ name, role, what, syncs = 1 }) => ({
  ...{ name, role, what },
  ...(role === 'limit' ? {} : { syncs: { appends: 200, syncs: Math.round(200 * syncs) } }),
}));

const LACKING: SystemReport = {
  ...{ name: 'PostgreSQL', role: 'peer', what: 'INSERT over a pool of connections, synchronous_commit on' },
  lacking: 'no server is installed',
};

export function exampleResults(seed = 1): Results {
  const prng = new Prng(seed);
  const chance = (): number => prng.next() / 2 ** 32;
  const rounds = (make: () => Measurement): Measurement[] => Array.from({ length: ROUNDS }, make);
  const cellsOf = (
    models: readonly Model[],
    at: Cell['at'][],
    make: (model: Model, at: Cell['at']) => Measurement,
  ): Cell[] =>
    at.flatMap((where) =>
      models.map((model) => ({ system: model.name, at: where, rounds: rounds(() => make(model, where)) })),
    );
  const durable = MODELS.filter(({ role }) => role !== 'limit');
  const few = MODELS.filter(({ name }) =>
    ['ringwal', 'yardstick', 'lmdb', 'better-sqlite3, per turn'].includes(name),
  );
  const own = MODELS.filter(({ name }) => name === 'ringwal');
  const number = (value: number | string | undefined): number => Number(value ?? 0);

  return {
    ...{ date: '2026-11-26T12:00:00.000Z', seconds: 1680, isQuick: false },
    environment: {
      ...{
        node: 'v22.11.0',
        kernel: 'Linux 6.12.0',
        cpu: 'Example CPU',
        cores: 2,
        writeCache: 'write back',
        idleCpus: 'none',
      },
      fileSystem: 'ext4 on /dev/nvme0n1 (rw,relatime)',
    },
    systems: [...SYSTEMS, LACKING],
    scenarios: {
      closed: IN_FLIGHT.flatMap((inFlight) =>
        cellsOf(
          MODELS.filter(({ mostInFlight = Number.POSITIVE_INFINITY }) => inFlight <= mostInFlight),
          [{ inFlight }],
          (model) => example(chance, model, { inFlight }),
        ),
      ),
      limits: [1, 10, 100, 1000, 10_000].flatMap((inFlight) =>
        cellsOf(
          MODELS.filter(({ name }) => ['raw floor', 'no I/O', 'ringwal', 'yardstick'].includes(name)),
          [{ inFlight }],
          (model) =>
            // Each write of the floor is a group.
            model.name === 'raw floor'
              ? example(chance, model, { inFlight: 1, payloadBytes: 64 + 136 * inFlight })
              : example(chance, model, { inFlight }),
        ),
      ),
      open: cellsOf(
        few,
        ['constant', 'poisson'].flatMap((arrivals) =>
          [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95].map((load) => ({ load, arrivals })),
        ),
        (model, { load, arrivals }) => openExample(chance, model, number(load), arrivals === 'poisson'),
      ),
      windows: cellsOf(
        own,
        [
          { inFlight: 1 },
          { inFlight: 10 },
          { inFlight: 100 },
          { inFlight: 1000 },
          { perSecond: 1000 },
          { perSecond: 20_000 },
          { burst: 10 },
          { burst: 1000 },
        ].flatMap((load) => [0, 50, 100, 200, 500, 1000, 2000].map((windowUs) => ({ ...load, windowUs }))),
        (model, at) => windowExample(chance, model, at),
      ),
      sizes: cellsOf(
        few,
        [16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, MiB].map((payloadBytes) => ({ payloadBytes })),
        (model, { payloadBytes }) =>
          example(chance, model, {
            payloadBytes: number(payloadBytes),
            inFlight: Math.min(1000, (16 * MiB) / number(payloadBytes)),
          }),
      ),
      producers: cellsOf(
        own,
        [1, 2, 4, 8].flatMap((threads) =>
          [...new Set([1000 / threads, 1000])].map((inFlightEach) => ({ threads, inFlightEach })),
        ),
        (model, { threads, inFlightEach }) =>
          example(chance, model, {
            inFlight: number(inFlightEach) * Math.min(2.2, 0.6 + 0.5 * number(threads)),
          }),
      ),
      rotation: cellsOf(
        own,
        [4 * MiB, 512 * MiB].map((segmentBytes) => ({ segmentBytes })),
        (model, { segmentBytes }) => ({
          ...example(chance, model, { inFlight: 100 }),
          timeline: timelineExample(chance, rotationEveryMs(number(segmentBytes))),
          rotationsMs: Array.from(
            { length: Math.floor(4000 / rotationEveryMs(number(segmentBytes))) },
            (_, i) => (i + 1) * rotationEveryMs(number(segmentBytes)),
          ),
        }),
      ),
      bulk: cellsOf(
        MODELS.filter(({ name }) => ['ringwal', 'raw floor'].includes(name)),
        [{ what: 'batches of 100' }, { what: '64 KiB records' }],
        (model, { what }) =>
          example(
            chance,
            model,
            what === 'batches of 100' ? { inFlight: 6400 } : { inFlight: 200, payloadBytes: 65_536 },
          ),
      ),
      http: httpExample(chance, durable, rounds),
      recovery: cellsOf(
        own,
        Object.keys(RECOVERY_BYTES_PER_SECOND).map((what) => ({ what })),
        (model, { what }) => ({
          ...example(chance, model, { inFlight: 1 }),
          bytesPerSecond: (RECOVERY_BYTES_PER_SECOND[String(what)] ?? 0) * (0.95 + chance() * 0.1),
        }),
      ),
      memory: cellsOf(own, [{ part: 'first third' }, { part: 'last third' }], (model) =>
        example(chance, model, { inFlight: 1000 }),
      ),
    },
    bars: barsExample(chance),
  };
}

function openExample(chance: Random, model: Model, load: number, isPoisson: boolean): Measurement {
  const most = example(chance, model, { inFlight: 10_000 });
  const isBeyond = load > (model.name === 'lmdb' ? 0.85 : 0.93);
  const delay = isBeyond ? 90 : (isPoisson ? 1.6 : 1.2) / (1.02 - load);
  const base = example(chance, model, { inFlight: 10 + most.recordsPerSecond * load * 0.0003, delay });
  const recordsPerSecond = most.recordsPerSecond * load;
  return { ...base, recordsPerSecond, backlog: isBeyond ? base.records * 0.2 : 3 };
}

function windowExample(chance: Random, model: Model, at: Cell['at']): Measurement {
  const windowUs = Number(at.windowUs);
  const rate = Number(at.perSecond ?? 0);
  const inFlight = Number(at.inFlight ?? at.burst ?? 1 + rate * 150e-6);
  const grows = rate > 0 ? rate * windowUs * 1e-6 : inFlight * 0.5 * (1 - Math.exp(-windowUs / 150));
  const base = example(chance, model, { inFlight, extraUs: windowUs });
  return { ...base, groupRecords: Math.max(1, inFlight * 0.5 + grows) };
}

function rotationEveryMs(segmentBytes: number): number {
  return segmentBytes === 4 * MiB ? 55 : 4000;
}

function timelineExample(chance: Random, everyMs: number): [number, number][] {
  return Array.from({ length: 4000 }, (_, ms): [number, number] => {
    const stall = ms % everyMs === everyMs - 1 ? 900 + chance() * 900 : 0;
    return [ms, Math.round(220 + chance() ** 6 * 500 + stall)];
  });
}

function httpExample(
  chance: Random,
  models: readonly Model[],
  rounds: (make: () => Measurement) => Measurement[],
): Cell[] {
  return [32, 256].flatMap((connections) =>
    [undefined, ...models].map((model) => ({
      ...{ system: model?.name ?? 'no durability', at: { connections } },
      rounds: rounds(() => {
        const log = model && example(chance, model, { inFlight: connections });
        const recordsPerSecond =
          (1 / (1 / 21_000 + (log === undefined ? 0 : 1 / log.recordsPerSecond))) * (0.96 + chance() * 0.08);
        const base = log ?? example(chance, MODELS[0] as Model, { inFlight: connections });
        return { ...base, recordsPerSecond, loopDelayP99Ms: (model?.blocks ?? 0) * 4 + 1.1 + chance() * 0.2 };
      }),
    })),
  );
}

function barsExample(chance: Random): Bar[] {
  const ratios = (around: number): number[] =>
    Array.from({ length: 5 }, () => around * (0.92 + chance() * 0.16));
  const rate = 'records/s over the yardstick';
  return [
    { bar: 'p50 over the raw floor', where: '1 in flight', ratios: ratios(1.05), must: { atMost: 1.12 } },
    { bar: rate, where: '1 in flight', ratios: ratios(1.4), must: { atLeast: 1.7 }, limit: 1.45 },
    { bar: rate, where: '10 in flight', ratios: ratios(2.1), must: { atLeast: 1.9 } },
    { bar: rate, where: '100 in flight', ratios: ratios(1.9), must: { atLeast: 1.6 } },
    { bar: rate, where: '1 000 in flight', ratios: ratios(1.7), must: { atLeast: 2 } },
    {
      bar: 'app-thread CPU over the yardstick’s',
      where: '100 in flight',
      ratios: ratios(0.5),
      must: { atMost: 0.6 },
    },
    { bar: 'verified scan over cat', where: 'both cores', ratios: [], must: { atLeast: 0.5 } },
  ];
}
