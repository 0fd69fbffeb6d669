/** http-ingest: the example service: what it answers with 200 is in the log, whatever happens to the service. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import type { FastifyInstance } from 'fastify';
import { type LogOptions, openLog, openReader } from 'ringwal';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type {} from '../../dist-examples/http-ingest/ringwal-plugin.js'; // `app.wal`
import { buildServer, type ServerOptions } from '../../dist-examples/http-ingest/server.js';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384, syncMode: 'fdatasync' };
const CONNECTIONS = 30;
/** Records of 4000 bytes that are sent at once, of which few fit into a ring. */
const SENT = 20;
const main = fileURLToPath(new URL('../../dist-examples/http-ingest/main.js', import.meta.url));
const fixture = (name: string): URL => new URL(`../fixtures/${name}`, import.meta.url);

/** Lines of NDJSON, as texts by LSN. */
function recordsOf(body: string): [number, string][] {
  const lines = body.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { lsn, payload } = JSON.parse(line) as { lsn: number; payload: string };
    return [lsn, Buffer.from(payload, 'base64').toString()];
  });
}

async function serve(options: ServerOptions): Promise<{ app: FastifyInstance; url: string }> {
  const app = await buildServer(options);
  onTestFinished(() => app.close());
  return { app, url: `${await app.listen({ host: '127.0.0.1', port: 0 })}/records` };
}

const post = (url: string, body: string): Promise<Response> => fetch(url, { method: 'POST', body });

/** Sends records, each with a text of its own, and notes what was answered with 200: the witness. */
class Load {
  readonly acknowledged = new Map<number, string>();
  readonly statuses = new Set<number>();
  readonly ended: Promise<unknown>;
  readonly #run: autocannon.Instance;
  #sent = 0;
  #waiting: { readonly count: number; readonly done: () => void } | undefined;

  constructor(url: string) {
    const options: autocannon.Options = {
      ...{ url, connections: CONNECTIONS, duration: 20, method: 'POST' as const },
      requests: [
        {
          setupRequest: (request, context) => {
            const body = `record ${this.#sent++}`;
            Object.assign(context, { body });
            return { ...request, body };
          },
          onResponse: (status, body, context) => this.#answered(status, body, context as { body: string }),
        },
      ],
    };
    this.#run = autocannon(options, () => {});
    this.ended = once(this.#run, 'done');
    onTestFinished(() => this.#run.stop());
  }

  #answered(status: number, answer: string, { body }: { readonly body: string }): void {
    this.statuses.add(status);
    if (status !== 200) return;
    this.acknowledged.set((JSON.parse(answer) as { lsn: number }).lsn, body);
    if (this.acknowledged.size >= (this.#waiting?.count ?? Number.POSITIVE_INFINITY)) this.#waiting?.done();
  }

  until(count: number): Promise<void> {
    return new Promise((done) => {
      this.#waiting = { count, done };
    });
  }

  async stop(): Promise<void> {
    this.#run.stop();
    await this.ended;
  }
}

/** Everything acknowledged is there, under its LSN, and what else there is was sent too. */
async function expectAllThere(directory: string, { acknowledged }: Load): Promise<void> {
  const log = await openLog(directory, SMALL);
  const found = new Map<number, string>();
  let expected = 1;
  for await (const { lsn, payload } of log.read()) {
    expect(lsn).toBe(expected++);
    found.set(lsn, Buffer.from(payload).toString());
  }
  await log.close();
  expect(new Set(found.values()).size).toBe(found.size);
  for (const [lsn, body] of acknowledged) expect(found.get(lsn), `LSN ${lsn}`).toBe(body);
}

async function start(directory: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [main, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: must(child.stdout ?? undefined) });
  const [line] = (await once(lines, 'line')) as [string];
  return { child, url: `${must(/http:\S+(?=,)/.exec(line)?.[0], line)}/records` };
}

describe('under load', () => {
  it('answers with an LSN of its own for each record, shares syncs, and has all of them after closing', async () => {
    const directory = tempDir();
    // With a window, so that how many come together is not the machine's affair: without, a slow one had 1.9 a group.
    const { app, url } = await serve({ directory, log: { ...SMALL, windowUs: 2000 } });
    const load = new Load(url);
    await load.until(1000);
    await load.stop();
    expect(load.statuses).toEqual(new Set([200]));
    const { records, groups } = await app.wal.stats();
    expect(records).toBeGreaterThanOrEqual(load.acknowledged.size);
    expect(groups).toBeLessThan(records / 2);
    await app.close();
    await expectAllThere(directory, load);
  });

  it('keeps what it answered with 200 when it is killed with SIGKILL', async () => {
    const directory = tempDir();
    const { child, url } = await start(directory);
    const load = new Load(url);
    await load.until(500);
    child.kill('SIGKILL');
    await once(child, 'close');
    await load.stop();
    expect(load.acknowledged.size).toBeGreaterThanOrEqual(500);
    await expectAllThere(directory, load);
  });

  it('ends in order on SIGTERM', async () => {
    const directory = tempDir();
    const { child, url } = await start(directory);
    const load = new Load(url);
    await load.until(300);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    await load.stop();
    await expectAllThere(directory, load);
  });
});

describe('answers', () => {
  it('with the records from an LSN on, a line of JSON each', async () => {
    const { url } = await serve({ directory: tempDir(), log: SMALL });
    expect(await (await fetch(url)).text()).toBe('');
    const texts = Array.from({ length: 200 }, (_, i) => `record ${i} ${'.'.repeat(i * 10)}`);
    for (const text of texts) expect((await post(url, text)).status).toBe(200);
    const all = await fetch(url);
    expect(all.headers.get('content-type')).toBe('application/x-ndjson');
    expect(recordsOf(await all.text())).toEqual(texts.map((text, i) => [i + 1, text]));
    const part = recordsOf(await (await fetch(`${url}?from=150&to=152`)).text());
    expect(part).toEqual([150, 151, 152].map((lsn) => [lsn, texts[lsn - 1]]));
  });

  it('with the status that fits to what it can not do', async () => {
    const { url } = await serve({ directory: tempDir(), log: SMALL, maxRecordBytes: 1000 });
    expect((await post(url, 'x'.repeat(1000))).status).toBe(200);
    expect((await post(url, 'x'.repeat(1001))).status).toBe(413);
    expect((await post(url, '')).status).toBe(400);
    expect((await fetch(`${url}?from=0`)).status).toBe(400);
    const beyond = await fetch(`${url}?from=99`);
    expect([beyond.status, ((await beyond.json()) as { code: string }).code]).toEqual([
      404,
      'RINGWAL_OUT_OF_RANGE',
    ]);
    expect(recordsOf(await (await fetch(url)).text())).toHaveLength(1);
  });

  it('when the record is durable and not before, 503 to what there is no room for, and finishes what it has', async () => {
    const directory = tempDir();
    const gate = join(tempDir(), 'gate');
    process.env.RINGWAL_TEST_GATE = gate;
    const workerUrl = fixture('gated-worker.mjs');
    const { app, url } = await serve({ directory, log: { ...SMALL, maxWaitingBytes: 0, workerUrl } });
    onTestFinished(() => {
      delete process.env.RINGWAL_TEST_GATE;
      rmSync(gate, { force: true }); // before the service is closed
    });
    writeFileSync(gate, '');
    const append = vi.spyOn(app.wal, 'append');
    // The disk stands still: records fill the ring, and those that find no room are told at once.
    const answers = Array.from({ length: SENT }, () => post(url, 'x'.repeat(4000)));
    await vi.waitFor(() => expect(append).toHaveBeenCalledTimes(SENT), { interval: 5 });
    const early: Response[] = [];
    for (const answer of answers) void answer.then((response) => early.push(response));
    await vi.waitFor(() => expect(early.length).toBeGreaterThan(SENT / 2), { interval: 5 });
    for (const { status, headers } of early) expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(app.wal.durableLsn).toBe(0);
    const closed = app.close();
    rmSync(gate);
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    await closed;
    const accepted = statuses.filter((status) => status === 200).length;
    expect(accepted).toBeGreaterThan(0);
    expect(statuses.filter((status) => status === 503)).toHaveLength(SENT - accepted);
    await using reader = await openReader(directory);
    expect(await reader.readAll()).toHaveLength(accepted);
  });

  // Fastify sheds it with a 503 of its own, without retry-after: which says that the record may or may not be there.
  it('what arrives while the service closes, on a connection that was busy then, as ever, and is the last on it', async () => {
    const directory = tempDir();
    const { app, url } = await serve({ directory, log: SMALL });
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    const connected = once(app.server, 'connection') as Promise<[Socket]>;
    socket.write('POST /records HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n');
    const [accepted] = await connected;
    await vi.waitFor(() => expect(accepted.bytesRead).toBeGreaterThan(0), { interval: 5 });
    const closed = app.close();
    await vi.waitFor(() => expect(app.server.listening).toBe(false), { interval: 5 });
    socket.write('content-length: 4\r\n\r\nlate');
    const answer = await textOf(socket);
    await closed;
    expect(answer).toMatch(/^HTTP\/1.1 200 .*\r\nconnection: close\r\n.*"lsn":1/is);
    await using reader = await openReader(directory);
    expect(await reader.readAll()).toHaveLength(1);
  });

  it('503 to every append once the log has failed, and is not healthy then', async () => {
    process.env.RINGWAL_TEST_FAULT = 'sync=3&code=EIO';
    onTestFinished(() => {
      delete process.env.RINGWAL_TEST_FAULT;
    });
    const directory = tempDir();
    const { url } = await serve({ directory, log: { ...SMALL, workerUrl: fixture('failing-worker.mjs') } });
    const health = new URL('/health', url);
    const durable: number[] = [];
    for (;;) {
      const healthy = await fetch(health);
      expect(healthy.status).toBe(200);
      const response = await post(url, 'x');
      if (response.status !== 200) {
        expect(response.status).toBe(503);
        expect(response.headers.get('retry-after')).toBeNull(); // it may be there: not to be sent again blindly
        break;
      }
      durable.push(((await response.json()) as { lsn: number }).lsn);
    }
    for (const response of [await post(url, 'x'), await fetch(health)]) {
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ code: 'RINGWAL_POISONED' });
    }
    expect(recordsOf(await (await fetch(url)).text()).map(([lsn]) => lsn)).toEqual(durable);
  });
});
