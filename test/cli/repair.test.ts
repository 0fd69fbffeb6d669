/** repair: what is good is saved, what is lost is told, and a kill at any moment leaves nothing that a second run does not mend. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addRepair } from '../../dist/src/cli/commands/repair.js';
import { type SwapSteps, systemSteps } from '../../dist/src/cli/repair/swap.js';
import { openLog } from '../../dist/src/index.js';
import { type CommandRun, runCommand } from '../support/command-run.js';
import { must } from '../support/must.js';
import { edit, fingerprint, segmentsIn, tempDir } from '../support/temp-dir.js';

const SEGMENT = { segmentBytes: 65_536, ringBytes: 65_536 } as const;

const repair = (...args: string[]): Promise<CommandRun> => runCommand(addRepair, ['repair', ...args]);

/** A closed log of three segments with the records 1 to 6, two in each. */
async function threeSegments(directory = join(tempDir(), 'wal')): Promise<string> {
  const log = await openLog(directory, { ...SEGMENT, recycle: false });
  for (let lsn = 1; lsn <= 6; lsn++) {
    await log.append(`record ${lsn}`);
    if (lsn % 2 === 0 && lsn < 6) await log.rotate();
  }
  await log.close();
  return directory;
}

/** Flips a byte of the record `text`. Returns the file's name. */
function damage(directory: string, text: string): string {
  const name = must(segmentsIn(directory).find((one) => readFileSync(join(directory, one)).includes(text)));
  edit(directory, name, (bytes) => {
    const at = Buffer.from(bytes).indexOf(text);
    bytes[at] = (bytes[at] as number) ^ 0xff;
  });
  return name;
}

async function records(directory: string): Promise<string[]> {
  await using log = await openLog(directory, SEGMENT);
  const found: string[] = [];
  for await (const { lsn, payload } of log.read()) found.push(`${lsn} ${Buffer.from(payload)}`);
  return found;
}

const all = [1, 2, 3, 4, 5, 6].map((lsn) => `${lsn} record ${lsn}`);
const without = (lsn: number): string[] => all.filter((line) => !line.startsWith(`${lsn} `));

describe('repair into a new directory', () => {
  it('says of a sound log that it is sound, and makes nothing', async () => {
    const directory = await threeSegments();
    const before = fingerprint(directory);
    const { exitCode, stdout } = await repair(directory);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/is sound \(3 segments, LSN 1 to 6\): nothing to repair/);
    expect(readdirSync(dirname(directory))).toEqual(['wal']);
    expect(fingerprint(directory)).toEqual(before);
    expect(JSON.parse((await repair(directory, '--json')).stdout)).toMatchObject({
      ...{ outcome: 'sound', firstLsn: 1, lastLsn: 6, segments: 3 },
    });
  });

  it('saves what is good, touches nothing, tells every lost range with its place, and exits 1', async () => {
    const directory = await threeSegments();
    const name = damage(directory, 'record 3');
    const before = fingerprint(directory);
    const { exitCode, stdout } = await repair(directory);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/saved {2}5 records, LSN 1 to 6/);
    expect(stdout).toMatch(/lost {3}1 LSN, in 1 range:/);
    expect(stdout).toMatch(new RegExp(`^3 +${name} +\\d+ +the body of a group`, 'm'));
    expect(fingerprint(directory)).toEqual(before);
    const made = `${directory}.repaired`;
    expect(JSON.parse(readFileSync(join(made, 'repair-report.json'), 'utf8'))).toMatchObject({
      ...{ directory, repaired: made, savedRecords: 5, lost: [{ firstLsn: 3, lastLsn: 3, file: name }] },
    });
    expect(await records(made)).toEqual(without(3));
  });

  it('exits 0 when the damage has cost nothing', async () => {
    const directory = await threeSegments();
    edit(directory, must(segmentsIn(directory)[1]), (bytes) => void bytes.fill(0xee, 100, 200));
    const into = join(dirname(directory), 'elsewhere');
    const { exitCode, stdout } = await repair(directory, into, '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'repaired', lost: [], savedRecords: 6 });
    expect(await records(into)).toEqual(all);
  });

  it('tells of cursors, which stay behind', async () => {
    const directory = join(tempDir(), 'wal');
    await threeSegments(directory);
    const log = await openLog(directory, SEGMENT);
    await log.cursor('billing');
    await log.close();
    damage(directory, 'record 3');
    expect((await repair(directory)).stdout).toMatch(/Cursors are not carried over \(.*\.cursor\)/);
  });

  it('refuses, with 2 and what to do, a log that is open, a full directory, one without a log', async () => {
    const directory = await threeSegments();
    const log = await openLog(directory, SEGMENT);
    expect(await repair(directory)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/is open in process \d+/),
    });
    await log.close();
    damage(directory, 'record 3');
    const full = join(dirname(directory), 'full');
    mkdirSync(full);
    writeFileSync(join(full, 'mine'), '');
    expect(await repair(directory, full)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/is there and not empty/),
    });
    expect(readdirSync(full)).toEqual(['mine']);
    const empty = tempDir();
    expect(await repair(empty)).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/holds no log/) });
    expect(existsSync(`${empty}.repaired`)).toBe(false);
    expect(await repair(join(empty, 'none'))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/There is no directory/),
    });
    expect(await repair(directory, full, '--write')).toMatchObject({ exitCode: 2 });
  });

  it('makes nothing when nothing can be saved', async () => {
    const directory = await threeSegments();
    for (const name of segmentsIn(directory)) edit(directory, name, (bytes) => void bytes.fill(0xee));
    const { exitCode, stderr } = await repair(directory);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/Nothing of the log .* can be saved/),
    });
    expect(readdirSync(dirname(directory))).toEqual(['wal']);
  });
});

describe('repair --before-epoch', () => {
  /** Damaged in its fourth record, and ended before it by an opening, which is told, with a record appended since. */
  async function endedAtDamage(): Promise<{ directory: string; epoch: number }> {
    const directory = await threeSegments();
    damage(directory, 'record 4');
    const log = await openLog(directory, { ...SEGMENT, recovery: 'point-in-time' });
    await log.append('since');
    await log.close();
    return { directory, epoch: log.recovery.epoch };
  }

  it('saves what an opening has put aside, in place too, and says how', async () => {
    const { directory, epoch } = await endedAtDamage();
    const { exitCode, stdout } = await repair(directory, '--before-epoch', String(epoch));
    expect(exitCode).toBe(1);
    expect(await records(`${directory}.repaired`)).toEqual(without(4));
    const [, command = ''] = /damaged one: ringwal repair (.*)/.exec(stdout) ?? [];
    expect(await repair(...command.split(' '))).toMatchObject({ exitCode: 1 });
    expect(await records(directory)).toEqual(without(4));
  });

  it('refuses, with 2, an opening that has put nothing aside: the log as it is would be taken for what is asked for', async () => {
    const { directory, epoch } = await endedAtDamage();
    const before = fingerprint(directory);
    for (const options of [[], ['--write']])
      expect(await repair(directory, '--before-epoch', String(epoch + 1), ...options)).toMatchObject({
        exitCode: 2,
        stdout: '',
        stderr: expect.stringMatching(
          new RegExp(`no file \\*\\.lost-${epoch + 1}[^]*There are those of ${epoch}\\.`),
        ),
      });
    expect(readdirSync(dirname(directory))).toEqual(['wal']);
    expect(fingerprint(directory)).toEqual(before);
    expect(await repair(await threeSegments(), '--before-epoch', '1')).toMatchObject({ exitCode: 2 });
  });
});

class Killed extends Error {}

/** Steps of a process that is killed before the `n`th of them. */
function killedBefore(n: number): SwapSteps {
  let left = n;
  const step = (): void => {
    if (--left < 0) throw new Killed();
  };
  return {
    async rename(from, to) {
      step();
      await systemSteps.rename(from, to);
    },
    async syncDirectory(directory) {
      step();
      await systemSteps.syncDirectory(directory);
    },
  };
}

/** Runs it with these steps. */
const repairWith = (steps: SwapSteps, directory: string): Promise<CommandRun> =>
  runCommand((program, io) => addRepair(program, io, steps), ['repair', directory, '--write']);

describe('repair --write', () => {
  it('puts the repaired log into the place of the damaged one, which is kept, and can be run again', async () => {
    const directory = await threeSegments();
    damage(directory, 'record 5');
    const before = fingerprint(directory);
    const { exitCode, stdout, stderr } = await repair(directory, '--write');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/Should it be killed now .*: run this again, or mv .*repairing-1 /);
    expect(stdout).toContain(`the damaged one is in ${directory}.damaged-1`);
    expect(readdirSync(dirname(directory)).sort()).toEqual(['wal', 'wal.damaged-1']);
    expect(fingerprint(`${directory}.damaged-1`)).toEqual(before);
    expect(await repair(directory, '--write')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/is sound/),
    });
    expect(await records(directory)).toEqual(without(5));
    damage(directory, 'record 2');
    expect((await repair(directory, '--write')).stdout).toContain('.damaged-2');
  });

  it('names, syncs and only then goes on: a sync of the parent directory behind each rename', async () => {
    const directory = await threeSegments();
    damage(directory, 'record 5');
    const seen: string[] = [];
    await repairWith(
      {
        async rename(from, to) {
          seen.push(`${from} -> ${to}`);
          await systemSteps.rename(from, to);
        },
        async syncDirectory(path) {
          seen.push(`sync ${path}`);
        },
      },
      directory,
    );
    expect(seen).toEqual([
      `${directory} -> ${directory}.damaged-1`,
      `sync ${dirname(directory)}`,
      `${directory}.repairing-1 -> ${directory}`,
      `sync ${dirname(directory)}`,
    ]);
  });

  it.each([
    0, 1, 2, 3,
  ])('is finished by a second run when it was killed before step %i of four', async (n) => {
    const directory = await threeSegments();
    damage(directory, 'record 4');
    const before = fingerprint(directory);
    await repairWith(killedBefore(n), directory);
    expect(existsSync(directory)).toBe(n === 0 || n === 3);
    if (n === 1 || n === 2)
      expect(await repair(directory)).toMatchObject({
        exitCode: 2,
        stderr: expect.stringMatching(/--write` finishes it/),
      });
    const again = await repair(directory, '--write');
    expect(again.exitCode).toBe(n === 3 ? 0 : 1);
    if (n === 1 || n === 2)
      expect(again.stdout).toMatch(/was killed between its renames: it is finished now/);
    expect(await records(directory)).toEqual(without(4));
    const kept = must(readdirSync(dirname(directory)).find((name) => name.includes('damaged')));
    expect(fingerprint(join(dirname(directory), kept))).toEqual(before);
  });

  it('does not put the repaired log over one that was made in its place meanwhile', async () => {
    const directory = await threeSegments();
    damage(directory, 'record 4');
    await repairWith(killedBefore(2), directory);
    mkdirSync(directory); // as a service does that is started anew
    expect(await repair(directory, '--write')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/has been made anew/),
    });
    expect(readdirSync(directory)).toEqual([]);
    renameSync(directory, `${directory}.mistake`);
    expect((await repair(directory, '--write')).exitCode).toBe(1);
    expect(await records(directory)).toEqual(without(4));
  });

  it('takes the first rename back when the log was changed while it was read', async () => {
    const directory = await threeSegments();
    damage(directory, 'record 2');
    const appendFirst: SwapSteps = {
      ...systemSteps,
      async rename(from, to) {
        if (from === directory) {
          const log = await openLog(directory, SEGMENT); // damage in closed segments does not keep it from that
          await log.append('late');
          await log.close();
        }
        await systemSteps.rename(from, to);
      },
    };
    expect(await repairWith(appendFirst, directory)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/was changed while/),
    });
    expect(readdirSync(dirname(directory)).sort()).toEqual(['wal', 'wal.repairing-1']);
    const again = await repair(directory, '--write');
    expect(again).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/repairing-1 is from a repair that did not come/),
    });
    expect(await records(directory)).toEqual([...without(2), '7 late']);
  });

  it('follows a symbolic link, and leaves it a link', async () => {
    const directory = await threeSegments();
    damage(directory, 'record 4');
    const link = join(tempDir(), 'link');
    symlinkSync(directory, link);
    await repairWith(killedBefore(2), link);
    expect((await repair(link, '--write')).exitCode).toBe(1);
    expect(await records(link)).toEqual(without(4));
    expect(readdirSync(dirname(directory)).sort()).toEqual(['wal', 'wal.damaged-1']);
  });
});
