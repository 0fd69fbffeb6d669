/** prometheus-ends: however a log ends or hangs, a scrape succeeds, and says so. */
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { LogOptions, LogStats } from '../../dist/src/index.js';
import { collectMetrics } from '../../dist/src/prometheus/index.js';
import { tempDir } from '../support/temp-dir.js';
import { sampleOf } from './exposition.js';
import { opened, SMALL, scrape } from './opened-log.js';

it('shows a closed log as down and without figures, in a scrape that succeeds for the others', async () => {
  const [closing, other] = [await opened(), await opened()];
  const registry = new Registry();
  for (const log of [closing, other]) collectMetrics(log, { registry });
  await closing.append('x');
  await closing.close();
  const families = await scrape(registry);
  expect(sampleOf(families, 'ringwal_up', { log: closing.directory })).toBe(0);
  expect(sampleOf(families, 'ringwal_up', { log: other.directory })).toBe(1);
  const left = [...families.values()].flatMap(({ series }) => series);
  expect(left.filter(({ labels }) => labels.log === closing.directory)).toHaveLength(1);
  expect(left.filter(({ labels }) => labels.log === other.directory).length).toBeGreaterThan(20);
});

it('goes on with a log that is opened again under the same labels', async () => {
  const directory = tempDir();
  const registry = new Registry();
  const first = await opened(directory);
  const stopFirst = collectMetrics(first, { registry });
  await first.close();
  const second = await opened(directory);
  collectMetrics(second, { registry });
  await second.append('x');
  for (const late of [() => {}, stopFirst]) {
    late(); // it has no part in it any more
    const families = await scrape(registry);
    expect(sampleOf(families, 'ringwal_up')).toBe(1);
    expect(sampleOf(families, 'ringwal_records_total')).toBe(1);
  }
});

/** Groups are cached writes and syncs, whose calls are counted. */
function failing(query: string): LogOptions {
  process.env.RINGWAL_TEST_FAULT = query;
  const workerUrl = new URL('../fixtures/failing-worker.mjs', import.meta.url);
  return { ...SMALL, syncMode: 'fdatasync', workerUrl };
}

it('shows a log whose I/O worker died as down and without figures', async () => {
  const log = await opened(tempDir(), failing('die=exit&after=5'));
  const registry = new Registry();
  collectMetrics(log, { registry });
  await expect(async () => {
    for (let i = 0; i < 20; i++) await log.append('x');
  }).rejects.toMatchObject({ code: 'RINGWAL_WORKER_DIED' });
  const families = await scrape(registry);
  expect(sampleOf(families, 'ringwal_up')).toBe(0);
  expect(families.get('ringwal_records_total')?.series).toEqual([]);
});

it('shows a log that a failed sync has ended as down, with its figures', async () => {
  const log = await opened(tempDir(), failing('sync=4&code=EIO'));
  const registry = new Registry();
  collectMetrics(log, { registry });
  await expect(async () => {
    for (let i = 0; i < 20; i++) await log.append('x');
  }).rejects.toMatchObject({ code: 'RINGWAL_POISONED' });
  const families = await scrape(registry);
  expect(sampleOf(families, 'ringwal_up')).toBe(0);
  expect(sampleOf(families, 'ringwal_io_errors_total')).toBe(1);
  expect(sampleOf(families, 'ringwal_durable_lsn')).toBe(log.durableLsn);
});

it('goes on without a log that does not answer in time, and asks it nothing more until it does', async () => {
  const log = await opened();
  const stats = await log.stats();
  const questions: ((stats: LogStats) => void)[] = [];
  const hanging = {
    directory: '/hanging',
    checkpointLsn: 0,
    stats: () => new Promise<LogStats>((resolve) => questions.push(resolve)),
  };
  const registry = new Registry();
  collectMetrics(hanging, { registry, timeoutMs: 1 });
  collectMetrics(log, { registry });
  for (let scrapes = 0; scrapes < 3; scrapes++) {
    const families = await scrape(registry);
    expect(sampleOf(families, 'ringwal_up', { log: '/hanging' })).toBe(0);
    expect(sampleOf(families, 'ringwal_up', { log: log.directory })).toBe(1);
  }
  expect(questions).toHaveLength(1);
  questions[0]?.(stats);
  await new Promise(setImmediate);
  await scrape(registry);
  expect(questions).toHaveLength(2);
});
