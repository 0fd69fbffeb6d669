/** report: the table at the end of a full run, and whether the run has passed. */
import type { Layer, LayerFigures } from './layer.js';

export interface LayerReport {
  readonly layer: Layer;
  readonly figures: LayerFigures;
  readonly errors: readonly string[];
  /** What could not run here, and why. */
  readonly lacking: Readonly<Record<string, string>>;
  /** Of all its parts together. */
  readonly seconds: number;
  readonly share: number;
}

const number = new Intl.NumberFormat('en-US');

/** A Markdown table: so it can go into docs/GUARANTEES.md as it is. */
export function render(
  reports: readonly LayerReport[],
  seconds: number,
  isStrict: boolean,
): { text: string; isPassed: boolean } {
  const lines = [
    '| layer | cases | tried | target | core seconds | |',
    '| --- | --- | ---: | ---: | ---: | --- |',
  ];
  let isPassed = true;
  for (const { layer, figures, errors, lacking, seconds: own, share } of reports) {
    for (const [what, target] of Object.entries(layer.targets)) {
      const why = lacking.all ?? lacking[what];
      const tried = figures[what] ?? 0;
      const verdict =
        why !== undefined
          ? `not run: ${why}`
          : errors.length > 0
            ? 'FAILED'
            : tried === 0
              ? 'NOTHING TRIED'
              : share < 1
                ? `share ${share}`
                : tried < target
                  ? 'TOO FEW'
                  : 'passed';
      if (why !== undefined ? isStrict : !['passed', `share ${share}`].includes(verdict)) isPassed = false;
      const cells = [layer.name, what, number.format(tried), number.format(target), own.toFixed(0), verdict];
      lines.push(`| ${cells.join(' | ')} |`);
    }
  }
  const failures = reports.flatMap(({ errors }) => errors);
  lines.push(
    '',
    `${isPassed ? 'passed' : 'failed'} in ${(seconds / 60).toFixed(1)} minutes on Node ${process.version}`,
  );
  return { text: [...lines, ...failures.map((error) => `\n${error}`)].join('\n'), isPassed };
}
