/**
 * main: `npm run mutants`: plants mutants into the built package, one at a time, and has the tests meet them. Fails when
 * less than 90 % are killed, or one that survives is not explained.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Prng } from '../support/prng.js';
import { explanationOf } from './explained.js';
import { isOfAllFolders, MutantTree, type Outcome, STAGES, type Stage } from './mutant-tree.js';
import { FOLDERS, type Folder, type Mutant, nameOf } from './mutants.js';

const LEAST_KILLED = 0.9;

const HELP = `npm run mutants -- [options]

options
  --sample N     mutants to try, drawn from all; 0: all (400)
  --seed N       another sample (1)
  --files TEXT   only of files whose path contains it
  --again FILE   only those that survived, without an explanation, in a run that wrote FILE
  --quick        the first two stages only; what survives them is for --again
  --json FILE    write what came of each mutant there
  --help`;

const { values } = parseArgs({
  options: {
    sample: { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
    files: { type: 'string', default: '' },
    again: { type: 'string' },
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

interface Result extends Mutant {
  readonly name: string;
  readonly outcome: Outcome;
  readonly stage?: Stage;
  readonly why?: string;
  readonly seconds: number;
}

const tree = await MutantTree.make();
process.once('exit', () => tree.remove());

const stages = values.quick ? STAGES.slice(0, 2) : STAGES;
const sound = new Set<string>();

/** A stage that kills must let the package pass as it is; looked at once. */
async function mustBeSound(stage: Stage, folder: Folder): Promise<void> {
  const what = isOfAllFolders(stage) ? stage : `${stage} of ${folder}`;
  if (sound.has(what)) return;
  const { outcome } = await tree.meet(undefined, folder, [stage]);
  if (outcome !== 'survived') throw new Error(`without any mutant, ${what}: ${outcome}`);
  sound.add(what);
}

const chosen = choose();
console.error(`${tree.mutants.length} mutants, ${chosen.length} of them are tried`);
const results: Result[] = [];
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    report(); // of what was tried until now
    process.exit(130);
  });
for (const mutant of chosen) {
  const start = performance.now();
  const why = explanationOf(mutant);
  const end =
    why === undefined ? await tree.meet(mutant, mutant.folder, stages) : { outcome: 'survived' as const };
  if ('stage' in end && end.stage !== undefined) await mustBeSound(end.stage, mutant.folder);
  const seconds = (performance.now() - start) / 1000;
  results.push({ ...mutant, name: nameOf(mutant), ...end, ...(why !== undefined && { why }), seconds });
  const { file, line, original, replacement } = mutant;
  const how = why !== undefined ? 'explained' : `${end.outcome}${'stage' in end ? ` by ${end.stage}` : ''}`;
  console.error(
    `${results.length} ${how}, ${seconds.toFixed(1)} s: ${file}:${line}: ${original} -> ${replacement}`,
  );
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(results, undefined, 1));
}
process.exitCode = report() ? 0 : 1;

function choose(): readonly Mutant[] {
  const wanted = tree.mutants.filter(({ file }) => file.includes(values.files));
  if (values.again !== undefined) {
    const before = JSON.parse(readFileSync(values.again, 'utf8')) as Result[];
    const names = new Set(before.filter(({ outcome }) => outcome === 'survived').map(({ name }) => name));
    return wanted.filter((mutant) => names.has(nameOf(mutant)));
  }
  const count = Number(values.sample) || wanted.length;
  const places = new Prng(Number(values.seed)).sample(wanted.length, count);
  return places.map((place) => wanted[place]).filter((mutant) => mutant !== undefined);
}

/** Whether the run has passed. */
function report(): boolean {
  const rows = [
    '| folder | mutants | tried | killed | of them hung | survived, explained | survived | killed |',
    '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
  ];
  for (const folder of [...FOLDERS, undefined]) {
    const isIts = (mutant: Mutant): boolean => folder === undefined || mutant.folder === folder;
    const own = results.filter(isIts);
    const isKilled = ({ outcome }: Result): boolean => outcome === 'killed' || outcome === 'hung';
    const killed = own.filter(isKilled).length;
    const hung = own.filter(({ outcome }) => outcome === 'hung').length;
    const explained = own.filter(({ why }) => why !== undefined).length;
    const counts = [tree.mutants.filter(isIts).length, own.length, killed, hung, explained];
    const share = own.length === 0 ? '-' : `${((100 * killed) / own.length).toFixed(1)} %`;
    rows.push(
      `| ${folder ?? 'all'} | ${counts.join(' | ')} | ${own.length - killed - explained} | ${share} |`,
    );
  }
  console.log(rows.join('\n'));
  let isPassed = true;
  for (const { file, line, source, original, replacement, outcome, why } of results) {
    if (outcome !== 'survived' && outcome !== 'invalid') continue;
    console.log(
      `${outcome} ${file}:${line}: ${source}\n    ${original}  ->  ${replacement}${why ? `\n    ${why}` : ''}`,
    );
    if (why === undefined) isPassed = false;
  }
  const killed = results.filter(({ outcome }) => outcome === 'killed' || outcome === 'hung').length;
  return isPassed && killed >= LEAST_KILLED * results.length;
}
