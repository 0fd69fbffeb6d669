/** option-objects: what is taken for options, and what is refused, by everything that takes some. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metrics } from '@opentelemetry/api';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveDashboard } from '../../dist/src/dashboard/index.js';
import {
  attachLog,
  type Log,
  type LogOptions,
  type LogReader,
  openLog,
  openReader,
  type RingwalError,
  salvage,
  verifyLog,
} from '../../dist/src/index.js';
import { observeLog } from '../../dist/src/opentelemetry/index.js';
import { collectMetrics } from '../../dist/src/prometheus/index.js';
import { appendStream, appendWritableStream, toReadable } from '../../dist/src/streams/index.js';
import { tempDir } from '../support/temp-dir.js';

const REFUSED = { code: 'RINGWAL_INVALID_ARGUMENT' };
let log: Log;
let reader: LogReader;

beforeAll(async () => {
  log = await openLog(mkdtempSync(join(tmpdir(), 'ringwal-test-')), {
    segmentBytes: 65_536,
    ringBytes: 16_384,
  });
  await log.append('a');
  reader = await openReader(log.directory);
});
afterAll(async () => {
  await reader.close();
  await log.close();
  rmSync(log.directory, { recursive: true });
});

const asynchronous: [string, (options: never) => Promise<unknown>][] = [
  ['openLog', (options) => openLog(`${tempDir()}/never`, options)],
  ['option retention of openLog', (options) => openLog(`${tempDir()}/never`, { retention: options })],
  ['option compression of openLog', (options) => openLog(`${tempDir()}/never`, { compression: options })],
  ['option encryption of openLog', (options) => openLog(`${tempDir()}/never`, { encryption: options })],
  ['attachLog', (options) => attachLog(log.handle(), options)],
  ['openReader', (options) => openReader(log.directory, options)],
  ['verifyLog', (options) => verifyLog(log.directory, options)],
  ['salvage', (options) => salvage(log.directory, `${tempDir()}/never`, options)],
  ['append', (options) => log.append('b', options)],
  ['appendBatch', (options) => log.appendBatch(['b'], options)],
  ['read', (options) => log.read(options).next()],
  ['tail', (options) => log.tail(options).next()],
  ['waitForDurable', (options) => log.waitForDurable(0, options)],
  ['truncateBefore', (options) => log.truncateBefore(1, options)],
  ['read of a reader', (options) => reader.read(options).next()],
  ['tail of a reader', (options) => reader.tail(options).next()],
  ['serveDashboard', (options) => serveDashboard(log, options)],
];
const synchronous: [string, (options: never) => unknown][] = [
  ['collectMetrics', (options) => collectMetrics(log, options)],
  ['labels of collectMetrics', (labels) => collectMetrics(log, { registry: new Registry(), labels })],
  ['observeLog', (options) => observeLog(log, metrics.getMeter('test'), options)],
  ['attributes of observeLog', (attributes) => observeLog(log, metrics.getMeter('test'), { attributes })],
  ['appendStream', (options) => appendStream(log, options)],
  ['appendWritableStream', (options) => appendWritableStream(log, options)],
  ['toReadable', (options) => toReadable(log.read(), options)],
];

// Arrays, maps and boxed values have no properties that could be unknown: they were taken for no options. Null threw a
// TypeError.
const wrong: unknown[] = [
  null,
  [],
  new Map([['syncMode', 'none']]),
  new Set(['recycle']),
  new Number(1),
  new String(''),
  new Boolean(true),
  () => {},
  'direct',
  1,
  Symbol('options'),
];

describe('refuses with RINGWAL_INVALID_ARGUMENT what is no object of options', () => {
  it.each(asynchronous)('%s', async (_, call) => {
    for (const options of wrong) await expect(call(options as never)).rejects.toMatchObject(REFUSED);
    expect(log.lastLsn).toBe(1);
  });

  it.each(synchronous)('%s', (_, call) => {
    for (const options of wrong)
      expect(() => call(options as never)).toThrow(expect.objectContaining(REFUSED));
  });
});

it('refuses a name that is none of an option', async () => {
  const encryption = { keyId: 1, key: () => Buffer.alloc(32), keyid: 2 };
  await expect(openLog(`${tempDir()}/never`, { encryption })).rejects.toMatchObject(REFUSED);
  const options = { signals: AbortSignal.abort() };
  await expect(log.waitForDurable(1, options as never)).rejects.toMatchObject(REFUSED);
});

it('takes an object of any class, or of none', async () => {
  class Mine {
    readonly from = 1;
    get to() {
      return 1;
    }
  }
  expect((await log.read(new Mine()).next()).value).toMatchObject({ lsn: 1 });
  expect((await log.read(Object.assign(Object.create(null), { from: 1 })).next()).value).toMatchObject({
    lsn: 1,
  });
});

describe('a value that is refused', () => {
  const values: unknown[] = [Object.create(null), { toString: () => 1n / 0n }, Symbol('value'), 5n, () => {}];
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  values.push(revoked.proxy);

  // Some can't be made into a string, or JSON: the TypeError of the attempt was told.
  it('is told by RINGWAL_INVALID_ARGUMENT, whatever it is', async () => {
    const cursor = await log.cursor('refused');
    for (const value of values as never[]) {
      const options: LogOptions[] = [{ windowUs: value }, { recycle: value }, { syncMode: value }];
      for (const one of options) await expect(openLog(tempDir(), one)).rejects.toMatchObject(REFUSED);
      const rejected: Promise<unknown>[] = [
        openLog(tempDir(), { encryption: { keyId: value, key: () => Buffer.alloc(32) } }),
        openLog(tempDir(), { retention: { bytes: value } }),
        log.append('b', { expectedLsn: value }),
        log.gcBefore(value),
        openLog(tempDir(), { compression: { algorithm: 'deflate', level: value } }),
        openLog(tempDir(), { compression: { algorithm: 'deflate', minBytes: value } }),
        log.truncateBefore(value),
        log.waitForDurable(value),
        cursor.ack(value),
        log.read({ from: value }).next(),
        verifyLog(log.directory, { threads: value }),
        salvage(log.directory, `${tempDir()}/never`, { maxFillers: value }),
        serveDashboard(log, { port: value }),
        serveDashboard(log, { host: value }),
      ];
      for (const promise of rejected) await expect(promise).rejects.toMatchObject(REFUSED);
      const refused = expect.objectContaining(REFUSED);
      const registry = new Registry();
      expect(() => collectMetrics(log, { registry, prefix: value })).toThrow(refused);
      expect(() => collectMetrics(log, { registry, timeoutMs: value })).toThrow(refused);
      expect(() => collectMetrics(log, { registry, labels: { a: value } })).toThrow(refused);
      expect(() => appendStream(log, { highWaterMark: value })).toThrow(refused);
    }
  });

  // Of the Worker's own errors some have other codes, and a failure of its start told of a dead worker.
  it.each(['http://x/y.js', 'file:///a%2Fb.js', 'blob:nodedata:1'])('as workerUrl (%s)', async (url) => {
    const directory = `${tempDir()}/never`;
    const error = await openLog(directory, { workerUrl: new URL(url) }).catch(
      (reason: RingwalError) => reason,
    );
    expect(error).toMatchObject(REFUSED);
    expect((error as RingwalError).message).toContain('workerUrl');
  });
});
