/** exposition: reads the text that a registry of prom-client gives to Prometheus, and is strict about it. */

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly series: readonly Series[];
}

const LINE = /^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/y;

/** Families by name. Throws where the text is no exposition: a sample of another family, a repeated series, no number. */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family & { series: Series[] }>();
  const seen = new Set<string>();
  let family: (Family & { series: Series[] }) | undefined;
  for (const line of text.split('\n')) {
    if (line === '' || line === '# EOF') continue;
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`a second family ${name}`);
      family = { name, type: '', help: rest, series: [] };
      families.set(name, family);
    } else if (keyword === 'TYPE') {
      if (family?.name !== name) throw new Error(`a type without its help: ${line}`);
      family = { ...family, type: rest };
      families.set(name, family);
    } else {
      const series = parseSeries(line);
      if (family === undefined || !belongs(series.name, family))
        throw new Error(`not of its family: ${line}`);
      const key = JSON.stringify([series.name, Object.entries(series.labels).sort()]);
      if (seen.has(key)) throw new Error(`a second time: ${line}`);
      seen.add(key);
      family.series.push(series);
    }
  }
  return families;
}

function parseSeries(line: string): Series {
  const [, name, labelText = '', valueText = ''] = LINE.exec(line) ?? [];
  if (name === undefined) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < labelText.length) {
    const [, label, value] = LABEL.exec(labelText) ?? [];
    if (label === undefined || value === undefined) throw new Error(`no labels: ${line}`);
    if (label in labels) throw new Error(`a label twice: ${line}`);
    labels[label] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
  }
  const value = valueText === '+Inf' ? Number.POSITIVE_INFINITY : Number(valueText);
  if (Number.isNaN(value)) throw new Error(`no number: ${line}`);
  return { name, labels, value };
}

function belongs(name: string, family: Family): boolean {
  if (family.type === 'histogram')
    return [`${family.name}_bucket`, `${family.name}_sum`, `${family.name}_count`].includes(name);
  // OpenMetrics names a counter's family without the suffix.
  return name === family.name || (family.type === 'counter' && name === `${family.name}_total`);
}

/** The only series with these labels, those apart that are not named; throws when there is none, or more than one. */
export function sampleOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = [...families.values()]
    .flatMap(({ series }) => series)
    .filter(
      (one) => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
    );
  const [only] = found;
  if (only === undefined || found.length > 1) throw new Error(`${found.length} series ${name}`);
  return only.value;
}

/** A histogram's series of one log. */
export interface HistogramSeries {
  /** `[le, value]` in the order of the exposition. */
  readonly buckets: readonly (readonly [number, number])[];
  readonly sum: number;
  readonly count: number;
}

export function histogramOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): HistogramSeries {
  const buckets = (families.get(name)?.series ?? [])
    .filter((one) => one.name === `${name}_bucket`)
    .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
    .map(
      ({ labels: { le = '' }, value }) =>
        [le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value] as const,
    );
  return {
    buckets,
    sum: sampleOf(families, `${name}_sum`, labels),
    count: sampleOf(families, `${name}_count`, labels),
  };
}
