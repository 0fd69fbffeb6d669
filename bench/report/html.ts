/**
 * html: a run of the bench as one page that needs nothing else: charts to touch, tables, light and dark. It works from a
 * disk without a network, and its content policy forbids it to load anything.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Headline, headlines, ownName } from './headline.js';
import { looksOf } from './looks.js';
import { environmentTable, method, systemsTable } from './page/about.js';
import { barsSentence, barsTable } from './page/bars.js';
import type { PageData } from './page/client.js';
import { figureHtml } from './page/figure-html.js';
import { count, escapeText, times, us, whole } from './page/formats.js';
import { numbersTable } from './page/numbers.js';
import { pageScript, THEME_SCRIPT } from './page/script.js';
import { STYLE } from './page/style.js';
import { foldedTable } from './page/table.js';
import { DARK, LIGHT } from './page/theme.js';
import type { Results } from './results.js';
import { type Section, sectionsOf, withoutFigure } from './sections.js';

const DATA_ID = 'data';

/** `library`: the source of ECharts. */
export function html(results: Results, library: string = readECharts()): string {
  const looks = looksOf(results);
  const sections = sectionsOf(results, looks);
  const scripts = [library, pageScript(DATA_ID)].map(inScript);
  const title = 'ringwal: group size versus latency';
  const content = [
    top(results),
    facts(headlines(results, looks)),
    '</header>',
    contents(sections, results),
    '<main>',
    ...sections.map((section) => sectionHtml(section, results)),
    barsSection(results),
    otherNumbers(withoutFigure(results, sections), results),
    plainSection('systems', 'Systems', systemsTable(results, looks)),
    plainSection('machine', 'Machine', environmentTable(results)),
    plainSection('method', 'How it was measured', method(results)),
    '</main>',
    '<footer><p>Measured by <code>npm run bench</code> of ringwal, a durable write-ahead log for Node.js. Run it on your own disk: it is the only one that matters to you.</p></footer>',
  ];
  return `<!doctype html>
<html lang="en" data-theme="auto">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy([THEME_SCRIPT, ...scripts])}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${STYLE}</style>
<script>${THEME_SCRIPT}</script>
</head>
<body>
${content.join('\n')}
<script type="application/json" id="${DATA_ID}">${JSON.stringify(dataOf(sections, results)).replaceAll('<', '\\u003c')}</script>
${scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body>
</html>
`;
}

function readECharts(): string {
  return readFileSync(createRequire(import.meta.url).resolve('echarts/dist/echarts.min.js'), 'utf8');
}

/** Nothing in a script may end it: in its strings "\\u003c" is the same as "<". */
function inScript(text: string): string {
  return text.replace(/<(?=\/script|!--)/gi, '\\u003c');
}

/** Only the scripts of the page itself may run, by their hashes, and none may talk to anybody. */
function policy(scripts: readonly string[]): string {
  const hashes = scripts.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  return `default-src 'none'; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'`;
}

function dataOf(sections: readonly Section[], results: Results): PageData {
  const figures = sections.map(({ figure }) => [
    figure.id,
    figure.views.map(({ panels }) => panels.map(({ option }) => option)),
  ]);
  const hidden = [...looksOf(results).values()].filter(({ isHidden }) => isHidden).map(({ name }) => name);
  return { light: LIGHT, dark: DARK, figures: Object.fromEntries(figures), hidden };
}

function top(results: Results): string {
  const { environment, date, seconds, isQuick } = results;
  const minutes = seconds < 90 ? `${Math.round(seconds)} seconds` : `${Math.round(seconds / 60)} minutes`;
  const notice = isQuick
    ? '<p class="notice">This was a quick run: few and short rounds. Take its curves for a first look, and run the whole bench for figures to quote.</p>'
    : '';
  return `<header class="top">
<div class="line"><span class="mark">ringwal</span>${themeChoice()}</div>
<h1>Group size versus latency</h1>
<p class="lead">A log that makes many records durable with one sync is fast; a record that waits for company is late. This page measures both sides of that bargain: for ringwal, a durable group-commit write-ahead log for Node.js, and for the stores that Node services use today, on one disk, with one harness, at equal durability.</p>
<p class="run">${escapeText(dateText(date))} · ${escapeText(environment.cpu)}, ${environment.cores} cores · ${escapeText(environment.fileSystem.split(' (')[0] ?? '')} · Node ${escapeText(environment.node.replace(/^v/, ''))} · ${escapeText(environment.kernel)} · ${minutes}</p>
${notice}`;
}

/** An instant to the minute; anything else as it is. */
function dateText(date: string): string {
  return date.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*Z$/, '$1 $2 UTC');
}

function themeChoice(): string {
  const choices = ['auto', 'light', 'dark'].map(
    (name) =>
      `<label><input type="radio" name="theme" value="${name}"${name === 'auto' ? ' checked' : ''}><span>${name}</span></label>`,
  );
  return `<fieldset class="views theme"><legend class="unseen">Colours</legend>${choices.join('')}</fieldset>`;
}

function facts(shown: readonly Headline[]): string {
  if (shown.length === 0) return '';
  return `<div class="facts">${shown.map(fact).join('')}</div>`;
}

function fact({ inFlight, rate, p50Us, groupRecords, best, yardstick }: Headline): string {
  const row = (term: string, text: string): string =>
    `<dt>${escapeText(term)}</dt><dd>${escapeText(text)}</dd>`;
  const rows = [
    best === undefined ? '' : row(times(best.ratio.mid), `${best.name}, the fastest peer as durable`),
    yardstick === undefined ? '' : row(times(yardstick.mid), 'the ten-line group commit'),
    row(
      us(p50Us),
      `median latency${groupRecords === undefined ? '' : `, in groups of ${count(groupRecords)}`}`,
    ),
  ];
  return `<div class="fact"><h3>${whole(inFlight)} in flight</h3><p class="big">${count(rate.mid)}<span>records/s</span></p><dl>${rows.join('')}</dl></div>`;
}

function contents(sections: readonly Section[], { bars }: Results): string {
  const links = [
    ...sections.map(({ figure }) => [figure.id, figure.short ?? figure.title]),
    ...(bars.length > 0 ? [['bars', 'Bars']] : []),
    ['systems', 'Systems'],
    ['machine', 'Machine'],
    ['method', 'Method'],
  ];
  const items = links.map(([id, title]) => `<li><a href="#${id}">${title}</a></li>`);
  return `<nav class="contents" aria-label="Contents"><ul>${items.join('')}</ul></nav>`;
}

function sectionHtml({ figure, looks, finding, numbersOf }: Section, results: Results): string {
  const cells = numbersOf === undefined ? undefined : results.scenarios[numbersOf];
  const body = [
    `<p>${escapeText(figure.text)}</p>`,
    finding === undefined ? '' : `<p class="finding">${escapeText(finding)}</p>`,
    figureHtml(figure, looks),
    cells === undefined || numbersOf === undefined
      ? ''
      : foldedTable(numbersTable(numbersOf, cells, results), `ringwal-bench-${numbersOf}`),
  ];
  return plainSection(figure.id, figure.title, body.join('\n'));
}

function barsSection(results: Results): string {
  const { bars } = results;
  if (bars.length === 0) return '';
  const text = `${barsSentence(bars)} A bar is a ratio within this run, to ${ownName(results) ?? 'ringwal'}’s rivals or to what the disk allows. Dots are rounds, the upright their median; right of the line is past the bar, up to twice as good. Where even the bare disk could not pass a bar, its limit is the dotted upright, and 0.95 of it is asked for.`;
  return plainSection('bars', 'Speed bars', `<p>${escapeText(text)}</p>${barsTable(bars)}`);
}

function otherNumbers(names: readonly string[], results: Results): string {
  if (names.length === 0) return '';
  const tables = names.map((name) => {
    const folded = foldedTable(
      numbersTable(name, results.scenarios[name] ?? [], results),
      `ringwal-bench-${name}`,
      `Scenario “${name}”`,
    );
    return folded;
  });
  return plainSection('others', 'Other scenarios', tables.join('\n'));
}

function plainSection(id: string, title: string, body: string): string {
  return `<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${escapeText(title)}</h2>\n${body}</section>`;
}
