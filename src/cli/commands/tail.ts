/** tail: the command that writes the last records of a log to stdout, and then those that come. */
import type { Command } from 'commander';
import { type LogReader, type LogRecord, openReader } from '../../index.js';
import { unlessAborted } from '../aborted.js';
import { type CliIo, Interrupted } from '../io.js';
import { keyFrom } from '../key-file.js';
import { segmentsOf } from '../log-directory.js';
import { DIRECTORY, examples, integer } from '../options.js';
import { addRecordOptions, formatter, type RecordOptions, readTerms } from '../record-format.js';
import { RecordOutput } from '../record-output.js';

interface TailOptions extends RecordOptions {
  readonly lines: number;
  readonly follow?: true;
}

const RECORDS = 10;

export function addTail(program: Command, io: CliIo): void {
  const command = program
    .command('tail')
    .description(
      'Write the last records of a log to stdout, and with -f those that become durable from then on.',
    )
    .argument(...DIRECTORY)
    .option('-n, --lines <n>', 'so many records of those that are there', integer(0), RECORDS)
    .option('-f, --follow', 'go on until interrupted, also across writers that come and go');
  addRecordOptions(command)
    .addHelpText(
      'after',
      examples(
        ['ringwal tail ./data/wal', 'the last ten'],
        ['ringwal tail -f -n 0 ./data/wal --json | jq .payload', 'only what is new, as it becomes durable'],
        ['ringwal tail -f ./data/wal --type checkpoint', 'see checkpoints come'],
      ),
    )
    .action((directory: string, options: TailOptions) => tail(io, directory, options));
}

async function tail(io: CliIo, directory: string, options: TailOptions): Promise<void> {
  const key = await keyFrom(options);
  await segmentsOf(directory);
  await using reader = await openReader(directory, key);
  const output = new RecordOutput(io, formatter(io, options));
  // A read that meets a file that has gone looks at the log again: what is new then must not be passed over.
  const { lastLsn } = reader;
  const { signal } = io;
  try {
    for (const record of await unlessAborted(signal, lastOf(reader, lastLsn, options)))
      await output.put(record);
    await output.flush();
    if (!options.follow) return;
    const from = lastLsn + 1;
    for await (const record of reader.tail({ from, signal, ...readTerms(options) })) await output.put(record);
  } catch (error) {
    if (!options.follow || !(error instanceof Interrupted)) throw error; // it is how a tail is ended
  }
  await output.flush();
}

/** The last records that are there: looked for ever farther back, as not every LSN is a record that is wanted. */
async function lastOf(reader: LogReader, lastLsn: number, options: TailOptions): Promise<LogRecord[]> {
  const wanted = options.lines;
  const terms = readTerms(options);
  if (wanted === 0 || lastLsn < reader.firstLsn) return [];
  for (let span = wanted; ; span *= 4) {
    const from = Math.max(reader.firstLsn, lastLsn - span + 1);
    const found: LogRecord[] = [];
    for await (const record of reader.read({ from, to: lastLsn, ...terms })) {
      found.push(record);
      if (found.length > 2 * wanted) found.splice(0, found.length - wanted);
    }
    if (found.length >= wanted || from === reader.firstLsn) return found.slice(-wanted);
  }
}
