/** repair-target: where a repair saves to is made by one run alone, durably, and nothing of it stays when it fails. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, it } from 'vitest';
import { addRepair } from '../../dist/src/cli/commands/repair.js';
import type { CliIo } from '../../dist/src/cli/io.js';
import { systemSteps } from '../../dist/src/cli/repair/swap.js';
import { makeTarget } from '../../dist/src/cli/repair/target.js';
import { openLog, verifyLog } from '../../dist/src/index.js';
import { type CommandRun, runCommand } from '../support/command-run.js';
import { must } from '../support/must.js';
import { edit, segmentsIn, tempDir } from '../support/temp-dir.js';

const SEGMENT = { segmentBytes: 65_536, ringBytes: 65_536 } as const;

const repair = (...args: string[]): Promise<CommandRun> => runCommand(addRepair, ['repair', ...args]);

/** A closed log in `parent`/wal of two segments, the second record of three damaged. */
async function damaged(parent: string): Promise<string> {
  const directory = join(parent, 'wal');
  const log = await openLog(directory, SEGMENT);
  await log.append('one');
  await log.append('two');
  await log.rotate();
  await log.append('three');
  await log.close();
  edit(directory, must(segmentsIn(directory)[0]), (bytes) => {
    bytes[Buffer.from(bytes).indexOf('two')] = 0;
  });
  return directory;
}

it('makes nothing in the damaged directory when it is told to save there, by whatever way', async () => {
  const parent = tempDir();
  const directory = await damaged(parent);
  const before = readdirSync(directory);
  symlinkSync(directory, join(parent, 'link'));
  for (const into of [join(directory, 'a', 'b'), join(parent, 'link', 'a', 'b'), directory])
    for (const from of [directory, join(parent, 'link')])
      expect(await repair(from, into)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(/lies inside the damaged log/),
      });
  expect(readdirSync(directory)).toEqual(before);
});

it('leaves none of the directories that it made when nothing can be saved, and those that were there', async () => {
  const parent = tempDir();
  const directory = await damaged(parent);
  for (const name of segmentsIn(directory)) edit(directory, name, (bytes) => void bytes.fill(0xee));
  mkdirSync(join(parent, 'mine', 'empty'), { recursive: true });
  for (const into of ['new', 'new/deep/wal', 'mine/deep/wal', 'mine/empty'])
    expect(await repair(directory, join(parent, into))).toMatchObject({ exitCode: 2 });
  expect(readdirSync(parent).sort()).toEqual(['mine', 'wal']);
  expect(readdirSync(join(parent, 'mine'))).toEqual(['empty']);
});

it('of two runs at the same time one repairs the log, and the other takes nothing away from it', async () => {
  const directory = await damaged(tempDir());
  const both = await Promise.all([repair(directory), repair(directory)]);
  await expect(makeTarget(directory, tempDir(), false)).rejects.toMatchObject({ code: 'NOT_EMPTY' });
  expect(both.map(({ exitCode }) => exitCode).sort()).toEqual([1, 2]);
  expect(existsSync(join(`${directory}.repaired`, 'repair-report.json'))).toBe(true);
  expect(await verifyLog(`${directory}.repaired`)).toMatchObject({ damage: [], records: 3 });
});

it('makes the entry of each directory that it makes above it durable', async () => {
  const parent = tempDir();
  const directory = await damaged(parent);
  const synced: string[] = [];
  await makeTarget(directory, join(parent, 'x', 'y', 'wal'), false, async (path) => void synced.push(path));
  expect(synced).toEqual([parent, join(parent, 'x')]);
});

// Node's recursive mkdir tries for ever there.
it.runIf(process.platform === 'linux')('is told at once that a place takes no directory', async () => {
  const directory = await damaged(tempDir());
  expect(await repair(directory, '/proc/ringwal/wal')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/ENOENT/),
  });
});

it('does not say that it has saved a log that was changed while it was read', async () => {
  const directory = await damaged(tempDir());
  let writes = 0;
  const changing = (program: Command, io: CliIo): void => {
    // It asks before each group that it saves whether it is to stop.
    Object.assign(io.signal, {
      throwIfAborted: () => appendFileSync(join(directory, 'late'), `${++writes}`),
    });
    addRepair(program, io);
  };
  expect(await runCommand(changing, ['repair', directory])).toMatchObject({
    ...{ exitCode: 2, stdout: '', stderr: expect.stringMatching(/was changed while it was read/) },
  });
  expect(writes).toBeGreaterThan(1);
  expect(existsSync(`${directory}.repaired`)).toBe(false);
});

it('does not tell to move a repaired log into one that was made in its place meanwhile', async () => {
  const directory = await damaged(tempDir());
  const steps = {
    ...systemSteps,
    async rename(from: string, to: string) {
      if (to === directory) throw new Error('killed');
      await systemSteps.rename(from, to);
    },
  };
  const killed = (program: Command, io: CliIo): void => addRepair(program, io, steps);
  await runCommand(killed, ['repair', directory, '--write']);
  expect((await repair(directory)).stderr).toContain(`mv ${directory}.repairing-1 ${directory}`);
  mkdirSync(directory); // as a service does that is started anew: `mv` would put the other one into it
  const { exitCode, stderr } = await repair(directory);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/has been made anew/);
  expect(stderr).not.toContain('mv ');
});
