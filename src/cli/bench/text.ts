/** text: what `ringwal bench` prints: the verdict with options to copy, the figures as tables, the advice. */
import type { LogOptions } from '../../index.js';
import { paint } from '../colours.js';
import type { CliIo } from '../io.js';
import { inBytes, inTime, inWords } from '../quantities.js';
import { table } from '../table.js';
import type { Advice } from './advice.js';
import type { FileSystem } from './file-system.js';
import { DEFAULTS, IN_FLIGHT, LARGE_BYTES, SMALL_BYTES, WINDOW_LOADS, WINDOWS_US } from './plan.js';
import type { Figure } from './rounds.js';

type Look = Pick<CliIo, 'hasColour' | 'columns'>;

export function describeBench(
  look: Look,
  directory: string,
  fileSystem: FileSystem,
  figures: readonly Figure[],
  advice: Advice,
): string {
  const { mode, p50Us, p99Us } = advice.sync;
  const verdict = `Your disk syncs in ${paint(look, 'bold', us(p50Us))} (median; p99 ${us(p99Us)}), syncMode ${mode}.`;
  return [
    verdict,
    ...wrapped(look, '', `${directory}: ${describeFileSystem(fileSystem)}`),
    ...advice.warnings.flatMap((line) =>
      wrapped(look, 'warning: ', line).map((one) => paint(look, 'yellow', one)),
    ),
    '',
    optionsText(advice.options),
    '',
    ...advice.lines.flatMap((line) => wrapped(look, '- ', line)),
    '',
    'What was measured, medians:',
    '',
    syncTable(look, figures),
    rateTable(look, figures),
    latencyTable(look, figures),
    otherTable(look, figures),
  ].join('\n');
}

/** Code that opens a log with them. */
export function optionsText(options: LogOptions): string {
  const entries = Object.entries(options);
  if (entries.length === 0) return '  const options = {}; // the defaults';
  const fields = entries.map(([name, value]) => `${name}: ${shown(value)}`).join(', ');
  return `  const options = { ${fields} };`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

function describeFileSystem({ type, device, writeCache, freeBytes }: FileSystem): string {
  const cache = writeCache === undefined ? '' : `, write cache: ${writeCache}`;
  const place = type === undefined ? 'file system unknown' : `${type} on ${device}`;
  return `${place}${cache}, ${inBytes(freeBytes)} free`;
}

function us(value: number): string {
  return inTime(value / 1000);
}

const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });

function syncTable(look: Look, figures: readonly Figure[]): string {
  const alone = figures.filter(({ about, inFlight }) => about === 'sync' && inFlight === 1);
  const rows = alone.map(({ setting, syncP50Us, syncP99Us, recordsPerSecond }) => {
    const many = figures.find((one) => one.about === 'sync' && one.setting === setting && one.inFlight !== 1);
    return [setting, us(syncP50Us), us(syncP99Us), rate(recordsPerSecond), rate(many?.recordsPerSecond)];
  });
  const columns = ['sync p50', 'p99', 'records/s, 1 in flight', '1 000 in flight'].map(right);
  return table(look, [{ title: 'syncMode' }, ...columns], rows);
}

function rateTable(look: Look, figures: readonly Figure[]): string {
  return byLoad(look, `records/s, ${SMALL_BYTES} B`, IN_FLIGHT, [
    ...presets(figures).map((preset): [string, (n: number) => string] => [
      preset,
      (n) => rate(find(figures, 'presets', preset, n)?.recordsPerSecond),
    ]),
    ...WINDOWS_US.map((windowUs): [string, (n: number) => string] => [
      `windowUs: ${windowUs}`,
      (n) =>
        (WINDOW_LOADS as readonly number[]).includes(n)
          ? rate(find(figures, 'windows', String(windowUs), n)?.recordsPerSecond)
          : '',
    ]),
  ]);
}

function latencyTable(look: Look, figures: readonly Figure[]): string {
  return byLoad(
    look,
    'append p99',
    IN_FLIGHT,
    presets(figures).map((preset) => [
      preset,
      (n) => {
        const figure = find(figures, 'presets', preset, n);
        return figure === undefined ? '' : us(figure.p99Us);
      },
    ]),
  );
}

function otherTable(look: Look, figures: readonly Figure[]): string {
  const names: readonly (readonly [Figure['about'], string, string])[] = [
    ['recycling', 'true', 'recycle: true'],
    ['recycling', 'false', 'recycle: false'],
    ['large', DEFAULTS, `${inBytes(LARGE_BYTES)} records, defaults`],
    ['large', 'highThroughput', `${inBytes(LARGE_BYTES)} records, highThroughput`],
  ];
  const rows = names.flatMap(([about, setting, name]) => {
    const figure = find(figures, about, setting);
    if (figure === undefined) return [];
    const { recordsPerSecond, payloadBytes, syncP50Us, syncP99Us } = figure;
    const bytes = `${inBytes(recordsPerSecond * payloadBytes)}/s`;
    return [[name, rate(recordsPerSecond), bytes, us(syncP50Us), us(syncP99Us)]];
  });
  const columns = ['records/s', 'payload', 'sync p50', 'p99'].map(right);
  return table(look, [{ title: 'other loads' }, ...columns], rows);
}

function byLoad(
  look: Look,
  title: string,
  loads: readonly number[],
  rows: readonly (readonly [string, (inFlight: number) => string])[],
): string {
  const columns = loads.map((n, i) => right(`${inWords(n)}${i === loads.length - 1 ? ' in flight' : ''}`));
  return table(
    look,
    [{ title }, ...columns],
    rows.map(([name, cell]) => [name, ...loads.map(cell)]),
  );
}

function presets(figures: readonly Figure[]): string[] {
  return [...new Set(figures.filter(({ about }) => about === 'presets').map(({ setting }) => setting))];
}

function find(
  figures: readonly Figure[],
  about: Figure['about'],
  setting: string,
  inFlight?: number,
): Figure | undefined {
  return figures.find(
    (one) =>
      one.about === about && one.setting === setting && (inFlight === undefined || one.inFlight === inFlight),
  );
}

function rate(value: number | undefined): string {
  return value === undefined ? '' : inWords(Number(value.toPrecision(3)));
}

/** In lines as wide as the terminal; the second and following ones under the text of the first. */
function wrapped({ columns }: Look, lead: string, text: string): string[] {
  const width = Math.max(40, Math.min(columns, 100)) - lead.length;
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((line, i) => (i === 0 ? lead : ' '.repeat(lead.length)) + line);
}
