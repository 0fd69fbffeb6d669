/** bench: a short run on a real disk gives figures and advice, and leaves nothing behind, also when it is interrupted. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cells } from '../../dist/src/cli/bench/plan.js';
import { addBench } from '../../dist/src/cli/commands/bench.js';
import { type CommandRun, runCommand } from '../support/command-run.js';
import { tempDir } from '../support/temp-dir.js';

/** One cell of each kind. */
const few: typeof cells = (modes) =>
  cells(modes).filter(
    ({ about, setting }, i, all) =>
      (about === 'sync' && setting === 'fdatasync') || all.findIndex((one) => one.about === about) === i,
  );

const bench = (...args: string[]): Promise<CommandRun> =>
  runCommand((program, io) => addBench(program, io, few), ['bench', ...args]);

it('measures, advises, and removes its directory', async () => {
  const directory = tempDir();
  const { exitCode, stdout, stderr } = await bench(directory, '--seconds', '0.1', '--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const { advice, figures, fileSystem } = JSON.parse(stdout);
  expect(advice.sync.p50Us).toBeGreaterThan(0);
  expect(advice.code).toMatch(/^const options = \{.*\};/);
  expect(fileSystem.freeBytes).toBeGreaterThan(0);
  const kinds = new Set(figures.map(({ about }: { about: string }) => about));
  expect([...kinds]).toEqual(['sync', 'presets', 'windows', 'recycling', 'large']);
  for (const { recordsPerSecond, p50Us, p99Us } of figures) {
    expect(recordsPerSecond).toBeGreaterThan(0);
    expect(p99Us).toBeGreaterThanOrEqual(p50Us);
  }
  expect(readdirSync(directory)).toEqual([]);
});

it('removes its directory when it is interrupted', async () => {
  const directory = tempDir();
  let interrupt = (): void => {};
  const running = runCommand(
    (program, io) =>
      addBench(program, io, (modes) => {
        expect(readdirSync(directory)).toEqual([expect.stringMatching(/^\.ringwal-bench-/)]);
        setImmediate(interrupt);
        return few(modes);
      }),
    ['bench', directory, '--seconds', '3600'],
    {
      onStart(controls) {
        interrupt = controls.interrupt;
      },
    },
  );
  expect((await running).exitCode).toBe(130);
  expect(readdirSync(directory)).toEqual([]);
});

it('refuses what it can not do, with 2 and a word on why', async () => {
  const directory = tempDir();
  expect(await bench(join(directory, 'none'))).toMatchObject({ exitCode: 2 });
  for (const seconds of ['0', 'x', '-1', '']) {
    const { exitCode, stderr } = await bench(directory, '--seconds', seconds);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/number of seconds/);
  }
  expect(readdirSync(directory)).toEqual([]);
});
