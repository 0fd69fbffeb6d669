/** example-models: the systems of an invented run: what a sync and a record cost each, and how its latencies are spread. */
import type { Measurement } from '../../bench/harness/load.js';
import type { SystemReport } from '../../bench/report/results.js';

export type Random = () => number;

export interface Model extends Pick<SystemReport, 'name' | 'what' | 'role'> {
  readonly syncUs: number;
  readonly recordUs: number;
  /** Whether waiting callers share a sync. */
  readonly groups: boolean;
  readonly mostInFlight?: number;
  /** Share of its appends that the disk sees synced. */
  readonly syncs?: number;
  /** How much of the event loop it holds, 0 to 1. */
  readonly blocks?: number;
  readonly tail?: number;
}

export const MODELS: readonly Model[] = [
  {
    name: 'raw floor',
    role: 'limit',
    what: 'one thread that writes and syncs groups of that size, and nothing else',
    syncUs: 92,
    recordUs: 0.03,
    groups: true,
    mostInFlight: 1,
    tail: 0.5,
  },
  {
    name: 'no I/O',
    role: 'limit',
    what: 'the harness alone: appends that resolve in the next turn',
    syncUs: 1,
    recordUs: 0.16,
    groups: true,
    tail: 0.4,
  },
  {
    name: 'ringwal',
    role: 'own',
    what: 'default options: a write and a sync for each group, by a worker',
    syncUs: 100,
    recordUs: 0.22,
    groups: true,
  },
  {
    name: 'ringwal lowLatency',
    role: 'own',
    what: 'the preset: small groups',
    syncUs: 98,
    recordUs: 0.27,
    groups: true,
  },
  {
    name: 'ringwal highThroughput',
    role: 'own',
    what: 'the preset: large groups and rings',
    syncUs: 108,
    recordUs: 0.2,
    groups: true,
  },
  {
    name: 'ringwal direct',
    role: 'own',
    what: 'O_DIRECT and O_DSYNC',
    syncUs: 96,
    recordUs: 0.24,
    groups: true,
  },
  {
    name: 'yardstick',
    role: 'yardstick',
    what: 'the ten-line group commit: fs.write and fs.fdatasync from the main thread',
    syncUs: 168,
    recordUs: 0.5,
    groups: true,
    blocks: 0.3,
  },
  {
    name: 'lmdb',
    role: 'peer',
    what: 'put, then awaits flushed',
    syncUs: 420,
    recordUs: 1.9,
    groups: true,
    blocks: 0.2,
  },
  {
    name: 'classic-level, single puts',
    role: 'peer',
    what: 'put with sync: true, one by one',
    syncUs: 190,
    recordUs: 160,
    groups: false,
  },
  {
    name: 'classic-level, batches',
    role: 'peer',
    what: 'a batch with sync: true of each turn’s puts',
    syncUs: 230,
    recordUs: 3.1,
    groups: true,
    blocks: 0.4,
  },
  {
    name: 'better-sqlite3, single inserts',
    role: 'peer',
    what: 'INSERT, WAL, synchronous = FULL',
    syncUs: 160,
    recordUs: 150,
    groups: false,
    mostInFlight: 1,
    blocks: 1,
  },
  {
    name: 'better-sqlite3, per turn',
    role: 'peer',
    what: 'a transaction of each turn’s INSERTs, WAL, synchronous = FULL',
    syncUs: 210,
    recordUs: 2.4,
    groups: true,
    blocks: 1,
  },
  {
    name: 'node:sqlite, per turn',
    role: 'peer',
    what: 'a transaction of each turn’s INSERTs, WAL, synchronous = FULL',
    syncUs: 215,
    recordUs: 2.9,
    groups: true,
    blocks: 1,
  },
  {
    name: 'append + datasync',
    role: 'peer',
    what: 'appendFile, then datasync, one after the other',
    syncUs: 240,
    recordUs: 170,
    groups: false,
  },
  {
    name: 'Redis',
    role: 'peer',
    what: 'XADD, appendfsync always',
    syncUs: 260,
    recordUs: 6,
    groups: true,
    blocks: 0.2,
  },
  {
    name: 'sonic-boom, fsync',
    role: 'peer',
    what: 'write with fsync: true',
    syncUs: 40,
    recordUs: 1.2,
    groups: true,
    syncs: 0.02,
  },
  {
    name: 'sonic-boom, flush',
    role: 'peer',
    what: 'write, then flush, which syncs',
    syncUs: 260,
    recordUs: 1.4,
    groups: true,
  },
  {
    name: 'sonic-boom, not synced',
    role: 'weaker',
    what: 'write alone',
    syncUs: 25,
    recordUs: 1.1,
    groups: true,
    syncs: 0,
  },
  {
    name: 'lmdb, put alone',
    role: 'weaker',
    what: 'put, committed but not flushed',
    syncUs: 45,
    recordUs: 1.6,
    groups: true,
    syncs: 0,
  },
];

export interface Where {
  readonly inFlight: number;
  readonly payloadBytes?: number;
  readonly delay?: number;
  readonly extraUs?: number;
}

const DISK_BYTES_PER_US = 900;
const PERCENTILES = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.995, 99.999, 100];

export function example(chance: Random, model: Model, where: Where): Measurement {
  const { inFlight, payloadBytes = 128, delay = 1, extraUs = 0 } = where;
  const size = model.groups ? Math.max(1, inFlight * (inFlight > 300 ? 0.55 : 0.97)) : 1;
  const noise = 0.85 + chance() ** 2 * 0.45;
  const bytesUs = payloadBytes / DISK_BYTES_PER_US;
  const groupUs = (model.syncUs + extraUs + size * (model.recordUs + bytesUs)) * noise;
  const p50 = ((groupUs * inFlight) / size) * delay;
  const recordsPerSecond = (1e6 * inFlight) / ((groupUs * inFlight) / size);
  const tail = model.tail ?? 1;
  const at = (percentile: number): number => {
    const nines = Math.log10(1 / Math.max(1e-6, 1 - percentile / 100));
    return Math.round(p50 * (0.7 + (1 + tail * 0.5 * noise * nines ** 1.7) * 0.28) * 10) / 10;
  };
  const records = Math.round(recordsPerSecond * 0.4);
  return {
    ...{ records, seconds: 0.4, recordsPerSecond, bytesPerSecond: recordsPerSecond * payloadBytes },
    latency: {
      ...{ p50Us: at(50), p90Us: at(90), p99Us: at(99), p999Us: at(99.9), maxUs: at(99.9999) },
      curve: PERCENTILES.map((percentile): [number, number] => [percentile, at(percentile)]),
    },
    ...(model.groups && model.role !== 'weaker' && model.syncUs > 1 ? { groupRecords: size } : {}),
    appCpuUs: 0.15 + (model.blocks ?? 0.1) * (model.recordUs + 30 / size),
    otherCpuUs: model.role === 'limit' ? 0 : 0.05 + 40 / size / 2,
    loopDelayP99Ms: 1.1 + (model.blocks ?? 0) * 3,
  };
}
