/** main: `npm run bench`: runs the scenarios asked for, in a directory of its own that it removes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeEnvironment } from './environment.js';
import { say, table } from './report.js';
import { curve } from './scenarios/curve.js';
import { memory } from './scenarios/memory.js';
import { open } from './scenarios/open.js';
import { presets } from './scenarios/presets.js';
import { producers } from './scenarios/producers.js';

const HELP = `npm run bench -- [scenario...] [options]

scenarios (default: curve and producers)
  curve       1 to 10 000 appends in flight: ringwal, a 10-line group commit, the raw floor, the harness alone
  producers   1 and 4 producer threads on one log, every LSN checked
  presets     the default options beside the presets, for few callers, many, and large records
  memory      heap and RSS over 20 million appends
  open        opening and verifying a log of 10 GB

options
  --quick              fewer and shorter rounds: under a minute
  --rounds N           rounds of every measurement (5)
  --seconds S          length of one measurement (1)
  --in-flight A,B,...  points of the curve (1,10,100,1000,10000)
  --payload BYTES      size of a record (128)
  --dir DIR            where to measure: a fresh directory is made in it (the system's temporary directory)
  --json FILE          write all figures there
  --help`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    'in-flight': { type: 'string', default: '1,10,100,1000,10000' },
    payload: { type: 'string', default: '128' },
    dir: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  say(HELP);
  process.exit(0);
}
const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
const ms = Number(values.seconds ?? (values.quick ? 0.5 : 1)) * 1000;
const payloadBytes = Number(values.payload);
const inFlight = values['in-flight'].split(',').map(Number);
const directory = mkdtempSync(join(values.dir, 'ringwal-bench-'));
const remove = (): void => rmSync(directory, { recursive: true, force: true });
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    remove();
    process.exit(130);
  });
}

const scenarios: Record<string, () => Promise<unknown>> = {
  curve: () => curve({ directory, inFlight, rounds, ms, payloadBytes }),
  producers: () => producers({ directory, rounds, ms, inFlight: 1000, payloadBytes }),
  presets: () => presets({ directory, rounds, ms }),
  memory: () => memory(directory, values.quick ? 2_000_000 : 20_000_000, 1000, payloadBytes),
  open: () => open(directory, values.quick ? 1e9 : 10e9),
};

const results: Record<string, unknown> = {};
try {
  const environment = describeEnvironment(directory);
  table(
    ['environment', ''],
    Object.entries(environment).map(([key, value]) => [key, String(value)]),
  );
  if (environment.fileSystem.startsWith('tmpfs'))
    say('This is memory, not a disk: syncs are free here. Give a --dir.');
  for (const name of positionals.length > 0 ? positionals : ['curve', 'producers']) {
    const scenario = scenarios[name];
    if (scenario === undefined) throw new Error(`There is no scenario "${name}"; see --help.`);
    results[name] = await scenario();
  }
  if (values.json !== undefined)
    writeFileSync(values.json, JSON.stringify({ environment, results }, undefined, 2));
} finally {
  remove();
}
