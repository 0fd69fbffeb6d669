/** main: `npm run bench`: runs the scenarios asked for, in a directory of its own that it removes, and reports. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeEnvironment } from './harness/environment.js';
import { Progress } from './harness/progress.js';
import { barsOf } from './report/bars.js';
import { printResults, say } from './report/console.js';
import { html } from './report/html.js';
import { markdown } from './report/markdown.js';
import type { Cell, Results } from './report/results.js';
import { pictures } from './report/svg.js';
import { ON_DEMAND, USUAL } from './scenarios/index.js';
import { ofRole } from './scenarios/scenario.js';
import { KINDS } from './systems/index.js';
import { lookAtSystems } from './systems-here.js';

/** Appends that the check of a system's syncs makes. */
const CHECK_APPENDS = 20;
const QUICK_CHECK_APPENDS = 5;

const line = ({ name, what }: { name: string; what: string }): string => `  ${name.padEnd(11)} ${what}`;
const HELP = `npm run bench -- [scenario...] [options]

scenarios (default: all of these)
${USUAL.map(line).join('\n')}
only when asked for
${ON_DEMAND.map(line).join('\n')}

options
  --quick          fewer points, rounds and peers: under two minutes
  --dir DIR        where to measure: a fresh directory is made in it (the system's temporary directory)
  --json FILE      write all figures there
  --html FILE      write a page with interactive plots there (ringwal-bench.html)
  --markdown FILE  write the bars and the ratios to each peer as Markdown tables there
  --pictures DIR   write plots as SVG there
  --help

Which options suit a disk: npx ringwal bench DIR`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
    json: { type: 'string' },
    html: { type: 'string', default: 'ringwal-bench.html' },
    markdown: { type: 'string' },
    pictures: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  say(HELP);
  process.exit(0);
}
const all = [...USUAL, ...ON_DEMAND];
const unknown = positionals.find((name) => all.every((scenario) => scenario.name !== name));
if (unknown !== undefined) throw new Error(`There is no scenario "${unknown}"; see --help.`);
const chosen = positionals.length === 0 ? USUAL : all.filter(({ name }) => positionals.includes(name));

const directory = mkdtempSync(join(values.dir, 'ringwal-bench-'));
chmodSync(directory, 0o711); // as in hosted-system
const remove = (): void => rmSync(directory, { recursive: true, force: true });
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    remove();
    process.exit(130);
  });
}

const start = performance.now();
try {
  const environment = describeEnvironment(directory);
  if (environment.fileSystem.startsWith('tmpfs'))
    say('This is memory, not a disk: syncs are free here. Give a --dir.');
  const { kinds, systems } = await lookAtSystems(
    directory,
    values.quick ? QUICK_CHECK_APPENDS : CHECK_APPENDS,
    KINDS.filter(({ role }) => chosen.some(({ hasPeers }) => hasPeers) || !['peer', 'weaker'].includes(role)),
  );
  const isQuick = values.quick;
  const totalMs = chosen.reduce((sum, scenario) => sum + scenario.estimateMs({ isQuick, kinds }), 0);
  const progress = new Progress(totalMs);
  const scenarios: Record<string, readonly Cell[]> = {};
  for (const { name, run } of chosen) {
    const own = join(directory, name);
    mkdirSync(own);
    chmodSync(own, 0o711);
    scenarios[name] = await run({ directory: own, isQuick, kinds, progress, before: scenarios });
    rmSync(own, { recursive: true, force: true });
  }
  progress.stop();
  const results: Results = {
    ...{ date: new Date().toISOString(), seconds: (performance.now() - start) / 1000, isQuick, environment },
    ...{ systems, scenarios, bars: barsOf(scenarios, ofRole('peer', kinds)) },
  };
  printResults(results);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results, undefined, 1));
  if (values.markdown !== undefined) writeFileSync(values.markdown, markdown(results));
  writeFileSync(values.html, await html(results));
  say(`The page with the plots: ${values.html}`);
  if (values.pictures !== undefined) {
    mkdirSync(values.pictures, { recursive: true });
    for (const [name, svg] of Object.entries(pictures(results)))
      writeFileSync(join(values.pictures, `${name}.svg`), svg);
  }
} finally {
  remove();
}
