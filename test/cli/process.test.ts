/** process: the `ringwal` command as a process: exit codes, pipes that close early, signals, colours of a pipe. */
import { spawnSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { Interrupted } from '../../dist/src/cli/io.js';
import { heedSignals } from '../../dist/src/cli/signals.js';
import { openLog } from '../../dist/src/index.js';
import { MAIN, spawnCli } from '../support/cli.js';
import { edit, segmentsIn, tempDir } from '../support/temp-dir.js';

const SMALL = { segmentBytes: 65_536, ringBytes: 65_536 };

async function written(records: number): Promise<string> {
  const directory = tempDir();
  const log = await openLog(directory, SMALL);
  await Promise.all(Array.from({ length: records }, (_, i) => log.append(`record ${i}`)));
  await log.close();
  return directory;
}

const run = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });

it('is what package.json calls `ringwal`, and starts with the line that runs it', () => {
  const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../..');
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    bin: { ringwal: string };
  };
  expect(readFileSync(join(root, manifest.bin.ringwal), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
});

it('exits with 0 when a log is sound, 1 when it is damaged, 2 when it could not look', async () => {
  const directory = await written(3000);
  expect(run('verify', directory)).toMatchObject({ status: 0, stderr: '' });
  edit(directory, segmentsIn(directory)[0] ?? '', (bytes) => bytes.fill(0x55, 6000, 6010));
  expect(run('verify', directory)).toMatchObject({ status: 1, stderr: '' });
  expect(run('verify', join(directory, 'missing'))).toMatchObject({ status: 2, stdout: '' });
});

it('ends quietly when nobody reads any more', async () => {
  const directory = await written(20_000);
  const child = spawnCli(['cat', directory]);
  const said = text(child.stderr as NodeJS.ReadableStream);
  child.stdout?.once('data', () => child.stdout?.destroy());
  const [code, signal] = await once(child, 'exit');
  expect({ code, signal, said: await said }).toEqual({ code: 0, signal: null, said: '' });
});

// Advice to free the log's records went with it.
it.skipIf(!existsSync('/dev/full'))(
  'fails when its output can not be written, and says that it is that',
  async () => {
    const directory = await written(1);
    const full = openSync('/dev/full', 'w');
    for (const name of ['info', 'cat', 'tail']) {
      const { status, stderr } = spawnSync(process.execPath, [MAIN, name, directory], {
        encoding: 'utf8',
        stdio: ['ignore', full, 'pipe'],
      });
      expect(status, name).toBe(2);
      expect(stderr).toMatch(/^error: The output can't be written: ENOSPC.*\n$/);
    }
    closeSync(full);
  },
);

it('ends quietly on SIGINT while it follows a log', async () => {
  const directory = await written(1);
  const child = spawnCli(['tail', '-f', directory]);
  const said = text(child.stderr as NodeJS.ReadableStream);
  expect(String((await once(child.stdout as NodeJS.ReadableStream, 'data'))[0])).toBe('record 0\n');
  child.kill('SIGINT');
  const [code, signal] = await once(child, 'exit');
  expect({ code, signal, said: await said }).toEqual({ code: 0, signal: null, said: '' });
});

it('takes signals that come together for one: what runs it hands on what the terminal has sent to both', async () => {
  const child = spawnCli(['append', join(tempDir(), 'wal'), '--ack']);
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += String(chunk);
  });
  child.stdin?.write('one\n');
  expect(String((await once(child.stdout as NodeJS.ReadableStream, 'data'))[0])).toBe('1\n');
  const ended = once(child, 'close');
  // While it ends the reading and closes the log; what comes half a second later is another signal.
  const untilMs = performance.now() + 100;
  for (; performance.now() < untilMs && !said.includes('stable storage'); await setImmediate())
    child.kill('SIGINT');
  expect(await ended).toEqual([130, null]);
  expect(said).toContain('1 record on stable storage');
});

it('ends at once by a signal that comes later: who sends it does not want to wait', () => {
  const process = Object.assign(new EventEmitter(), { pid: 17, kill: vi.fn(() => true) });
  const interrupt = vi.fn();
  let nowMs = 1000;
  heedSignals(process, interrupt, () => nowMs);
  process.emit('SIGINT', 'SIGINT');
  nowMs += 400;
  process.emit('SIGTERM', 'SIGTERM');
  expect(interrupt).toHaveBeenCalledExactlyOnceWith(expect.any(Interrupted));
  expect(process.kill).not.toHaveBeenCalled();
  nowMs += 200;
  process.emit('SIGTERM', 'SIGTERM');
  expect(process.kill).toHaveBeenCalledExactlyOnceWith(17, 'SIGTERM');
  expect(process.eventNames()).toEqual([]);
});

it('keeps colours out of a pipe, and out of everything when NO_COLOR says so', async () => {
  const directory = await written(1);
  const { NO_COLOR: _none, FORCE_COLOR: _force, ...env } = process.env;
  const isColoured = (more: NodeJS.ProcessEnv): boolean =>
    spawnSync(process.execPath, [MAIN, 'info', directory], {
      encoding: 'utf8',
      env: { ...env, ...more },
    }).stdout.includes('\u001b[');
  expect([{}, { FORCE_COLOR: '1' }, { FORCE_COLOR: '1', NO_COLOR: '1' }].map(isColoured)).toEqual([
    false,
    true,
    false,
  ]);
});

it('appends what is piped in, and ends by itself', async () => {
  const directory = join(tempDir(), 'new');
  const child = spawnCli(['append', directory, '--ack', '--segment-bytes', '64k']);
  child.stdin?.end('one\ntwo\n');
  const lsns = text(child.stdout as NodeJS.ReadableStream);
  const [code] = await once(child, 'exit');
  expect({ code, lsns: await lsns }).toEqual({ code: 0, lsns: '1\n2\n' });
  expect(run('cat', directory).stdout).toBe('one\ntwo\n');
});

// Node shows a directory as an empty stream: it ended with 0, and nothing was appended.
it('refuses to append a directory, and makes no log', () => {
  const directory = join(tempDir(), 'new');
  const fd = openSync(tempDir(), 'r');
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'append', directory], {
    encoding: 'utf8',
    stdio: [fd, 'pipe', 'pipe'],
  });
  closeSync(fd);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain('The standard input is a directory. (BAD_INPUT)');
  expect(existsSync(directory)).toBe(false);
});

it('says on exit that LSNs were no longer read, and appends no more', async () => {
  const directory = tempDir();
  const child = spawnCli(['append', directory, '--ack', '--segment-bytes', '64k']);
  const said = text(child.stderr as NodeJS.ReadableStream);
  child.stdin?.on('error', () => {}); // it stops reading
  child.stdin?.write('one\n');
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  child.stdout?.destroy();
  const feed = setInterval(() => child.stdin?.write('more\n'), 5);
  const [code] = await once(child, 'exit');
  clearInterval(feed);
  expect(code).toBe(1);
  expect(await said).toContain('Nobody reads the LSNs any more.');
});
