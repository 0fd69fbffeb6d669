/** append: the command that appends what comes on stdin, and says what of it is on stable storage. */
import { fstatSync } from 'node:fs';
import type { Command } from 'commander';
import type { SegmentListing } from '../../index.js';
import { AckOutput } from '../ack-output.js';
import { type AppendAccount, appendInput } from '../append-input.js';
import { encryptionFor } from '../encrypted-log.js';
import { CliError, EXIT_BAD_NEWS, EXIT_INTERRUPTED, failureOf } from '../failure.js';
import { framesOf, linesOf } from '../input-records.js';
import { type CliIo, Interrupted, note, PipeClosed, printJson } from '../io.js';
import { segmentsOf } from '../log-directory.js';
import { openForWriting } from '../open-for-writing.js';
import { DIRECTORY, examples, integer, jsonOption, keyOption, size } from '../options.js';
import { counted } from '../quantities.js';

interface AppendOptions {
  readonly frames?: true;
  readonly ack?: true;
  readonly json?: true;
  readonly segmentBytes?: number;
  readonly keyFile?: string;
  readonly keyId?: number;
}

export function addAppend(program: Command, io: CliIo): void {
  program
    .command('append')
    .description(
      'Append the lines of stdin as records; makes the log if there is none. Done when all are durable.',
    )
    .argument(...DIRECTORY)
    .option(
      '--frames',
      'records with their length before them (u32, big endian), as `cat --frames` writes them',
    )
    .option('--ack', 'print the LSN of each record on stdout as soon as it is on stable storage')
    .option('--segment-bytes <size>', 'size of new segments (default: that of the log, or 64m)', size)
    .addOption(keyOption())
    .option(
      '--key-id <n>',
      'id of the key (default: that of the last record, else 0)',
      integer(0, 0xffff_ffff),
    )
    .addOption(jsonOption('one JSON object on stdout at the end; with --ack also one for each LSN'))
    .addHelpText(
      'after',
      `${examples(
        ['ringwal append ./data/wal < events.ndjson', 'a record for each line'],
        ['tail -f app.log | ringwal append ./data/wal --ack', 'see LSNs as they become durable'],
        ['ringwal cat a --frames | ringwal append b --frames', 'copy records of any content'],
      )}\nExit codes: 0 everything is on stable storage; 1 something was not acknowledged; 2 the log could not be opened, or stdin not read.\n`,
    )
    .action((directory: string, options: AppendOptions) => append(io, directory, options));
}

async function append(io: CliIo, directory: string, options: AppendOptions): Promise<void> {
  const { segmentBytes, ack = false, json = false } = options;
  checkInput(io);
  const segments = await segmentsIfAny(directory);
  const encryption = await encryptionOf(directory, segments, options);
  const log = await openForWriting(io, directory, {
    ...(segmentBytes !== undefined && { segmentBytes }),
    ...encryption,
  });
  if (log.recovery.created) note(io, `Made a new log in ${log.directory}.`);
  if ((io.stdin as { isTTY?: boolean }).isTTY)
    note(io, 'Reading lines from the terminal: each is a record. Ctrl-D ends, Ctrl-C too.');
  const acks = new AckOutput(io, json);
  const stop = new AbortController();
  const signal = AbortSignal.any([io.signal, stop.signal]);
  const end = (): unknown => io.stdin.destroy();
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  const input = io.stdin as AsyncIterable<Uint8Array>;
  const account = await appendInput(log, options.frames ? framesOf(input) : linesOf(input), {
    onAck: (lsn) => ack && acks.put(lsn),
    ready: () => acks.ready(),
    stop: () => stop.abort(),
    signal,
  });
  acks.flush();
  await log.close().catch((error: unknown) => {
    account.failure ??= error; // what is acknowledged stays so
  });
  report(io, account, json);
  if (json) {
    const { read, acknowledged, firstLsn, lastLsn, rejected, firstRejected, failure } = account;
    const { code, message } = failure === undefined ? {} : failureOf(failure);
    const error = message === undefined ? undefined : { code, message };
    await printJson(io, {
      directory: log.directory,
      ...{ read, acknowledged, firstLsn, lastLsn, rejected, firstRejected },
      isComplete: io.exitCode === 0,
      error,
    });
  }
}

/** Throws CliError for a directory, which Node takes for an input that is empty. */
function checkInput({ stdin }: CliIo): void {
  const { fd } = stdin as { fd?: unknown };
  if (typeof fd === 'number' && fstatSync(fd).isDirectory())
    throw new CliError('BAD_INPUT', 'The standard input is a directory.', 'Give it a file, or a pipe.');
}

/** Says on stderr what is durable and what is not, and sets the exit code. */
function report(io: CliIo, account: AppendAccount, isJson: boolean): void {
  const { acknowledged, firstLsn, lastLsn, read, rejected, firstRejected, lastRejected, isInDoubt, failure } =
    account;
  const range = firstLsn === lastLsn ? `LSN ${firstLsn}` : `LSN ${firstLsn} to ${lastLsn}`;
  note(
    io,
    acknowledged === 0
      ? 'Nothing was appended.'
      : `${counted(acknowledged, 'record')} on stable storage, ${range}.`,
  );
  const { reason } = io.signal;
  if (failure === undefined && !io.signal.aborted) return;
  io.exitCode = reason instanceof Interrupted ? EXIT_INTERRUPTED : EXIT_BAD_NEWS;
  if (firstRejected !== undefined) {
    const which =
      rejected === 1
        ? `record ${firstRejected}`
        : `${counted(rejected, 'record')}, ${firstRejected} to ${lastRejected},`;
    const fate = isInDoubt
      ? 'may or may not be in the log: open it to see (`ringwal tail`)'
      : 'are not in the log';
    note(io, `Not acknowledged: ${which} of the input; they ${fate}.`);
  }
  note(io, `What the input has behind record ${read} was not appended.`);
  if (reason instanceof PipeClosed) note(io, 'Nobody reads the LSNs any more.');
  if (failure === undefined) return;
  const { code, message, hint } = failureOf(failure);
  if (isJson) return; // the object on stdout has it
  note(io, `error: ${message}${code === undefined ? '' : ` (${code})`}`);
  if (hint !== undefined) note(io, hint);
}

/** None when there is no log yet. Throws CliError when `directory` is something else than a directory. */
async function segmentsIfAny(directory: string): Promise<SegmentListing[]> {
  try {
    return await segmentsOf(directory);
  } catch (error) {
    if (error instanceof CliError && (error.code === 'NO_LOG' || error.code === 'NO_DIRECTORY')) return [];
    throw error;
  }
}

async function encryptionOf(
  directory: string,
  segments: readonly SegmentListing[],
  { keyFile, keyId }: AppendOptions,
): ReturnType<typeof encryptionFor> {
  const given = { ...(keyFile !== undefined && { keyFile }), ...(keyId !== undefined && { keyId }) };
  if (keyId !== undefined && keyFile === undefined)
    throw new CliError('BAD_USAGE', '--key-id says which key --key-file is; give that too.');
  return encryptionFor(segments.length === 0 ? undefined : directory, given);
}
