/** endings: however a log ends, the page says so, and goes on saying it. */
import { expect, it, onTestFinished } from 'vitest';
import { serveDashboard } from '../../dist/src/dashboard/index.js';
import { type Log, type LogOptions, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';
import { ask, firstUpdate } from './client.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 32_768 };

async function shown(options: LogOptions): Promise<{ readonly log: Log; readonly url: string }> {
  const log = await openLog(tempDir(), options);
  onTestFinished(() => log.close());
  const dashboard = await serveDashboard(log, { intervalMs: 100 });
  onTestFinished(() => dashboard.close());
  return { log, url: dashboard.url };
}

/** Groups are cached writes and syncs, whose calls are counted. */
function failing(query: string): LogOptions {
  process.env.RINGWAL_TEST_FAULT = query;
  const workerUrl = new URL('../fixtures/failing-worker.mjs', import.meta.url);
  return { ...SMALL, syncMode: 'fdatasync', workerUrl };
}

async function appendUntilItFails(log: Log): Promise<void> {
  await expect(async () => {
    for (let i = 0; i < 20; i++) await log.append('x');
  }).rejects.toThrow();
}

it('shows a log that is closed as closed, with what was seen of it last', async () => {
  const { log, url } = await shown(SMALL);
  await log.append('x');
  const closed = firstUpdate(url, ({ state }) => state === 'closed');
  await firstUpdate(url, ({ figures }) => figures?.records === 1);
  await log.close();
  expect(await closed).toMatchObject({ code: 'RINGWAL_CLOSED', figures: { records: 1, durableLsn: 1 } });
  // Later too, when the page is opened again.
  expect(await firstUpdate(url, () => true)).toMatchObject({ state: 'closed', figures: { records: 1 } });
  expect(JSON.parse((await ask(`${url}stats`)).body)).toMatchObject({
    state: 'closed',
    stats: { records: 1 },
  });
});

it('shows a log as closed that was closed before anybody looked', async () => {
  const { log, url } = await shown(SMALL);
  await log.close();
  expect(await firstUpdate(url, ({ state }) => state !== 'starting')).toMatchObject({
    state: 'closed',
    figures: null,
  });
});

it('shows a log that a failed sync has ended as failed, with its figures', async () => {
  const { log, url } = await shown(failing('sync=4&code=EIO'));
  await appendUntilItFails(log);
  expect(await firstUpdate(url, ({ state }) => state !== 'starting')).toMatchObject({
    state: 'failed',
    code: 'RINGWAL_POISONED',
    figures: { ioErrors: 1 },
  });
  await log.close();
  expect(await firstUpdate(url, () => true)).toMatchObject({ state: 'failed', code: 'RINGWAL_POISONED' });
});

it('shows a log whose I/O worker died as failed', async () => {
  const { log, url } = await shown(failing('die=exit&after=5'));
  await appendUntilItFails(log);
  expect(await firstUpdate(url, ({ state }) => state !== 'starting')).toMatchObject({
    state: 'failed',
    code: 'RINGWAL_WORKER_DIED',
    message: expect.stringContaining('worker'),
  });
});
