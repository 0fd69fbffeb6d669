/** failures: writes and syncs that fail, workers that die, directories that are taken. */
import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { attachLog, type Log, type LogOptions, type LogStats, openLog } from '../../dist/src/index.js';
import { requireSyncMode, type SyncMode } from '../../dist/src/storage/sync-mode.js';
import { tempDir } from '../support/temp-dir.js';

const SMALL: LogOptions = { segmentBytes: 65_536, ringBytes: 16_384 };
const index = new URL('../../dist/src/index.js', import.meta.url);

/** Groups are cached writes and syncs, unless said otherwise: what fails is counted in their calls. */
function failing(query: string, syncMode: NonNullable<LogOptions['syncMode']> = 'fdatasync'): LogOptions {
  process.env.RINGWAL_TEST_FAULT = query;
  return { ...SMALL, syncMode, workerUrl: new URL('../fixtures/failing-worker.mjs', import.meta.url) };
}

const hasSyncMode = (mode: SyncMode): boolean => {
  try {
    requireSyncMode(mode, tempDir());
    return true;
  } catch {
    return false;
  }
};

async function lsnsIn(log: Log): Promise<number[]> {
  const lsns: number[] = [];
  for await (const { lsn } of log.read()) lsns.push(lsn);
  return lsns;
}

let unhandled: unknown[] = [];
const trap = (reason: unknown): void => {
  unhandled.push(reason);
};
beforeEach(() => {
  unhandled = [];
  process.on('unhandledRejection', trap);
});
afterEach(() => {
  process.off('unhandledRejection', trap);
  expect(unhandled).toEqual([]);
});

describe('a write or sync that fails', () => {
  it.each([
    ['sync=4&code=EIO', 'EIO', 'fdatasync'],
    ['sync=4&code=ENOSPC', 'ENOSPC', 'fdatasync'],
    ['short=4', 'EIO', 'fdatasync'],
    ['write=6&code=EIO', 'EIO', 'direct'],
    ['write=6&code=EIO', 'EIO', 'dsync'],
    ['short=6', 'EIO', 'direct'],
  ] as const)('poisons the log for good, with its first cause (%s, %s, %s)', async (query, code, mode) => {
    const directory = tempDir();
    if (!hasSyncMode(mode)) return console.log(`not run: this file system has no ${mode} writes`);
    const log = await openLog(directory, failing(query, mode));
    const acked: number[] = [];
    let poisoned: unknown;
    for (let i = 0; i < 10 && poisoned === undefined; i++) {
      await log.append(`${i}`).then(
        (lsn) => acked.push(lsn),
        (error) => {
          poisoned = error;
        },
      );
    }
    expect(poisoned).toMatchObject({ code: 'RINGWAL_POISONED', cause: { code } });
    const later = await Promise.allSettled([
      log.append('later'),
      log.appendBatch(['a', 'b']),
      log.sync(),
      log.rotate(),
    ]);
    for (const result of later) expect(result).toMatchObject({ reason: { code: 'RINGWAL_POISONED' } });
    expect(await lsnsIn(log)).toEqual(acked); // what was durable can still be read
    await log.close();
    const again = await openLog(directory, SMALL);
    expect((await lsnsIn(again)).slice(0, acked.length)).toEqual(acked);
    await again.close();
  });

  it('rejects everything that is pending, in the ring and waiting for room', async () => {
    const log = await openLog(tempDir(), failing('sync=3&code=EIO'));
    const results = await Promise.allSettled(
      Array.from({ length: 300 }, () => log.append(Buffer.alloc(400))),
    );
    const rejected = results.filter((result) => result.status === 'rejected');
    expect(rejected.length).toBeGreaterThan(0);
    for (const { reason } of rejected) expect(reason).toMatchObject({ code: 'RINGWAL_POISONED' });
    await log.close();
  });
});

describe('a worker that ends', () => {
  it.each(['exit', 'throw'])('rejects everything pending with RINGWAL_WORKER_DIED (%s)', async (how) => {
    const directory = tempDir();
    const log = await openLog(directory, failing(`die=${how}&after=5`));
    const acked: number[] = [];
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, (_, i) =>
        log.append(Buffer.alloc(300, i)).then((lsn) => {
          acked.push(lsn);
          return log.append('second').then(() => log.append('third').then(() => log.append('fourth')));
        }),
      ),
    );
    const rejected = results.filter((result) => result.status === 'rejected');
    expect(rejected.length).toBeGreaterThan(0);
    for (const { reason } of rejected) expect(reason).toMatchObject({ code: 'RINGWAL_WORKER_DIED' });
    await expect(log.append('later')).rejects.toMatchObject({ code: 'RINGWAL_WORKER_DIED' });
    await expect(log.stats()).rejects.toMatchObject({ code: 'RINGWAL_WORKER_DIED' });
    await log.close();
    const again = await openLog(directory, SMALL);
    expect(await lsnsIn(again)).toEqual(expect.arrayContaining(acked));
    await again.close();
  });

  // The exit of a worker that had closed the log looked the same, so close() resolved.
  it('while it closes the log rejects close(), after which all that was acknowledged is there', async () => {
    const directory = tempDir();
    process.env.RINGWAL_TEST_DEATH = 'way=exit0&phase=closing&channel=unheard';
    const workerUrl = new URL('../fixtures/dying-worker.mjs', import.meta.url);
    const log = await openLog(directory, { ...SMALL, syncMode: 'fdatasync', workerUrl });
    await log.append('a', { durability: 'os' });
    const closed: unknown[] = [];
    const heard = (message: unknown): number => closed.push(message);
    subscribe('ringwal:close', heard);
    await expect(log.close()).rejects.toMatchObject({ code: 'RINGWAL_WORKER_DIED' });
    unsubscribe('ringwal:close', heard);
    expect(closed).toEqual([{ directory: log.directory }]);
    await expect(log.append('b')).rejects.toMatchObject({ code: 'RINGWAL_WORKER_DIED' });
    const again = await openLog(directory, SMALL);
    expect(await lsnsIn(again)).toEqual([1]);
    await again.close();
  });

  it('before it has opened the log rejects the opening', async () => {
    const nowhere = { workerUrl: new URL('../fixtures/missing.mjs', import.meta.url) };
    await expect(openLog(tempDir(), nowhere)).rejects.toMatchObject({ code: 'RINGWAL_WORKER_DIED' });
  });
});

describe('a full disk', () => {
  it('holds appends back, and lets them go on when a truncation or somebody else made room', async () => {
    const flag = join(tempDir(), 'full');
    writeFileSync(flag, '');
    const log = await openLog(tempDir(), failing(`full=${encodeURIComponent(flag)}`));
    const appends = Array.from({ length: 100 }, () => log.append(Buffer.alloc(1000)));
    await expect
      .poll(async () => (await log.stats()).maintenanceError, { timeout: 10_000 })
      .toMatch(/ENOSPC/);
    expect(log.durableLsn).toBeLessThan(100);
    rmSync(flag);
    expect((await Promise.all(appends)).at(-1)).toBe(100);
    await log.close();
  });

  it('does not keep a log from closing: what could not be written is rejected', async () => {
    const flag = join(tempDir(), 'full');
    writeFileSync(flag, '');
    const directory = tempDir();
    const log = await openLog(directory, failing(`full=${encodeURIComponent(flag)}`));
    const appends = Promise.allSettled(Array.from({ length: 100 }, () => log.append(Buffer.alloc(1000))));
    await expect
      .poll(async () => (await log.stats()).maintenanceError, { timeout: 10_000 })
      .toMatch(/ENOSPC/);
    await log.close();
    const results = await appends;
    const acked = results.filter((result) => result.status === 'fulfilled').length;
    for (const result of results.slice(acked))
      expect(result).toMatchObject({ reason: { code: 'RINGWAL_CLOSED' } });
    const again = await openLog(directory, SMALL);
    expect((await lsnsIn(again)).length).toBe(acked);
    await again.close();
  });

  // It was written once there was room again, although its caller had been told that it never would be.
  it('keeps no attached thread from leaving, and what that is refused for it is never written', async () => {
    const flag = join(tempDir(), 'full');
    writeFileSync(flag, '');
    const log = await openLog(tempDir(), failing(`full=${encodeURIComponent(flag)}`));
    const other = await attachLog(log.handle());
    const first = await other.append('first');
    const appends = Array.from({ length: 100 }, () => log.append(Buffer.alloc(1000)));
    // No spare can be made, and of the segment, which has taken 1 + 3 * 16, less is left than the next chunk takes.
    const isStuck = ({ maintenanceError, records }: LogStats): boolean =>
      maintenanceError?.includes('ENOSPC') === true && records > 40;
    await expect.poll(async () => isStuck(await log.stats()), { timeout: 10_000 }).toBe(true);
    // What is left takes some of them.
    const late = Array.from({ length: 40 }, (_, i) => other.append(Buffer.alloc(1000, 1 + i)));
    const settled = Promise.allSettled(late);
    await other.close();
    const results = await settled;
    const refused = results.flatMap((result, i) => (result.status === 'rejected' ? [1 + i] : []));
    expect(refused.length).toBeGreaterThan(10);
    for (const result of results.slice(-refused.length))
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'RINGWAL_CLOSED' } });
    rmSync(flag);
    await Promise.all(appends);
    await log.append('last');
    const found: number[] = [];
    for await (const { payload } of log.read()) found.push(payload[0] as number);
    const acked = Array.from({ length: 40 - refused.length }, (_, i) => 1 + i);
    expect(found.filter((byte) => byte > 0)).toEqual(['f'.charCodeAt(0), ...acked, 'l'.charCodeAt(0)]);
    expect(first).toBe(1);
    expect((await log.stats()).producers).toBe(1);
    await log.close();
  });
});

describe('a directory', () => {
  const owner = (directory: string, prefix: string[] = []) => {
    const code = `import { openLog } from '${index}';
      const opened = await openLog('${directory}').then(() => 'open', (error) => error.code);
      console.log(opened);
      if (opened === 'open') setInterval(() => {}, 1000);`;
    const command = [...prefix, process.execPath, '--input-type=module', '-e', code];
    const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] });
    return { child, said: once(child.stdout, 'data').then(([data]) => String(data).trim()) };
  };

  it('has one log open at a time, in one process', async () => {
    const directory = tempDir();
    const log = await openLog(directory, SMALL);
    await expect(openLog(directory, SMALL)).rejects.toMatchObject({ code: 'RINGWAL_LOCKED' });
    expect(await log.append('undisturbed')).toBe(1);
    await log.close();
    await (await openLog(directory, SMALL)).close();
  });

  it('is locked against other processes, and free again when its owner was killed', async () => {
    const directory = tempDir();
    const { child, said } = owner(directory);
    expect(await said).toBe('open');
    await expect(openLog(directory)).rejects.toMatchObject({ code: 'RINGWAL_LOCKED' });
    child.kill('SIGKILL');
    await once(child, 'close');
    await (await openLog(directory, SMALL)).close();
  });

  it('goes to exactly one of several processes that open it at once', async () => {
    for (let round = 0; round < 3; round++) {
      const directory = tempDir();
      const racers = Array.from({ length: 4 }, () => owner(directory));
      const said = await Promise.all(racers.map((racer) => racer.said));
      expect(said.sort()).toEqual(['RINGWAL_LOCKED', 'RINGWAL_LOCKED', 'RINGWAL_LOCKED', 'open']);
      for (const { child } of racers) child.kill('SIGKILL');
    }
  });

  it('is locked across network and pid namespaces, as containers have them', async (context) => {
    const probe = spawn('unshare', ['-n', '-p', '-f', 'true'], { stdio: 'ignore' });
    const code = await Promise.race([
      once(probe, 'error').then(() => 'no unshare on this machine'),
      once(probe, 'close').then(([status]) => (status === 0 ? undefined : 'not allowed to unshare')),
    ]);
    if (code !== undefined) {
      console.log(`not run: ${code}`);
      context.skip(code);
    }
    const directory = tempDir();
    const first = owner(directory, ['unshare', '-n', '-p', '-f', '--kill-child']);
    expect(await first.said).toBe('open');
    const second = owner(directory, ['unshare', '-n', '-p', '-f', '--kill-child']);
    expect(await second.said).toBe('RINGWAL_LOCKED');
    await expect(openLog(directory)).rejects.toMatchObject({ code: 'RINGWAL_LOCKED' });
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    await expect
      .poll(async () => (await openLog(directory, SMALL)).close().then(() => 'open'), { timeout: 5000 })
      .toBe('open');
  });

  it('with a symbolic link for a segment is refused, and nothing outside is read', async () => {
    const directory = tempDir();
    symlinkSync('/etc/hostname', join(directory, '00000000000000000001.wal'));
    await expect(openLog(directory, SMALL)).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  });
});
