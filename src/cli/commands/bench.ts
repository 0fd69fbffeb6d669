/** bench: the command that measures which options suit a disk, in a directory of its own that it removes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { adviceOf } from '../bench/advice.js';
import { fileSystemOf } from '../bench/file-system.js';
import { haltPollUs } from '../bench/idle-cpus.js';
import { possible } from '../bench/measure.js';
import { cells, SYNC_MODES } from '../bench/plan.js';
import { type Figure, measureAll } from '../bench/rounds.js';
import { describeBench, optionsText } from '../bench/text.js';
import { turnBar } from '../bench/turns.js';
import { CliError } from '../failure.js';
import { type CliIo, print, printJson } from '../io.js';
import { checkDirectory } from '../log-directory.js';
import { examples, jsonOption } from '../options.js';
import { inBytes } from '../quantities.js';

interface BenchOptions {
  readonly seconds: number;
  readonly json?: true;
}

const SECONDS = 30;
/** What the logs take at most, one at a time, the large segments of `highThroughput` among them. */
const NEEDED_BYTES = 1024 ** 3;
const PREFIX = '.ringwal-bench-';

/** `plan`: what it measures, of the ways to sync that there are; tests measure less. */
export function addBench(program: Command, io: CliIo, plan: typeof cells = cells): void {
  program
    .command('bench')
    .description('Find the options that suit a disk: sync times, presets, windows, recycling.')
    .argument('<dir>', 'a directory on that disk; it need not hold a log')
    .option('--seconds <n>', 'about how long to measure', seconds, SECONDS)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
It measures in a new directory <dir>/${PREFIX}*, which it removes, also
when it is interrupted (not when it is killed), and needs ${inBytes(NEEDED_BYTES)} of free space.
A log that is open on the same disk will feel it.
${examples(
  ['ringwal bench ./data', 'half a minute'],
  ['ringwal bench /mnt/ssd --json | jq .advice.options', 'for a script'],
)}`,
    )
    .action((directory: string, options: BenchOptions) => bench(io, directory, options, plan));
}

async function bench(io: CliIo, directory: string, options: BenchOptions, plan: typeof cells): Promise<void> {
  await checkDirectory(directory);
  const fileSystem = await fileSystemOf(directory);
  if (fileSystem.freeBytes < NEEDED_BYTES)
    throw new CliError(
      'NO_SPACE',
      `There are ${inBytes(fileSystem.freeBytes)} free under ${directory}; measuring needs ${inBytes(NEEDED_BYTES)}.`,
      'Make room, or give another directory of the same kind of disk.',
    );
  const figures = await measured(io, directory, options, plan);
  const advice = adviceOf(figures, fileSystem, await haltPollUs());
  if (advice === undefined) throw new Error('unreachable: some way to sync was measured');
  if (options.json)
    await printJson(io, {
      directory,
      fileSystem,
      advice: { ...advice, code: optionsText(advice.options).trim() },
      figures,
    });
  else await print(io, describeBench(io, directory, fileSystem, figures, advice));
}

async function measured(
  io: CliIo,
  directory: string,
  options: BenchOptions,
  plan: typeof cells,
): Promise<Figure[]> {
  const own = await mkdtemp(join(directory, PREFIX));
  const bar = turnBar(io);
  try {
    const all = plan(await possible(own, SYNC_MODES));
    return await measureAll(own, all, options.seconds, io.signal, (turn) => bar.show(turn));
  } finally {
    bar.stop();
    await rm(own, { recursive: true, force: true });
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value <= 3600))
    throw new InvalidArgumentError('It must be a number of seconds, at most 3600.');
  return value;
}
