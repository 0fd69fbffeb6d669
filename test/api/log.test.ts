/** log: opening, options, reading, segments, truncation, closing, other threads. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { attachLog, type LogOptions, openLog, type RingwalError, verifyLog } from '../../dist/src/index.js';
import { segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };
const index = new URL('../../dist/src/index.js', import.meta.url);

describe('options', () => {
  const wrong: [keyof LogOptions, unknown][] = [
    ['segmentBytes', 65_535],
    ['segmentBytes', 2 ** 31],
    ['ringBytes', 100],
    ['windowUs', -1],
    ['windowUs', 1.5],
    ['maxGroupBytes', 10],
    ['maxGroupBytes', 2 ** 30],
    ['maxGroupRecords', 0],
    ['maxWaitingBytes', '5'],
    ['busyPollUs', 10_001],
    ['busyPollUs', 0.5],
    ['recycle', 1],
    ['padGroups', 'yes'],
    ['mustInclude', -1],
    ['workerUrl', 'worker.js'],
    ['unknown' as keyof LogOptions, 1],
  ];
  it.each(wrong)('refuses %s: %s by name, and touches nothing', async (name, value) => {
    const directory = `${tempDir()}/never`;
    const error = await openLog(directory, { [name]: value }).catch((reason: RingwalError) => reason);
    expect(error).toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    expect((error as RingwalError).message).toContain(name);
    await expect(verifyLog(directory)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  });

  it('refuses a path that is none, and a path that is a file', async () => {
    await expect(openLog('')).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    await expect(openLog('/dev/null')).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  });
});

describe('read', () => {
  it('yields exactly the records asked for, across segments, in buffers of their own', async () => {
    const log = await openLog(tempDir(), SMALL);
    for (let i = 1; i <= 60; i++) await log.append(Buffer.alloc(3000, i));
    expect((await log.segments()).length).toBeGreaterThan(3);
    for (const [from, to] of [
      [1, 60],
      [17, 43],
      [60, 60],
    ] as const) {
      const lsns: number[] = [];
      for await (const { lsn, payload } of log.read({ from, to })) {
        lsns.push(lsn);
        expect([...new Set(payload)]).toEqual([lsn]);
        expect(payload.buffer.byteLength).toBe(3000);
      }
      expect(lsns).toEqual(Array.from({ length: to - from + 1 }, (_, i) => from + i));
    }
    await log.close();
  });

  it('refuses LSNs that are none, that are not there yet, and that were truncated', async () => {
    const log = await openLog(tempDir(), SMALL);
    for (let i = 0; i < 5; i++) await log.append('x');
    await log.truncateBefore(3);
    const read = (from: number, to?: number) => log.read(to === undefined ? { from } : { from, to }).next();
    await expect(read(0)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    await expect(read(1.5)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
    await expect(read(2)).rejects.toMatchObject({ code: 'RINGWAL_TRUNCATED' });
    await expect(read(3, 6)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    await expect(read(7)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    expect((await read(6)).done).toBe(true);
    await log.close();
  });

  it('ends with RINGWAL_TRUNCATED when truncation overtakes it', async () => {
    const log = await openLog(tempDir(), SMALL);
    for (let i = 1; i <= 60; i++) await log.append(Buffer.alloc(3000, i));
    const reader = log.read();
    expect((await reader.next()).value?.lsn).toBe(1);
    await log.truncateBefore(61);
    await expect(
      (async () => {
        for await (const _ of reader);
      })(),
    ).rejects.toMatchObject({ code: 'RINGWAL_TRUNCATED' });
    await log.close();
  });
});

describe('segments and truncation', () => {
  it('rotates on request, frees whole segments behind the mark, and keeps the mark over a restart', async () => {
    const directory = tempDir();
    const log = await openLog(directory, { ...SMALL, recycle: false });
    for (let i = 0; i < 4; i++) {
      await log.append(`${i}`);
      await log.rotate();
    }
    expect(
      (await log.segments()).map(({ firstLsn, lastLsn, isClosed }) => [firstLsn, lastLsn, isClosed]),
    ).toEqual([
      [1, 1, true],
      [2, 2, true],
      [3, 3, true],
      [4, 4, true],
    ]);
    await log.truncateBefore(3);
    expect(log.firstLsn).toBe(3);
    await expect(log.truncateBefore(6)).rejects.toMatchObject({ code: 'RINGWAL_OUT_OF_RANGE' });
    await log.truncateBefore(1); // behind the mark already
    await log.close();
    expect(segmentsIn(directory)).not.toContain('00000000000000000001.wal');
    const again = await openLog(directory, { ...SMALL, recycle: false, mustInclude: 4 });
    expect(again.recovery).toMatchObject({ created: false, firstLsn: 3, lastLsn: 4, tornTail: undefined });
    await again.truncateBefore(5); // frees segments that recovery found
    expect(await again.append('next')).toBe(5);
    await again.close();
    expect(segmentsIn(directory).length).toBeLessThanOrEqual(4);
    await expect(openLog(directory, { mustInclude: 6 })).rejects.toMatchObject({ code: 'RINGWAL_CORRUPT' });
  });

  it('recycles the files of truncated segments', async () => {
    const log = await openLog(tempDir(), SMALL);
    for (let i = 1; i <= 200; i++) {
      const lsn = await log.append(Buffer.alloc(3000, i));
      await log.truncateBefore(lsn);
    }
    expect((await log.stats()).segmentsRecycled).toBeGreaterThan(0);
    await log.close();
  });
});

describe('close', () => {
  it('resolves what is pending, may be called twice, and refuses appends behind it', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    const pending = Array.from({ length: 200 }, (_, i) => log.append(Buffer.alloc(500, i)));
    const closing = log.close();
    await expect(log.append('late')).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    await Promise.all([closing, log.close()]);
    expect((await Promise.all(pending)).length).toBe(200);
    await expect(log.sync()).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    await expect(log.stats()).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    const report = await verifyLog(directory);
    expect(report).toMatchObject({ records: 200, damage: [] });
  });

  // A module that NODE_OPTIONS preloads in every thread, with a timer of its own: close() waited for the worker's end.
  it('ends the I/O worker also when something else keeps it running', async () => {
    const directory = tempDir();
    const workerUrl = new URL('../fixtures/kept-worker.mjs', import.meta.url);
    const log = await openLog(directory, { ...SMALL, workerUrl });
    const attached = await attachLog(log.handle());
    const late = log.waitForDurable(2);
    expect(await log.append('a')).toBe(1);
    await Promise.all([
      expect(late).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' }),
      expect(attached.waitForDurable(2)).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' }),
      log.close(),
    ]);
    await expect(log.append('b')).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    await expect(attached.append('b')).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
    await attached.close();
    const again = await openLog(directory, SMALL);
    expect(again.recovery).toMatchObject({ lastLsn: 1, tornTail: undefined });
    await again.close();
  });

  it('is what disposing of a log does', async () => {
    const log = await openLog(tempDir(), SMALL);
    await log[Symbol.asyncDispose]();
    await expect(log.append('x')).rejects.toMatchObject({ code: 'RINGWAL_CLOSED' });
  });
});

describe('the process', () => {
  const runs = (code: string) =>
    spawnSync(
      process.execPath,
      ['--input-type=module', '-e', `import { openLog } from '${index}';\n${code}`],
      {
        encoding: 'utf8',
        timeout: 20_000,
      },
    );

  it('ends while an idle log is open', () => {
    const { status, stderr } = runs(`await openLog('${tempDir()}');`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('goes on while an append is pending', () => {
    const { status, stdout } = runs(
      `const log = await openLog('${tempDir()}'); console.log(await log.append('x'));`,
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '1\n' });
  });
});

describe('other threads', () => {
  const producer = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { attachLog } = await import(workerData.index);
    const log = await attachLog(workerData.handle);
    parentPort.postMessage('attached');
    const lsns = await Promise.all(Array.from({ length: 500 }, (_, i) => log.append(workerData.name + i)));
    parentPort.postMessage(lsns);
    parentPort.once('message', async () => {
      parentPort.postMessage(await log.append('late').then(String, (error) => error.code));
      await log.close();
      parentPort.close();
    });`;
  const start = (
    name: string,
    handle: Awaited<ReturnType<typeof openLog>> extends { handle(): infer H } ? H : never,
  ) =>
    new Worker(new URL(`data:text/javascript,${encodeURIComponent(producer)}`), {
      workerData: { name, handle, index: index.href },
      transferList: [handle],
    });

  it('append through rings of their own, and every LSN is right', async () => {
    const log = await openLog(tempDir(), SMALL);
    const names = ['a', 'b', 'c', 'd'];
    const workers = names.map((name) => start(name, log.handle()));
    const told = await Promise.all(
      workers.map(async (worker) => {
        await once(worker, 'message');
        return (await once(worker, 'message'))[0] as number[];
      }),
    );
    const expected = new Map(
      told.flatMap((lsns, t) => lsns.map((lsn, i) => [lsn, `${names[t]}${i}`] as const)),
    );
    let read = 0;
    for await (const { lsn, payload } of log.read()) {
      expect(String(Buffer.from(payload))).toBe(expected.get(lsn));
      read++;
    }
    expect(read).toBe(2000);
    expect((await log.stats()).producers).toBe(5);
    await log.close();
    for (const worker of workers) {
      worker.postMessage('go on');
      expect((await once(worker, 'message'))[0]).toBe('RINGWAL_CLOSED');
      await worker.terminate();
    }
  });

  it('leave the log as it was for the others when they are terminated', async () => {
    const log = await openLog(tempDir(), SMALL);
    const worker = start('w', log.handle());
    await once(worker, 'message');
    await worker.terminate();
    const lsn = await log.append('still here');
    expect(lsn).toBeGreaterThan(0);
    await expect.poll(async () => (await log.stats()).producers, { timeout: 5000 }).toBe(1);
    await log.close();
  });

  it('need a handle', async () => {
    await expect(attachLog({} as never)).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
  });
});
