/** gc: the command that frees segments which nobody needs any more. */
import type { Command } from 'commander';
import { beginLogAt, type ChangeOptions } from '../begin-log-at.js';
import { CliError } from '../failure.js';
import type { CliIo } from '../io.js';
import { DIRECTORY, examples, integer, jsonOption } from '../options.js';
import { endsOf, startOfSegment } from '../truncation-plan.js';

interface GcOptions extends ChangeOptions {
  readonly beforeSegment?: number;
  readonly force?: boolean;
}

export function addGc(program: Command, io: CliIo): void {
  program
    .command('gc')
    .description('Free the segments before the last checkpoint. The log must not be open elsewhere.')
    .argument(...DIRECTORY)
    .option(
      '--before-segment <n>',
      'free the segments with a lower number instead (see `ringwal info`)',
      integer(1),
    )
    .option('--force', 'also what cursors hold back; they are overtaken then')
    .option('--dry-run', 'only say what would be dropped and freed; needs no lock')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        ['ringwal gc ./data/wal --dry-run', 'what would go'],
        ['ringwal gc ./data/wal', 'the log begins with its last checkpoint then'],
        ['ringwal gc ./data/wal --before-segment 12', 'the log begins with segment 12 then'],
      ),
    )
    .action(async (directory: string, options: GcOptions) => {
      const ends = await endsOf(directory);
      const { beforeSegment } = options;
      if (beforeSegment === undefined && ends.checkpointLsn === 0)
        throw new CliError(
          'NO_CHECKPOINT',
          'The log has no checkpoint, which would say what is no longer needed.',
          'Say it: `ringwal gc DIR --before-segment N`, or `ringwal truncate DIR --before LSN`.',
        );
      const lsn = beforeSegment === undefined ? ends.checkpointLsn : startOfSegment(ends, beforeSegment);
      await beginLogAt(io, ends, lsn, options);
    });
}
