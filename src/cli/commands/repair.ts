/** repair: the command that saves what is good of a damaged log: into a new directory, or into its place. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { salvage, verifyLog } from '../../index.js';
import { paint } from '../colours.js';
import { CliError, EXIT_BAD_NEWS } from '../failure.js';
import { type CliIo, note, print, printJson } from '../io.js';
import { checkDirectory } from '../log-directory.js';
import { DIRECTORY, examples, integer, jsonOption } from '../options.js';
import { counted } from '../quantities.js';
import { giveTo } from '../repair/ownership.js';
import { describeReport, hasLosses, REPORT, type RepairReport, writeReport } from '../repair/report.js';
import { checkClosed, checkPutAside, fingerprint, soundness } from '../repair/source.js';
import {
  checkAway,
  cutShort,
  finish,
  freshNames,
  leftovers,
  placeOf,
  type SwapNames,
  type SwapSteps,
  swap,
  syncDirectory,
  systemSteps,
} from '../repair/swap.js';
import { makeTarget } from '../repair/target.js';

interface RepairOptions {
  readonly write?: true;
  readonly beforeEpoch?: number;
  readonly json?: true;
}

const IN_PLACE = `
With --write: <dir> is renamed to <dir>.damaged-<n>, and the repaired log to
<dir>. Nothing is ever deleted. It may be killed at any moment: if that was
between the two renames, there is no <dir>, and the same command again finishes
it; or finish it by hand: mv <dir>.repairing-<n> <dir>

Exit codes: 0 sound, or repaired without losses; 1 repaired, with losses;
2 it could not be done.
`;

/** `steps`: how it renames; tests end it in the middle. */
export function addRepair(program: Command, io: CliIo, steps: SwapSteps = systemSteps): void {
  program
    .command('repair')
    .description('Save what is good of a damaged log, into a new directory, with a report of what is lost.')
    .argument(...DIRECTORY)
    .argument('[new]', 'directory for what is saved, empty or not there (default: <dir>.repaired)')
    .option('--write', 'put the repaired log into the place of the damaged one, which is kept beside it')
    .option(
      '--before-epoch <n>',
      'save it as it was before this opening ended it at damage (from *.lost-<n>)',
      integer(1, 2 ** 32),
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      IN_PLACE +
        examples(
          ['ringwal repair ./data/wal', 'into ./data/wal.repaired'],
          ['ringwal repair ./data/wal /mnt/new/wal', 'onto another disk'],
          ['ringwal repair ./data/wal --write', 'in place'],
        ),
    )
    .action(async (directory: string, into: string | undefined, options: RepairOptions) => {
      if (options.write && into !== undefined)
        throw new CliError('USAGE', 'With --write there is no second directory.', 'Leave one of them out.');
      await (options.write ? inPlace(io, directory, options, steps) : aside(io, directory, into, options));
    });
}

/** Into another directory. */
async function aside(
  io: CliIo,
  directory: string,
  into: string | undefined,
  options: RepairOptions,
): Promise<void> {
  const place = await placeOf(directory);
  await checkNotCutShort(place);
  await checkSource(directory, options);
  if (await isSound(io, directory, options)) return;
  const target = into ?? `${place}.repaired`;
  const asBefore = options.beforeEpoch === undefined ? '' : ` --before-epoch ${options.beforeEpoch}`;
  const report = await save(io, directory, target, target, into !== undefined, options);
  await tell(io, report, options, [
    `The repaired log is in ${target}, with ${REPORT}; ${directory} is as it was.`,
    `To have it in the place of the damaged one: ringwal repair ${directory} --write${asBefore}`,
  ]);
}

/** Into its place. */
async function inPlace(io: CliIo, path: string, options: RepairOptions, steps: SwapSteps): Promise<void> {
  const directory = await placeOf(path);
  const left = await cutShort(directory);
  if (left !== undefined) return finishEarlier(io, left, options, steps);
  await checkSource(directory, options);
  if (await isSound(io, directory, options)) return;
  for (const left of await leftovers(directory))
    note(io, `${left} is from a repair that did not come to its end: of no use any more.`);
  const names = await freshNames(directory);
  const report = await save(io, directory, names.repairing, directory, false, options);
  note(
    io,
    `Renaming. Should it be killed now and ${directory} not be there: run this again, or mv ${names.repairing} ${directory}`,
  );
  await swap(names, steps, () => checkUnchanged(names, report));
  await tell(io, report, options, inItsPlace(names));
}

/** What a run that was killed between its renames has left to do. */
async function finishEarlier(
  io: CliIo,
  names: SwapNames,
  options: RepairOptions,
  steps: SwapSteps,
): Promise<void> {
  const report = JSON.parse(await readFile(join(names.repairing, REPORT), 'utf8')) as RepairReport;
  await finish(names, steps, () => checkUnchanged(names, report));
  const found = 'An earlier repair was killed between its renames: it is finished now.';
  await tell(io, report, options, [found, ...inItsPlace(names)]);
}

/** Throws CliError when somebody has opened the log since it was read, who may have appended to it. */
async function checkUnchanged(
  { directory, damaged, repairing }: SwapNames,
  report: RepairReport,
): Promise<void> {
  await checkClosed(damaged);
  if ((await fingerprint(damaged)) === report.fingerprint) return;
  throw new CliError(
    'CHANGED',
    `The log in ${directory} was changed while it was repaired; it is in its place again, as it is now.`,
    `Stop who opens it, and run this again. What was saved of it before is in ${repairing}.`,
  );
}

function inItsPlace({ directory, damaged }: SwapNames): string[] {
  return [
    `The repaired log is in ${directory}, with ${REPORT}; the damaged one is in ${damaged}.`,
    'Remove that when nothing more is to be got out of it.',
  ];
}

async function checkNotCutShort(directory: string): Promise<void> {
  const left = await cutShort(directory);
  if (left === undefined) return;
  await checkAway(left); // `mv` would put the repaired log into it
  throw new CliError(
    'CUT_SHORT',
    `A repair of ${directory} was killed between its renames.`,
    `\`ringwal repair ${directory} --write\` finishes it; or by hand: mv ${left.repairing} ${directory}`,
  );
}

/** Throws CliError when there is nothing to save from, or it is in use. */
async function checkSource(directory: string, { beforeEpoch }: RepairOptions): Promise<void> {
  await checkDirectory(directory);
  await checkClosed(directory);
  if (beforeEpoch !== undefined) await checkPutAside(directory, beforeEpoch);
}

/** Says so, when there is nothing to repair. */
async function isSound(io: CliIo, directory: string, { json, beforeEpoch }: RepairOptions): Promise<boolean> {
  if (beforeEpoch !== undefined) return false; // what is asked for is not the log as it is
  const sound = await soundness(io, directory);
  if (sound === undefined) return false;
  const { firstLsn, lastLsn, segments } = sound;
  if (json) await printJson(io, { outcome: 'sound', directory, firstLsn, lastLsn, segments });
  else {
    const what = lastLsn < firstLsn ? 'no records' : `LSN ${firstLsn} to ${lastLsn}`;
    const verdict = `The log in ${directory} is ${paint(io, 'green', 'sound')}`;
    await print(io, `${verdict} (${counted(segments, 'segment')}, ${what}): nothing to repair.\n`);
  }
  return true;
}

/**
 * Salvages `directory` into `target`, which somebody has given (`isGiven`) or nobody has, verifies that, and writes the
 * report, all durably.
 */
async function save(
  io: CliIo,
  directory: string,
  target: string,
  repaired: string,
  isGiven: boolean,
  { beforeEpoch }: RepairOptions,
): Promise<RepairReport> {
  const { undo } = await makeTarget(directory, target, isGiven);
  try {
    const before = await fingerprint(directory);
    const found = await salvage(directory, target, {
      signal: io.signal,
      ...(beforeEpoch === undefined ? {} : { beforeEpoch }),
    }).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'RINGWAL_OUT_OF_RANGE') throw error;
      throw new CliError(
        'NO_LOG',
        `${directory} holds no log.`,
        'Give the directory that `openLog` is called with.',
      );
    });
    if (found.savedRecords === 0)
      throw new CliError(
        'NOTHING_SAVED',
        `Nothing of the log in ${directory} can be saved; it is as it was.`,
        'Restore its files from a backup, as many as there are, and run this again.',
      );
    if ((await verifyLog(target)).damage.length > 0)
      throw new CliError(
        'NOT_WRITTEN',
        `What was written into ${target} does not verify.`,
        'Use another disk.',
      );
    if ((await fingerprint(directory)) !== before)
      throw new CliError(
        'CHANGED',
        `The log in ${directory} was changed while it was read: what came then may be missing from what was saved.`,
        'Nothing was kept of that. Stop who opens it, and run this again.',
      );
    const cursors = (await readdir(directory)).filter((name) => name.endsWith('.cursor'));
    const report: RepairReport = { directory, repaired, cursors, fingerprint: before, ...found };
    await writeReport(target, report);
    await giveTo(directory, target);
    await syncDirectory(target);
    await syncDirectory(dirname(target));
    return report;
  } catch (error) {
    if (!isTaken(error)) await undo();
    throw error;
  }
}

/** Whether somebody else had begun to fill the directory before this run did: what is in it is not this one's. */
function isTaken(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException;
  return (
    code === 'RINGWAL_INVALID_ARGUMENT' || (cause as NodeJS.ErrnoException | undefined)?.code === 'EEXIST'
  );
}

async function tell(
  io: CliIo,
  report: RepairReport,
  { json }: RepairOptions,
  lines: readonly string[],
): Promise<void> {
  const isLossless = !hasLosses(report);
  if (!isLossless) io.exitCode = EXIT_BAD_NEWS;
  if (json) await printJson(io, { outcome: isLossless ? 'repaired' : 'repaired with losses', ...report });
  else await print(io, `${describeReport(io, report)}${lines.join('\n')}\n`);
}
