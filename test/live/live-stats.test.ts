/** live-stats: another process learns how a log is doing; whoever asks does no harm. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { liveStats, openLog } from '../../dist/src/index.js';
import { must } from '../support/must.js';
import { tempDir } from '../support/temp-dir.js';

const fixture = fileURLToPath(new URL('../fixtures/reader-writer.mjs', import.meta.url));

it('tells counters, watermarks, options and segments of a log that another process has open', async () => {
  const directory = tempDir();
  const child = spawn(process.execPath, [fixture, directory, '3']);
  child.stderr.pipe(process.stderr);
  await once(child.stdout, 'data');
  let stats = must(await liveStats(directory));
  while (stats.records === 0 || stats.segments.length === 0) stats = must(await liveStats(directory));
  expect(stats.pid).toBe(child.pid);
  expect(stats.durableLsn).toBeGreaterThanOrEqual(stats.records);
  expect(stats.syncUs.count).toBe(stats.syncs);
  expect(stats.ringsCapacityBytes).toBe(stats.producers * stats.options.ringBytes);
  expect(stats.segments.at(-1)).toMatchObject({ isClosed: false });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await liveStats(directory)).toBeUndefined();
});

it('tells nothing of what records hold, and nothing of keys', async () => {
  const directory = tempDir();
  const key = (): Uint8Array => new Uint8Array(32).fill(0x5a);
  const log = await openLog(directory, { encryption: { keyId: 7, key } });
  await log.append('a secret of some length');
  const text = JSON.stringify(await liveStats(directory));
  expect(text).not.toMatch(/secret|90,90,90/);
  expect(Object.keys(must(await liveStats(directory))).sort()).toEqual(
    [...Object.keys(await log.stats()), 'pid', 'epoch', 'checkpointLsn', 'options', 'segments']
      .filter(
        (name) =>
          !['inFlight', 'ringBytes', 'ringCapacityBytes', 'waitingBytes', 'maintenanceError'].includes(name),
      )
      .sort(),
  );
  await log.close();
});

it('answers nobody who asks otherwise, and is still locked, and still appends', async () => {
  const directory = tempDir();
  const log = await openLog(directory);
  const socket = join(directory, must(readdirSync(directory).find((name) => name.endsWith('.sock'))));
  for (const question of ['GET / HTTP/1.1\r\n\r\n', 'stats\nstats\n', '\0'.repeat(100_000)]) {
    const connection = connect(socket).on('error', () => {});
    let answer = '';
    connection.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    const closed = new Promise((resolve) => connection.once('close', resolve));
    connection.write(question);
    await closed;
    expect(answer).toBe('');
  }
  const silent = Array.from({ length: 20 }, () => connect(socket));
  await Promise.all(silent.map((connection) => once(connection, 'connect')));
  await expect(openLog(directory)).rejects.toMatchObject({ code: 'RINGWAL_LOCKED' });
  expect(await log.append('a')).toBe(1);
  expect(must(await liveStats(directory)).durableLsn).toBe(1);
  await log.close(); // does not wait for those who say nothing
  for (const connection of silent) connection.destroy();
});

it('refuses what is no directory, and finds nobody in one without a log', async () => {
  const directory = tempDir();
  await expect(liveStats('')).rejects.toMatchObject({ code: 'RINGWAL_INVALID_ARGUMENT' });
  await expect(liveStats(join(directory, 'none'))).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  writeFileSync(join(directory, 'file'), '');
  await expect(liveStats(join(directory, 'file'))).rejects.toMatchObject({ code: 'RINGWAL_IO' });
  mkdirSync(join(directory, 'empty'));
  expect(await liveStats(join(directory, 'empty'))).toBeUndefined();
});
