/** program: the command line as a whole: which commands there are, and one run of it. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addAppend } from './commands/append.js';
import { addBench } from './commands/bench.js';
import { addCat } from './commands/cat.js';
import { addGc } from './commands/gc.js';
import { addInfo } from './commands/info.js';
import { addRepair } from './commands/repair.js';
import { addTail } from './commands/tail.js';
import { addTop } from './commands/top.js';
import { addTruncate } from './commands/truncate.js';
import { addVerify } from './commands/verify.js';
import { tell } from './failure.js';
import { type CliIo, flushed, Interrupted } from './io.js';

/** In the order of the help. */
const commands: readonly ((program: Command, io: CliIo) => void)[] = [
  addInfo,
  addVerify,
  addRepair,
  addCat,
  addTail,
  addTop,
  addAppend,
  addTruncate,
  addGc,
  addBench,
];

/** The program over `io`. Its parsing throws CommanderError instead of ending the process. */
export function createProgram(io: CliIo): Command {
  const program = new Command('ringwal')
    .description('Look at, follow, feed, check and mend durable write-ahead logs.')
    .version(version(), '-V, --version')
    .exitOverride()
    .showHelpAfterError('(--help shows how it is used)')
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      getOutHelpWidth: () => io.columns,
      getErrHelpWidth: () => io.columns,
      getOutHasColors: () => io.hasColour,
      getErrHasColors: () => io.hasColour && io.isStderrTty,
    });
  for (const add of commands) add(program, io);
  program.addHelpText(
    'after',
    '\nExit codes: 0 done; 1 done, and the answer is bad news (damage, records not acknowledged); 2 could not be done;' +
      '\n130 interrupted. `ringwal <command> --help` has examples.\n',
  );
  return program;
}

/** Runs the program with what follows its name on the command line; the exit code is in `io` then. */
export async function run(args: readonly string[], io: CliIo): Promise<void> {
  try {
    await createProgram(io).parseAsync(args, { from: 'user' });
    if (!(io.signal.reason instanceof Interrupted)) await flushed(io);
  } catch (error) {
    tell(io, error, args.includes('--json'));
  }
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url); // of dist/src/cli
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
