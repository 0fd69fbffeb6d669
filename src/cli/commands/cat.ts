/** cat: the command that writes the records of a log to stdout. */
import type { Command } from 'commander';
import { openReader } from '../../index.js';
import { unlessAborted } from '../aborted.js';
import type { CliIo } from '../io.js';
import { keyFrom } from '../key-file.js';
import { segmentsOf } from '../log-directory.js';
import { DIRECTORY, examples, integer, lsnOrCheckpoint } from '../options.js';
import { addRecordOptions, formatter, type RecordOptions, readTerms } from '../record-format.js';
import { RecordOutput } from '../record-output.js';

interface CatOptions extends RecordOptions {
  readonly from?: number | 'checkpoint';
  readonly to?: number;
  readonly limit?: number;
}

export function addCat(program: Command, io: CliIo): void {
  const command = program
    .command('cat')
    .description('Write the records of a log to stdout. Takes no lock: its writer may be at work.')
    .argument(...DIRECTORY)
    .option(
      '--from <lsn>',
      'first LSN, or "checkpoint" for the last one (default: the first there is)',
      lsnOrCheckpoint,
    )
    .option('--to <lsn>', 'last LSN (default: the last there is)', integer(1))
    .option('--limit <n>', 'so many records at most', integer(0));
  addRecordOptions(command)
    .addHelpText(
      'after',
      examples(
        ['ringwal cat ./data/wal --from 17 --to 20', 'four payloads, a line each'],
        ['ringwal cat ./data/wal --from checkpoint --json', 'from the last checkpoint on, one object a line'],
        ['ringwal cat ./data/wal --type checkpoint --format hex', 'all checkpoints, to look at'],
        ['ringwal cat a --frames | ringwal append b --frames', 'copy records of any content'],
      ),
    )
    // A read may go on for long without a record that is asked for.
    .action((directory: string, options: CatOptions) =>
      unlessAborted(io.signal, cat(io, directory, options)),
    );
}

async function cat(io: CliIo, directory: string, options: CatOptions): Promise<void> {
  const { from, to, limit = Number.POSITIVE_INFINITY } = options;
  const key = await keyFrom(options);
  await segmentsOf(directory);
  await using reader = await openReader(directory, key);
  const range = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
  const output = new RecordOutput(io, formatter(io, options));
  let left = limit;
  if (left > 0) {
    for await (const record of reader.read({ ...range, ...readTerms(options) })) {
      await output.put(record);
      if (--left === 0) break;
    }
  }
  await output.flush();
}
