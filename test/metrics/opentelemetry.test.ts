/** opentelemetry: a collection says what the log says, and never fails because of a log. */
import type { MeterProvider as MeterProviderApi } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type Histogram,
  MeterProvider,
  type MetricData,
  MetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect, it } from 'vitest';
import type { Log, LogStats } from '../../dist/src/index.js';
import { type ObserveOptions, observeLog } from '../../dist/src/opentelemetry/index.js';
import { tempDir } from '../support/temp-dir.js';
import { CountedLog, opened, SMALL } from './opened-log.js';

/** Collects when it is told to. */
class ManualReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
  override selectAggregationTemporality(): AggregationTemporality {
    return AggregationTemporality.CUMULATIVE;
  }
}

type Point = MetricData['dataPoints'][number];

function metering() {
  const reader = new ManualReader();
  const provider: MeterProviderApi = new MeterProvider({ readers: [reader] });
  const collect = async (): Promise<Map<string, MetricData>> => {
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).toEqual([]);
    const all = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    return new Map(all.map((metric) => [metric.descriptor.name, metric]));
  };
  return { meter: provider.getMeter('test'), collect };
}

/** The points of one log, or the only one's. */
function pointsOf(metrics: Map<string, MetricData>, name: string, log?: string): readonly Point[] {
  const points: readonly Point[] = metrics.get(name)?.dataPoints ?? [];
  return points.filter(({ attributes }) => log === undefined || attributes['ringwal.log'] === log);
}

const valuesOf = (metrics: Map<string, MetricData>, name: string, log?: string): unknown[] =>
  pointsOf(metrics, name, log).map(({ value }) => value);

it('observes what stats() says, each figure with its kind and unit', async () => {
  const log = await opened();
  const { meter, collect } = metering();
  observeLog(log, meter);
  for (let round = 1; round <= 20; round++) {
    await Promise.all(Array.from({ length: round }, () => log.append(Buffer.alloc(1000))));
  }
  await log.checkpoint('state');
  const stats: LogStats = await log.stats();
  const metrics = await collect();
  const expected: Record<string, readonly [type: string, unit: string, value: number]> = {
    'ringwal.up': ['GAUGE', '1', 1],
    'ringwal.records': ['COUNTER', '{record}', stats.records],
    'ringwal.record.io': ['COUNTER', 'By', stats.bytes],
    'ringwal.groups': ['COUNTER', '{group}', stats.groups],
    'ringwal.group.wait.time': ['COUNTER', 's', stats.waitUs.sum / 1e6],
    'ringwal.lsn.first': ['GAUGE', '{lsn}', 1],
    'ringwal.lsn.durable': ['GAUGE', '{lsn}', 211],
    'ringwal.lsn.checkpoint': ['GAUGE', '{lsn}', 211],
    'ringwal.append.in_flight': ['UP_DOWN_COUNTER', '{append}', 0],
    'ringwal.append.waiting': ['UP_DOWN_COUNTER', 'By', 0],
    'ringwal.ring.usage': ['UP_DOWN_COUNTER', 'By', 0],
    'ringwal.ring.limit': ['UP_DOWN_COUNTER', 'By', 32_768],
    'ringwal.producer.count': ['UP_DOWN_COUNTER', '{thread}', 1],
    'ringwal.segment.rotations': ['COUNTER', '{rotation}', stats.rotations],
    'ringwal.segment.recycled': ['COUNTER', '{segment}', 0],
    'ringwal.segment.removed': ['COUNTER', '{segment}', 0],
    'ringwal.io.errors': ['COUNTER', '{error}', 0],
    'ringwal.maintenance.errors': ['COUNTER', '{error}', 0],
  };
  for (const [name, [type, unit, value]] of Object.entries(expected)) {
    const { descriptor } = metrics.get(name) as MetricData & { descriptor: { type: string } };
    expect(descriptor.type, name).toBe(
      type === 'COUNTER' || type === 'UP_DOWN_COUNTER' ? `OBSERVABLE_${type}` : 'OBSERVABLE_GAUGE',
    );
    expect(descriptor.unit, name).toBe(unit);
    expect(valuesOf(metrics, name, log.directory), name).toEqual([value]);
  }
  for (const [name, least] of [
    ['ringwal.syncs', stats.syncs],
    ['ringwal.sync.time', stats.syncUsTotal / 1e6],
    ['ringwal.segment.prepared', stats.segmentsPrepared],
  ] as const) {
    expect(valuesOf(metrics, name)[0], name).toBeGreaterThanOrEqual(least);
  }
  expect(pointsOf(metrics, 'ringwal.syncs')[0]?.attributes).toEqual({
    'ringwal.log': log.directory,
    'ringwal.sync.mode': stats.syncMode,
  });
  const others = ['ringwal.syncs', 'ringwal.sync.time', 'ringwal.segment.prepared'];
  const histograms = ['ringwal.sync.duration', 'ringwal.group.size'];
  expect([...metrics.keys()].sort()).toEqual([...Object.keys(expected), ...others, ...histograms].sort());
  for (const { descriptor } of metrics.values()) {
    expect(descriptor.name).toMatch(/^ringwal(\.[a-z_]+)+$/);
    expect(descriptor.description).toMatch(/\S.*\.$/);
  }
});

it('records sync time and size of each group of this thread, in buckets that tell them apart', async () => {
  const log = await opened();
  const { meter, collect } = metering();
  const stop = observeLog(log, meter);
  await log.appendBatch(['a', 'b', 'c']);
  for (let group = 0; group < 5; group++) await log.append('x');
  const stats = await log.stats();
  const metrics = await collect();
  const [size] = valuesOf(metrics, 'ringwal.group.size') as Histogram[];
  expect(size).toMatchObject({ count: stats.groups, sum: 8, min: 1, max: 3 });
  expect(size?.buckets.counts.slice(0, 4)).toEqual([5, 0, 1, 0]); // at most 1, 2, 4, 8
  const [duration] = valuesOf(metrics, 'ringwal.sync.duration') as Histogram[];
  expect(metrics.get('ringwal.sync.duration')?.descriptor.unit).toBe('s');
  expect(duration?.count).toBe(stats.groups);
  expect(duration?.sum).toBeGreaterThan(0);
  expect(duration?.sum).toBeLessThanOrEqual(stats.syncUsTotal / 1e6 + stats.groups / 1e6);
  stop();
  await log.append('after');
  expect(valuesOf(await collect(), 'ringwal.group.size')).toMatchObject([{ count: stats.groups }]);
});

it('tells several logs of one meter apart, by directory or as their attributes say', async () => {
  const [one, two] = [await opened(), await opened()];
  const { meter, collect } = metering();
  observeLog(one, meter);
  observeLog(two, meter, { attributes: { 'ringwal.log': 'orders', tier: 'a' } });
  await one.append('x');
  await two.appendBatch(['y', 'z']);
  const metrics = await collect();
  expect(valuesOf(metrics, 'ringwal.records', one.directory)).toEqual([1]);
  expect(valuesOf(metrics, 'ringwal.records', 'orders')).toEqual([2]);
  expect(pointsOf(metrics, 'ringwal.records', 'orders')[0]?.attributes).toMatchObject({ tier: 'a' });
  expect(valuesOf(metrics, 'ringwal.group.size', 'orders')).toMatchObject([{ count: 1, sum: 2 }]);
  expect(valuesOf(metrics, 'ringwal.group.size', one.directory)).toMatchObject([{ count: 1, sum: 1 }]);
});

it('shows a closed log as down and nothing else, in a collection that succeeds', async () => {
  const [closing, other] = [await opened(), await opened()];
  const { meter, collect } = metering();
  for (const log of [closing, other]) observeLog(log, meter);
  await closing.close();
  const metrics = await collect();
  expect(valuesOf(metrics, 'ringwal.up', closing.directory)).toEqual([0]);
  expect(valuesOf(metrics, 'ringwal.records', closing.directory)).toEqual([]);
  expect(valuesOf(metrics, 'ringwal.up', other.directory)).toEqual([1]);
  expect(valuesOf(metrics, 'ringwal.records', other.directory)).toEqual([0]);
});

it('stops by itself when the directory is opened again: nothing is counted twice', async () => {
  const directory = tempDir();
  const { meter, collect } = metering();
  const first = await opened(directory);
  observeLog(first, meter);
  await first.close();
  const second = await opened(directory);
  observeLog(second, meter);
  await second.append('x');
  const metrics = await collect();
  expect(valuesOf(metrics, 'ringwal.up')).toEqual([1]);
  expect(valuesOf(metrics, 'ringwal.group.size')).toMatchObject([{ count: 1 }]);
});

it('counts once what is observed twice, and only an end of the last one ends it', async () => {
  const log = await opened();
  const { meter, collect } = metering();
  const first = observeLog(log, meter, { attributes: { a: '1', b: '2' } });
  const second = observeLog(log, meter, { attributes: { b: '2', a: '1' } });
  await log.appendBatch(['x', 'y']);
  let metrics = await collect();
  expect(valuesOf(metrics, 'ringwal.records')).toEqual([2]);
  expect(valuesOf(metrics, 'ringwal.group.size')).toMatchObject([{ count: 1, sum: 2 }]);
  first();
  await log.append('z');
  metrics = await collect();
  expect(valuesOf(metrics, 'ringwal.group.size')).toMatchObject([{ count: 2 }]);
  second();
  await log.append('z');
  metrics = await collect();
  expect(valuesOf(metrics, 'ringwal.group.size')).toMatchObject([{ count: 2 }]);
});

it('refuses a log under the attributes of another one, which is observed on, and takes it when that was stopped', async () => {
  const [one, two] = [await opened(), await opened()];
  const { meter, collect } = metering();
  const attributes = { 'ringwal.log': 'orders' };
  const stop = observeLog(one, meter, { attributes });
  expect(() => observeLog(two, meter, { attributes })).toThrow(
    expect.objectContaining({
      code: 'RINGWAL_INVALID_ARGUMENT',
      message: expect.stringContaining(one.directory),
    }),
  );
  await one.append('x');
  expect(valuesOf(await collect(), 'ringwal.records')).toEqual([1]);
  stop();
  observeLog(two, meter, { attributes });
  await two.appendBatch(['x', 'y', 'z']);
  expect(valuesOf(await collect(), 'ringwal.records')).toEqual([3]);
});

it.each([
  ['die=exit&after=5', 'RINGWAL_WORKER_DIED', []],
  ['sync=4&code=EIO', 'RINGWAL_POISONED', [1]],
])('shows a log that has failed as down (%s)', async (query, code, ioErrors) => {
  process.env.RINGWAL_TEST_FAULT = query;
  const workerUrl = new URL('../fixtures/failing-worker.mjs', import.meta.url);
  const log = await opened(tempDir(), { ...SMALL, syncMode: 'fdatasync', workerUrl });
  const { meter, collect } = metering();
  observeLog(log, meter);
  await expect(async () => {
    for (let i = 0; i < 20; i++) await log.append('x');
  }).rejects.toMatchObject({ code });
  const metrics = await collect();
  expect(valuesOf(metrics, 'ringwal.up')).toEqual([0]);
  expect(valuesOf(metrics, 'ringwal.io.errors')).toEqual(ioErrors);
});

it('observes nothing more when it is stopped, once or twice, or by using', async () => {
  const log = await opened();
  const { meter, collect } = metering();
  {
    using stop = observeLog(log, meter);
    expect(valuesOf(await collect(), 'ringwal.up')).toEqual([1]);
    stop();
  }
  const counting = new CountedLog(log);
  const stop = observeLog(counting, meter);
  await collect();
  stop();
  await collect();
  expect(counting.questions).toBe(1);
});

it('refuses what is no log, no meter or no option', async () => {
  const log = await opened();
  const { meter } = metering();
  const code = 'RINGWAL_INVALID_ARGUMENT';
  expect(() => observeLog({} as Log, meter)).toThrow(expect.objectContaining({ code }));
  expect(() => observeLog(log, {} as typeof meter)).toThrow(expect.objectContaining({ code }));
  expect(() => observeLog(log, meter, { labels: {} } as ObserveOptions)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining('"labels"') }),
  );
});
