/** report: what has come of a full run: whether it has passed, its table, and the page and the file made of it. */
import type { Layer, LayerFigures } from './layer.js';

export interface LayerReport {
  readonly layer: Layer;
  readonly figures: LayerFigures;
  readonly errors: readonly string[];
  /** What could not run here, and why. */
  readonly lacking: Readonly<Record<string, string>>;
  /** Of all its parts together, from start to end. */
  readonly seconds: number;
  /** Parts that have not ended: the run was stopped. */
  readonly open: number;
}

export interface Run {
  readonly reports: readonly LayerReport[];
  readonly seconds: number;
  readonly share: number;
  readonly seed: number;
  readonly jobs: number;
  readonly cores: number;
  /** Whether what can't run here counts as failed. */
  readonly isStrict: boolean;
}

const number = new Intl.NumberFormat('en-US');

/** What became of one of a layer's targets. */
function verdictOf({ layer, figures, errors, lacking, open }: LayerReport, what: string, run: Run) {
  const why = lacking.all ?? lacking[what];
  if (why !== undefined) return { text: `not run: ${why}`, isPassed: !run.isStrict, isRun: false };
  const tried = figures[what] ?? 0;
  const failure =
    errors.length > 0
      ? 'FAILED'
      : open > 0
        ? 'STOPPED'
        : tried === 0
          ? 'NOTHING TRIED'
          : run.share >= 1 && tried < (layer.targets[what] ?? 0)
            ? 'TOO FEW'
            : undefined;
  const text = failure ?? (run.share < 1 ? `passed, a share of ${run.share}` : 'passed');
  return { text, isPassed: failure === undefined, isRun: true };
}

function hasPassed(report: LayerReport, run: Run): boolean {
  return Object.keys(report.layer.targets).every((what) => verdictOf(report, what, run).isPassed);
}

export function isPassed(run: Run): boolean {
  return run.reports.every((report) => hasPassed(report, run));
}

function summary(run: Run): string {
  const { reports, seconds } = run;
  const passed = reports.filter((report) => hasPassed(report, run)).length;
  const lacking = reports.filter(({ layer, lacking }) =>
    Object.keys(layer.targets).some((what) => (lacking.all ?? lacking[what]) !== undefined),
  );
  const notRun = lacking.length > 0 ? `, ${lacking.length} of them not wholly run` : '';
  const minutes = (seconds / 60).toFixed(1);
  return `${passed} of ${reports.length} layers passed in ${minutes} min${notRun}`;
}

/** A Markdown table, a line for each target; a layer's name and time stand in its first one. */
function table(run: Run): string[] {
  const lines = [
    '| layer | minutes | cases | tried | target | result |',
    '| --- | ---: | --- | ---: | ---: | --- |',
  ];
  for (const report of run.reports) {
    const { layer, figures, seconds } = report;
    for (const [i, [what, target]] of Object.entries(layer.targets).entries()) {
      const head = i === 0 ? [`\`${layer.name}\``, (seconds / 60).toFixed(1)] : ['', ''];
      const verdict = verdictOf(report, what, run);
      const tried = verdict.isRun ? number.format(figures[what] ?? 0) : '';
      lines.push(`| ${[...head, what, tried, number.format(target), verdict.text].join(' | ')} |`);
    }
  }
  return lines;
}

/** For the terminal: the table, what went wrong, and the sum of it in the last line. */
export function render(run: Run): string {
  const failures = run.reports.flatMap(({ errors }) => errors.map((error) => `${error}\n`));
  return [...table(run), '', ...failures, summary(run)].join('\n');
}

/** For docs/GUARANTEES.md: the section "Figures" as it stands there. */
export function markdown(run: Run, date: string): string {
  const { share, seed, jobs, cores } = run;
  const how = share < 1 ? `A share of ${share}` : 'A full run';
  const where = `Node ${process.versions.node}, ${cores} cores, ${jobs} jobs, seed ${seed}`;
  return [
    `${how} of ${date}, by \`npm run test:full\` on ${where}: ${summary(run)}.`,
    'Minutes are those of all parts of a layer together; parts of two or three layers run at the same time.',
    '',
    ...table(run),
    '',
  ].join('\n');
}

export function json(run: Run, date: string): string {
  const layers = run.reports.map(({ layer, ...report }) => ({
    name: layer.name,
    isPassed: hasPassed({ layer, ...report }, run),
    targets: layer.targets,
    ...report,
  }));
  const { reports: _, ...rest } = run;
  return JSON.stringify(
    { date, node: process.version, isPassed: isPassed(run), summary: summary(run), ...rest, layers },
    undefined,
    2,
  );
}
