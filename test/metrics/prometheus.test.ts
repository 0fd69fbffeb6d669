/** prometheus: a scrape says what the log says, in the text format, for as many logs as there are. */
import { AggregatorRegistry, Counter, type OpenMetricsContentType, Registry, register } from 'prom-client';
import { expect, it, onTestFinished } from 'vitest';
import type { Log, LogStats } from '../../dist/src/index.js';
import { type CollectOptions, collectMetrics } from '../../dist/src/prometheus/index.js';
import { histogramOf, parseExposition, sampleOf } from './exposition.js';
import { CountedLog, opened, scrape } from './opened-log.js';

/** Rotations, groups of several sizes, a truncation and a checkpoint. */
async function write(log: Log): Promise<void> {
  for (let round = 1; round <= 20; round++) {
    await Promise.all(Array.from({ length: round }, () => log.append(Buffer.alloc(1000))));
  }
  await log.checkpoint('state');
  await log.truncateBefore(log.durableLsn);
}

it('exports what stats() says, each figure under its name, type and unit', async () => {
  const log = await opened();
  const registry = new Registry();
  collectMetrics(log, { registry });
  await write(log);
  const stats: LogStats = await log.stats();
  const families = await scrape(registry);
  const expected: Record<string, readonly [type: string, value: number]> = {
    ringwal_up: ['gauge', 1],
    ringwal_records_total: ['counter', stats.records],
    ringwal_record_bytes_total: ['counter', stats.bytes],
    ringwal_groups_total: ['counter', stats.groups],
    ringwal_first_lsn: ['gauge', stats.firstLsn],
    ringwal_durable_lsn: ['gauge', stats.durableLsn],
    ringwal_checkpoint_lsn: ['gauge', log.checkpointLsn],
    ringwal_appends_in_flight: ['gauge', 0],
    ringwal_waiting_bytes: ['gauge', 0],
    ringwal_ring_used_bytes: ['gauge', 0],
    ringwal_ring_capacity_bytes: ['gauge', 32_768],
    ringwal_producers: ['gauge', 1],
    ringwal_rotations_total: ['counter', stats.rotations],
    ringwal_io_errors_total: ['counter', 0],
    ringwal_maintenance_errors_total: ['counter', 0],
    ringwal_maintenance_failing: ['gauge', 0],
  };
  for (const [name, [type, value]] of Object.entries(expected)) {
    expect(families.get(name)?.type, name).toBe(type);
    expect(sampleOf(families, name, { log: log.directory }), name).toBe(value);
  }
  expect(sampleOf(families, 'ringwal_info', { sync_mode: stats.syncMode })).toBe(1);
  expect(log.checkpointLsn).toBe(211);
  expect(stats.rotations).toBeGreaterThan(2);
  // These go on by themselves: the mark of an idle log, segments made ready.
  for (const [name, least] of [
    ['ringwal_syncs_total', stats.syncs],
    ['ringwal_segments_prepared_total', stats.segmentsPrepared],
    ['ringwal_segments_recycled_total', stats.segmentsRecycled],
    ['ringwal_segments_removed_total', stats.segmentsRemoved],
  ] as const) {
    expect(families.get(name)?.type).toBe('counter');
    expect(sampleOf(families, name), name).toBeGreaterThanOrEqual(least);
  }
  for (const { name, help, type } of families.values()) {
    expect(help, name).toMatch(/\S.*\.$/);
    expect(type === 'counter', name).toBe(name.endsWith('_total'));
  }
});

it('exports distributions as histograms: cumulative, up to +Inf, with sum and count, in base units', async () => {
  const log = await opened();
  const registry = new Registry();
  collectMetrics(log, { registry });
  await write(log);
  const stats = await log.stats();
  const families = await scrape(registry);
  const scales = [
    ['ringwal_group_wait_seconds', stats.waitUs, 1e6],
    ['ringwal_group_records', stats.groupRecords, 1],
    ['ringwal_group_bytes', stats.groupBytes, 1],
  ] as const;
  for (const [name, distribution, perUnit] of scales) {
    const { buckets, sum, count } = histogramOf(families, name);
    expect(families.get(name)?.type).toBe('histogram');
    expect(count, name).toBe(distribution.count);
    expect(sum, name).toBe(distribution.sum / perUnit);
    for (const [le, below] of buckets) {
      const exponent = Math.round(Math.log2(le * perUnit));
      const least = distribution.buckets.slice(0, exponent + 1).reduce((all, one) => all + one, 0);
      expect(below, `${name} ${le}`).toBe(le === Number.POSITIVE_INFINITY ? count : least);
    }
  }
  for (const name of [...scales.map(([name]) => name), 'ringwal_sync_duration_seconds']) {
    const { buckets, sum, count } = histogramOf(families, name);
    expect(buckets.at(-1), name).toEqual([Number.POSITIVE_INFINITY, count]);
    expect(count, name).toBeGreaterThanOrEqual(stats.groups);
    expect(sum, name).toBeGreaterThan(0);
    const values = buckets.map(([, below]) => below);
    const bounds = buckets.map(([le]) => le);
    expect(values, name).toEqual(values.toSorted((a, b) => a - b));
    expect(bounds, name).toEqual([...new Set(bounds)].toSorted((a, b) => a - b));
  }
  expect(histogramOf(families, 'ringwal_sync_duration_seconds').count).toBe(
    sampleOf(families, 'ringwal_syncs_total'),
  );
  const sizes = new Map(histogramOf(families, 'ringwal_group_records').buckets);
  expect(sizes.get(2 ** 20)).toBe(stats.groups);
  expect(sizes.get(1)).toBeLessThan(stats.groups);
});

it('counts what is beyond the last bound in +Inf, and what is below the first in the first', async () => {
  const log = await opened();
  const stats = await log.stats();
  // 2 of at most 2 us, and one of 16.8 to 33.6 s.
  const buckets = Array.from({ length: 26 }, (_, exponent) => (exponent === 1 ? 2 : exponent === 25 ? 1 : 0));
  const syncUs = { ...stats.syncUs, count: 3, sum: 20_000_004, buckets };
  const slow = { directory: '/slow', checkpointLsn: 0, stats: async () => ({ ...stats, syncUs }) };
  const registry = new Registry();
  collectMetrics(slow, { registry });
  const histogram = histogramOf(await scrape(registry), 'ringwal_sync_duration_seconds');
  expect(histogram).toMatchObject({ sum: 20.000004, count: 3 });
  expect(histogram.buckets[0]).toEqual([0.000016, 2]);
  expect(histogram.buckets.slice(-2)).toEqual([
    [8.388608, 2],
    [Number.POSITIVE_INFINITY, 3],
  ]);
});

it('has the same series before the first record as after it', async () => {
  const log = await opened();
  const registry = new Registry();
  collectMetrics(log, { registry });
  const names = async (): Promise<string[]> =>
    [...(await scrape(registry)).values()].flatMap(({ series }) =>
      series.map(({ name, labels }) => JSON.stringify([name, labels])),
    );
  const before = await names();
  await write(log);
  expect(await names()).toEqual(before);
});

it('asks a log once a scrape, and never in between', async () => {
  const log = await opened();
  const counting = new CountedLog(log);
  const registry = new Registry();
  collectMetrics(counting, { registry });
  await write(log);
  expect(counting.questions).toBe(0);
  await scrape(registry);
  expect(counting.questions).toBe(1);
  await registry.getMetricsAsJSON();
  expect(counting.questions).toBe(2);
});

it('tells several logs in one registry apart, by directory or as their labels say', async () => {
  const [one, two] = [await opened(), await opened()];
  const registry = new Registry();
  const stopOne = collectMetrics(one, { registry });
  collectMetrics(two, { registry, labels: { log: 'orders', tier: 'a"b\\c' } });
  await one.append('x');
  await two.appendBatch(['y', 'z']);
  const families = await scrape(registry);
  expect(sampleOf(families, 'ringwal_records_total', { log: one.directory })).toBe(1);
  expect(sampleOf(families, 'ringwal_records_total', { log: 'orders', tier: 'a"b\\c' })).toBe(2);
  expect(histogramOf(families, 'ringwal_group_records', { log: 'orders' }).sum).toBe(2);
  stopOne();
  expect((await scrape(registry)).get('ringwal_up')?.series.map(({ labels }) => labels.log)).toEqual([
    'orders',
  ]);
});

it('takes its metrics out again, and others are left alone', async () => {
  const log = await opened();
  const registry = new Registry();
  new Counter({ name: 'others_total', help: 'Of others.', registers: [registry] });
  const stop = collectMetrics(log, { registry });
  expect((await scrape(registry)).size).toBeGreaterThan(20);
  stop();
  stop();
  expect([...(await scrape(registry)).keys()]).toEqual(['others_total']);
  {
    using _ = collectMetrics(log, { registry });
    expect((await scrape(registry)).size).toBeGreaterThan(20);
  }
  expect([...(await scrape(registry)).keys()]).toEqual(['others_total']);
});

it('goes into the global registry unless told, under another prefix if wanted, and survives its being cleared', async () => {
  const log = await opened();
  onTestFinished(() => register.clear());
  const before = collectMetrics(log, { prefix: 'app_wal_' });
  expect(sampleOf(await scrape(register), 'app_wal_up')).toBe(1);
  register.clear();
  expect((await scrape(register)).size).toBe(0);
  collectMetrics(log, { prefix: 'app_wal_', labels: { log: 'again' } });
  before();
  expect(sampleOf(await scrape(register), 'app_wal_up')).toBe(1);
});

it('is exported in the OpenMetrics format too, scrape after scrape, and goes out of it', async () => {
  const log = await opened();
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const stop = collectMetrics(log, { registry });
  await log.append('x');
  for (let scrapes = 0; scrapes < 2; scrapes++) {
    const text = await registry.metrics();
    expect(text).toMatch(/# EOF\n$/);
    const families = parseExposition(text);
    expect(families.get('ringwal_records')?.type).toBe('counter');
    expect(sampleOf(families, 'ringwal_records_total')).toBe(1);
  }
  stop();
  expect(await registry.metrics()).not.toContain('ringwal');
});

it('has the registry’s default labels, is not reset, and adds up over the processes of a cluster', async () => {
  const log = await opened();
  const registry = new Registry();
  registry.setDefaultLabels({ app: 'shop' });
  collectMetrics(log, { registry });
  await log.append('x');
  registry.resetMetrics();
  expect(sampleOf(await scrape(registry), 'ringwal_records_total', { app: 'shop' })).toBe(1);
  const processes = [await registry.getMetricsAsJSON(), await registry.getMetricsAsJSON()];
  const families = await scrape(AggregatorRegistry.aggregate(structuredClone(processes)) as Registry);
  expect(sampleOf(families, 'ringwal_records_total')).toBe(2);
  expect(histogramOf(families, 'ringwal_group_records').count).toBe(2);
});

it('refuses what it can’t do at once, and then registers nothing', async () => {
  const [log, other] = [await opened(), await opened()];
  const registry = new Registry();
  const refused = (options: unknown, message: RegExp, subject: Log = log): void => {
    expect(() => collectMetrics(subject, options as CollectOptions)).toThrow(
      expect.objectContaining({
        code: 'RINGWAL_INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      }),
    );
  };
  refused({ registry, prefix: '' }, /"prefix"/);
  refused({ registry, prefix: '0wal_' }, /"prefix"/);
  refused({ registry, prefix: 7 }, /"prefix"/);
  refused({ registry, timeoutMs: 0 }, /"timeoutMs"/);
  refused({ registry, labels: { le: '1' } }, /"le"/);
  refused({ registry, labels: { 'a-b': '1' } }, /"a-b"/);
  refused({ registry, labels: { log: 7 } }, /"log"/);
  refused({ registry, interval: 7 }, /"interval"/);
  refused({ registry: {} }, /"registry"/);
  refused({ registry }, /open log/, {} as Log);
  expect(await registry.getMetricsAsJSON()).toEqual([]);

  collectMetrics(other, { registry, labels: { log: 'same' } });
  refused({ registry, labels: { log: 'same' } }, /label "log"/);
  const taken = new Registry();
  new Counter({ name: 'ringwal_records_total', help: 'Of others.', registers: [taken] });
  refused({ registry: taken }, /"ringwal_records_total".*"prefix"/);
  expect(await taken.getMetricsAsJSON()).toHaveLength(1);
});
