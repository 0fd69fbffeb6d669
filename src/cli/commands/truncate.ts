/** truncate: the command that drops the records before an LSN, or those behind one. */
import { type Command, Option } from 'commander';
import { beginLogAt, type ChangeOptions, tellChange } from '../begin-log-at.js';
import { CliError } from '../failure.js';
import type { CliIo } from '../io.js';
import { openForWriting } from '../open-for-writing.js';
import { DIRECTORY, examples, integer, jsonOption } from '../options.js';
import { checkAfter, endsOf, freedAfter, freedSince, type LogEnds } from '../truncation-plan.js';

interface TruncateOptions extends ChangeOptions {
  readonly before?: number;
  readonly after?: number;
  readonly force?: boolean;
}

export function addTruncate(program: Command, io: CliIo): void {
  program
    .command('truncate')
    .description('Drop the records before an LSN, or those behind one. The log must not be open elsewhere.')
    .argument(...DIRECTORY)
    .addOption(
      new Option('--before <lsn>', 'the log begins with this LSN then')
        .argParser(integer(1))
        .conflicts('after'),
    )
    .addOption(
      new Option(
        '--after <lsn>',
        'the log ends with this LSN then (0: nothing stays); later LSNs are given out anew',
      )
        .argParser(integer(0))
        .conflicts('force'),
    )
    .option('--force', 'with --before: also what cursors hold back; they are overtaken then')
    .option('--dry-run', 'only say what would be dropped and freed; needs no lock')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        ['ringwal truncate ./data/wal --before 5000 --dry-run', 'what would go'],
        ['ringwal truncate ./data/wal --before 5000', 'LSN 5000 is the first one then'],
        ['ringwal truncate ./data/wal --after 5000', 'LSN 5000 is the last one then; there is no way back'],
      ),
    )
    .action(async (directory: string, options: TruncateOptions) => {
      const { before, after } = options;
      if (before === undefined && after === undefined)
        throw new CliError('BAD_USAGE', 'Say where to truncate: --before LSN, or --after LSN.');
      const ends = await endsOf(directory);
      await (before === undefined
        ? endLogAt(io, ends, after ?? 0, options)
        : beginLogAt(io, ends, before, options));
    });
}

async function endLogAt(io: CliIo, ends: LogEnds, lsn: number, options: ChangeOptions): Promise<void> {
  const { dryRun = false, json = false } = options;
  checkAfter(ends, lsn);
  let freed = freedAfter(ends, lsn);
  if (!dryRun) {
    const log = await openForWriting(io, ends.directory, { recycle: false });
    try {
      await log.truncateAfter(lsn);
    } finally {
      await log.close();
    }
    freed = await freedSince(ends);
  }
  const { directory, firstLsn, lastLsn } = ends;
  await tellChange(
    io,
    { directory, isDryRun: dryRun, firstLsn, lastLsn: lsn, droppedLsns: lastLsn - lsn, freed },
    json,
  );
}
