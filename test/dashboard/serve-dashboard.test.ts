/** serve-dashboard: who is answered what, and under which headers. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { type Dashboard, type DashboardOptions, serveDashboard } from '../../dist/src/dashboard/index.js';
import { type Log, openLog } from '../../dist/src/index.js';
import { tempDir } from '../support/temp-dir.js';
import { ask, firstUpdate, listen } from './client.js';
import { FakeLog } from './fake-log.js';

async function served(
  log: Parameters<typeof serveDashboard>[0],
  options?: DashboardOptions,
): Promise<Dashboard> {
  const dashboard = await serveDashboard(log, options);
  onTestFinished(() => dashboard.close());
  return dashboard;
}

async function opened(): Promise<Log> {
  const log = await openLog(tempDir(), { segmentBytes: 65_536, ringBytes: 32_768 });
  onTestFinished(() => log.close());
  return log;
}

it('serves one page on loopback, under headers that keep it to itself', async () => {
  const { url } = await served(new FakeLog());
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  const { status, headers, body } = await ask(url);
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(body).toMatch(/^<!doctype html>/);
  for (const path of ['', 'events?x', 'stats', 'no']) {
    const answer =
      path === 'events?x' ? { headers: await headersOf(`${url}${path}`) } : await ask(url + path);
    expect(answer.headers, path).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringMatching(/^default-src 'none'; .*frame-ancestors 'none'$/),
    });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
});

/** Of an answer that does not end. */
async function headersOf(url: string): Promise<Record<string, string>> {
  const ended = new AbortController();
  const { headers } = await fetch(url, { signal: ended.signal });
  ended.abort();
  return Object.fromEntries(headers);
}

it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])('takes no %s', async (method) => {
  const { url } = await served(new FakeLog());
  for (const path of ['', 'events', 'stats']) {
    const { status, headers } = await ask(url + path, { method });
    expect([status, headers.allow], path).toEqual([405, 'GET']);
  }
});

it.each(['favicon.ico', 'stats/', 'events/1', '..%2f', 'index.html'])('has nothing at /%s', async (path) => {
  const { url } = await served(new FakeLog());
  expect((await ask(url + path)).status).toBe(404);
});

it.each([
  ['localhost:80', 200],
  ['LOCALHOST', 200],
  ['127.0.0.1', 200],
  ['127.8.9.10:1', 200],
  ['[::1]:80', 200],
  ['attacker.example', 403],
  ['localhost.attacker.example:80', 403],
  ['127.0.0.1.attacker.example', 403],
  ['attacker.example@localhost', 403],
  ['0.0.0.0', 403],
  ['192.168.1.5', 403],
])('answers a request for the host %s with %i', async (host, status) => {
  const log = new FakeLog();
  const { url } = await served(log);
  for (const path of ['', 'stats'])
    expect((await ask(url + path, { headers: { host } })).status, path).toBe(status);
  expect(log.statsCalls).toBe(status === 200 ? 1 : 0);
});

it('answers under the host it was given, and on all addresses under the one that was asked', async () => {
  const named = await served(new FakeLog(), { host: 'localhost' });
  expect(named.url).toMatch(/^http:\/\/localhost:\d+\/$/);
  expect((await ask(named.url)).status).toBe(200);
  const all = await served(new FakeLog(), { host: '0.0.0.0' });
  expect(all.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  expect((await ask(all.url)).status).toBe(200);
  expect((await ask(all.url, { headers: { host: '10.255.255.1' } })).status).toBe(403);
  expect((await ask(all.url, { headers: { host: 'attacker.example' } })).status).toBe(403);
  const address = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  if (address !== undefined) expect((await ask(all.url.replace('127.0.0.1', address))).status).toBe(200);
});

it("lets no other site's page make it ask the log", async () => {
  const log = new FakeLog();
  const { url } = await served(log);
  for (const path of ['events', 'stats']) {
    const headers = { 'sec-fetch-site': 'cross-site' };
    expect((await ask(url + path, { headers })).status, path).toBe(403);
  }
  expect(log.statsCalls).toBe(0);
});

it('tells the log as it is: what was appended, its segments and their size, and no payload', async () => {
  const log = await opened();
  const { url } = await served(log, { intervalMs: 100 });
  await log.append('a secret');
  await log.rotate();
  await log.append('a secret');
  const { figures } = await firstUpdate(
    url,
    ({ figures }) => figures?.records === 2 && figures.segmentCapacity > 0,
  );
  expect(figures).toMatchObject({
    durableLsn: 2,
    firstLsn: 1,
    producers: 1,
    segmentCount: 2,
    segmentCapacity: 65_536,
  });
  expect(figures?.segments).toEqual([
    [1, 1, 1, expect.any(Number), true],
    [2, 2, 2, expect.any(Number), false],
  ]);
  const { headers, body } = await ask(`${url}stats`);
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  expect(JSON.parse(body)).toMatchObject({
    directory: log.directory,
    state: 'open',
    stats: { records: 2 },
    segments: [{ number: 1 }, { number: 2 }],
  });
  expect(body).not.toContain('secret');
});

it('begins a page with the last minutes, also one that comes later', async () => {
  const log = await opened();
  const { url } = await served(log, { intervalMs: 100 });
  let seen = 0;
  for await (const { event, data } of listen(url)) {
    await log.append('x');
    if (event === 'update' && data.interval !== null) seen++;
    if (seen === 3) break;
  }
  for await (const { event, data } of listen(url)) {
    expect(event).toBe('history');
    if (event === 'history') expect(data.intervals.length).toBeGreaterThanOrEqual(3);
    break;
  }
});

it('ends all pages when it is closed, twice if need be, and leaves the log as it is', async () => {
  const log = await opened();
  const dashboard = await serveDashboard(log);
  const events = listen(dashboard.url);
  await events.next();
  await Promise.all([dashboard.close(), dashboard.close()]);
  await expect(async () => {
    for await (const _ of events);
  }).rejects.toThrow('aborted');
  await expect(ask(dashboard.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(await log.append('x')).toBe(1);
  await dashboard[Symbol.asyncDispose]();
});

it('keeps no process running', async () => {
  const index = (name: string): string => new URL(`../../dist/src/${name}index.js`, import.meta.url).href;
  const script = `
    import { once } from 'node:events';
    import { connect } from 'node:net';
    import { openLog } from ${JSON.stringify(index(''))};
    import { serveDashboard } from ${JSON.stringify(index('dashboard/'))};
    const log = await openLog(${JSON.stringify(tempDir())});
    const { url } = await serveDashboard(log, { intervalMs: 100 });
    const page = connect(new URL(url).port, '127.0.0.1');
    page.write('GET /events HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n');
    await once(page, 'data');
    page.unref();
    await log.close();
    console.log('through');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout).toBe('through\n');
});

it.each([
  [{ port: -1 }, 'Option "port" must be an integer from 0 to 65535'],
  [{ port: 80.5 }, 'Option "port"'],
  [{ host: '' }, 'Option "host"'],
  [{ intervalMs: 99 }, 'Option "intervalMs" must be an integer from 100 to 60000'],
  [{ intervalMs: Number.NaN }, 'Option "intervalMs"'],
  [{ intervall: 1 }, 'Unknown option "intervall"'],
  [{ host: '203.0.113.1' }, "can't be listened on"],
])('rejects the options %o', async (options, message) => {
  await expect(serveDashboard(new FakeLog(), options as DashboardOptions)).rejects.toMatchObject({
    code: 'RINGWAL_INVALID_ARGUMENT',
    message: expect.stringContaining(message),
  });
});

it('rejects a port that is taken, and says what to do', async () => {
  const { url } = await served(new FakeLog());
  await expect(serveDashboard(new FakeLog(), { port: Number(new URL(url).port) })).rejects.toMatchObject({
    code: 'RINGWAL_INVALID_ARGUMENT',
    message: expect.stringMatching(/EADDRINUSE.*port 0 for any that is free/),
    cause: expect.objectContaining({ code: 'EADDRINUSE' }),
  });
});

it('rejects what is no log', async () => {
  await expect(serveDashboard({} as FakeLog)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
});

it('takes no more than 256 connections, and others once some have gone', async () => {
  const { url } = await served(new FakeLog());
  const port = Number(new URL(url).port);
  const idle: Socket[] = [];
  for (let i = 0; i < 256; i++) {
    const connection = connect(port, '127.0.0.1').on('error', () => {});
    await once(connection, 'connect');
    idle.push(connection);
  }
  onTestFinished(() => idle.forEach((connection) => void connection.destroy()));
  await expect(ask(url)).rejects.toMatchObject({ code: 'ECONNRESET' });
  const closed = once(idle[0] as Socket, 'close');
  idle[0]?.end('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n').resume();
  await closed;
  expect((await ask(url)).status).toBe(200);
});

it('forgets the pages of a connection that has gone, also those whose turn to be answered has not come', async () => {
  const { url } = await served(new FakeLog());
  const page = connect(Number(new URL(url).port), '127.0.0.1');
  // One after the other without waiting: only the first of them is ever answered.
  page.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(64));
  await once(page, 'data');
  page.destroy();
  await once(page, 'close');
  const [one, other] = [listen(url), listen(url)];
  for (const events of [one, other])
    expect((await events.next()).value, 'there is room for it').toMatchObject({ event: 'history' });
});
