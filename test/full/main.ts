/**
 * main: `npm run test:full`: runs every layer of the test plan, as many at a time as there are cores, and prints how
 * many cases each has tried. Fails when a promise was broken, when a layer tried fewer cases than its target, and, with
 * --strict, when this machine lacks what a layer needs.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Layer } from './layer.js';
import { LAYERS, loadLayer } from './layers.js';
import { type LayerReport, render } from './report.js';
import { runJob } from './run-job.js';

const HELP = `npm run test:full -- [layer...] [options]

layers: ${LAYERS.join(', ')}

options
  --share S      the share of each layer's cases to try, from 0 to 1 (1: all; less is no full run and meets no target)
  --seed N       another choice of random cases (1)
  --jobs N       parts of layers that run at the same time (the number of cores)
  --strict       fail when a layer can't run here
  --json FILE    write the figures there
  --help`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    share: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    strict: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(HELP);
  process.exit(0);
}

const share = Number(values.share);
const seed = Number(values.seed);
const jobs = Number(values.jobs);
const unknown = positionals.filter((name) => !(LAYERS as readonly string[]).includes(name));
if (unknown.length > 0) throw new Error(`There is no layer "${unknown[0]}"; see --help.`);

interface Running extends LayerReport {
  readonly layer: Layer;
  readonly figures: Record<string, number>;
  readonly errors: string[];
  seconds: number;
}

const start = performance.now();
const elapsed = (): number => (performance.now() - start) / 1000;
const reports: Running[] = [];
for (const name of positionals.length > 0 ? positionals : LAYERS) {
  const layer = await loadLayer(name);
  const figures = Object.fromEntries(Object.keys(layer.targets).map((what) => [what, 0]));
  reports.push({ layer, figures, errors: [], lacking: layer.lacking?.() ?? {}, seconds: 0, share });
}

const queue = reports
  .filter(({ lacking }) => lacking.all === undefined)
  .flatMap((report) => {
    const parts = share < 0.05 ? 1 : report.layer.parts;
    return Array.from({ length: parts }, (_, part) => ({ report, part, parts }));
  })
  .sort((a, b) => Number(a.report.layer.isAlone ?? false) - Number(b.report.layer.isAlone ?? false));

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

async function lane(isAlone: boolean): Promise<void> {
  for (;;) {
    const next = queue.findIndex(({ report }) => (report.layer.isAlone ?? false) === isAlone);
    const [job] = next < 0 ? [] : queue.splice(next, 1);
    if (job === undefined) return;
    const { report, part, parts } = job;
    const name = parts > 1 ? `${report.layer.name} ${part + 1}/${parts}` : report.layer.name;
    const tell = (text: string): void =>
      console.error(`${elapsed().toFixed(0).padStart(5)} s  ${name}: ${text}`);
    const from = elapsed();
    const end = await runJob({ layer: report.layer.name, part, parts, share, seed }, tell);
    report.seconds += elapsed() - from;
    tell(end.kind);
    if (end.kind === 'failed') report.errors.push(`${name}: ${end.error}`);
    else
      for (const [what, count] of Object.entries(end.figures))
        report.figures[what] = (report.figures[what] ?? 0) + count;
  }
}

await Promise.all(Array.from({ length: jobs }, () => lane(false)));
await lane(true);

const { text, isPassed } = render(reports, elapsed(), values.strict);
console.log(text);
if (values.json !== undefined) {
  const layers = reports.map(({ layer, figures, lacking, errors, seconds }) => ({
    name: layer.name,
    targets: layer.targets,
    figures,
    lacking,
    errors,
    seconds,
  }));
  writeFileSync(
    values.json,
    JSON.stringify({ node: process.version, share, seed, seconds: elapsed(), layers }, undefined, 2),
  );
}
process.exitCode = isPassed ? 0 : 1;
