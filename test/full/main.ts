/**
 * main: `npm run test:full`: runs every layer of the test plan, as many parts at a time as there are cores, and prints how
 * many cases each has tried. Fails when a promise was broken, when a layer tried fewer cases than its target, and, with
 * --strict, when this machine lacks what a layer needs. Whatever fails, and also when it is stopped, the figures of
 * all that has ended are told.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Layer } from './layer.js';
import { LAYERS, loadLayer } from './layers.js';
import { isPassed, json, type LayerReport, markdown, type Run, render } from './report.js';
import { runJob } from './run-job.js';
import { type Part, partsOf, schedule } from './schedule.js';

const HELP = `npm run test:full -- [layer...] [options]

layers: ${LAYERS.join(', ')}

options
  --share S        the share of each layer's cases to try, from 0 to 1 (1: all; less is no full run and meets no target)
  --seed N         another choice of random cases (1)
  --jobs N         parts of layers that run at the same time, besides one that mostly waits (the number of cores)
  --strict         fail when a layer can't run here
  --json FILE      write the figures there
  --markdown FILE  write them there as docs/GUARANTEES.md has them
  --help`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    share: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    strict: { type: 'boolean', default: false },
    json: { type: 'string' },
    markdown: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const [share, seed, jobs] = [values.share, values.seed, values.jobs].map(Number) as [number, number, number];
if (!(share > 0 && share <= 1 && jobs >= 1) || !Number.isSafeInteger(seed))
  throw new Error(`See --help:\n${HELP}`);
const unknown = positionals.find((name) => !(LAYERS as readonly string[]).includes(name));
if (unknown !== undefined) throw new Error(`There is no layer "${unknown}"; see --help.`);

interface Running extends LayerReport {
  readonly layer: Layer;
  readonly figures: Record<string, number>;
  readonly errors: string[];
  seconds: number;
  open: number;
}

const start = performance.now();
const elapsed = (): number => (performance.now() - start) / 1000;
const reports: Running[] = [];
for (const name of positionals.length > 0 ? positionals : LAYERS) {
  const layer = await loadLayer(name);
  const figures = Object.fromEntries(Object.keys(layer.targets).map((what) => [what, 0]));
  reports.push({ layer, figures, errors: [], lacking: layer.lacking?.() ?? {}, seconds: 0, open: 0 });
}
const parts = partsOf(
  reports.filter(({ lacking }) => lacking.all === undefined),
  share,
);
for (const { of } of parts) of.open++;

async function runPart({ of: report, part, parts: all }: Part<Running>): Promise<void> {
  const name = all > 1 ? `${report.layer.name} ${part + 1}/${all}` : report.layer.name;
  const tell = (text: string): void =>
    console.error(`${elapsed().toFixed(0).padStart(5)} s  ${name}: ${text}`);
  const from = elapsed();
  const end = await runJob({ layer: report.layer.name, part, parts: all, share, seed }, tell);
  const seconds = elapsed() - from;
  report.seconds += seconds;
  report.open--;
  tell(`${end.kind} in ${seconds.toFixed(0)} s`);
  if (end.kind === 'failed') report.errors.push(`${name}: ${end.error}`);
  else
    for (const [what, count] of Object.entries(end.figures))
      report.figures[what] = (report.figures[what] ?? 0) + count;
}

/** Says what has come of it, and leaves with the exit status that this means. */
function end(status?: number): never {
  const cores = availableParallelism();
  const run: Run = { reports, seconds: elapsed(), share, seed, jobs, cores, isStrict: values.strict };
  const date = new Date().toISOString().slice(0, 10);
  console.log(render(run));
  if (values.json !== undefined) writeFileSync(values.json, json(run, date));
  if (values.markdown !== undefined) writeFileSync(values.markdown, markdown(run, date));
  process.exit(status ?? (isPassed(run) ? 0 : 1));
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end(130));

await schedule(parts, jobs, runPart);
end();
