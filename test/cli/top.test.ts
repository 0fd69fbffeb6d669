/** top: a log in another process is watched, the terminal is given back on every way out, and nobody there is said. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { addTop } from '../../dist/src/cli/commands/top.js';
import { openLog } from '../../dist/src/index.js';
import { type CommandRun, runCommand, type Terminal } from '../support/command-run.js';
import { tempDir } from '../support/temp-dir.js';

const fixture = fileURLToPath(new URL('../fixtures/reader-writer.mjs', import.meta.url));

/** A process that appends to the log in `directory`. */
async function writer(directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [fixture, directory, '3'], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.stdout.resume();
  return child;
}

const top = (args: string[], terminal: Terminal = {}): Promise<CommandRun> =>
  runCommand(addTop, ['top', ...args], terminal);

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

it('says that nobody has the log open, and exits 2', async () => {
  const directory = join(tempDir(), 'wal');
  await (await openLog(directory)).close();
  expect(await top([directory], { isTTY: true })).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: expect.stringMatching(/Nobody has the log in .* open/),
  });
  mkdirSync(`${directory}2`);
  expect((await top([`${directory}2`])).exitCode).toBe(2);
  expect((await top([`${directory}3`])).exitCode).toBe(2);
});

it('measures one interval of a log in another process, as an object', async () => {
  const directory = tempDir();
  const child = await writer(directory);
  const { exitCode, stdout } = await top([directory, '--once', '--json', '--interval', '0.3']);
  expect(exitCode).toBe(0);
  const { pid, interval, durableLsn, segments } = JSON.parse(stdout);
  expect(pid).toBe(child.pid);
  expect(interval.seconds).toBeGreaterThanOrEqual(0.29);
  expect(interval.appendsPerSecond).toBeGreaterThan(0);
  expect(interval.recordsPerGroup).toBeGreaterThan(0);
  expect(interval.syncP99Us).toBeGreaterThanOrEqual(interval.syncP50Us);
  expect(durableLsn).toBeGreaterThan(0);
  expect(segments).toBeGreaterThan(0);
});

it('prints a line for each interval where there is no terminal, until it is interrupted', async () => {
  const directory = tempDir();
  await writer(directory);
  // Long enough for a group on a disk that is slow, or a machine that is busy: a line without any has no sizes.
  const { exitCode, stdout } = await top([directory, '--interval', '0.25'], {
    onOutput: (text, { interrupt }) => text.split('\n').length > 4 && interrupt(),
  });
  expect(exitCode).toBe(0);
  const [titles = '', ...lines] = stdout.trimEnd().split('\n');
  expect(titles).toMatch(/appends\/s .* durable LSN$/);
  expect(lines.length).toBeGreaterThanOrEqual(3);
  for (const line of lines) expect(line).toMatch(/\d\/?.*~\d.*%/);
  expect(stdout).not.toContain('\x1b');
});

it.each<[string, (controls: { interrupt(): void; press(keys: string): void }) => void]>([
  ['q', ({ press }) => press('q')],
  ['Ctrl-C', ({ press }) => press('\x03')],
  ['a signal', ({ interrupt }) => interrupt()],
])('redraws a terminal in place, and gives it back on %s', async (_, leave) => {
  const directory = tempDir();
  await writer(directory);
  const run = await top([directory, '--interval', '0.05'], {
    isTTY: true,
    onOutput: (text, controls) => text.split('\x1b[H').length > 3 && !text.includes(LEAVE) && leave(controls),
  });
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(run.stdout.startsWith(ENTER)).toBe(true);
  expect(run.stdout.endsWith(LEAVE)).toBe(true);
  expect(run.stdout.split('\x1b[H').length).toBeGreaterThan(3);
});

it('gives the terminal back when the log is closed, and says so behind it', async () => {
  const directory = join(tempDir(), 'wal');
  const log = await openLog(directory);
  let closing: Promise<void> | undefined;
  const { exitCode, stdout, stderr } = await top([directory, '--interval', '0.05'], {
    isTTY: true,
    onOutput: (text) => {
      if (text.split('\x1b[H').length > 2) closing ??= log.close();
    },
  });
  await closing;
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringMatching(/was closed\.\n$/) });
  expect(stdout.endsWith(LEAVE)).toBe(true);
});

it('refuses intervals that are none', async () => {
  for (const interval of ['0', 'x', '', '1e9']) {
    const { exitCode, stderr } = await top([tempDir(), '--interval', interval]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(/number of seconds/) });
  }
});
