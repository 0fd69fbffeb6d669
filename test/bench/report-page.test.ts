/** report-page: the page of a run of the bench is whole, needs nothing else, and takes no name for markup. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { runInNewContext, Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { html } from '../../bench/report/html.js';
import type { PageData } from '../../bench/report/page/client.js';
import type { Results } from '../../bench/report/results.js';
import { exampleResults } from './example-results.js';
import { htmlErrors } from './html-errors.js';

/** In place of ECharts, whose package is a dependency of the bench only. */
const LIBRARY = 'globalThis.echarts = {};';
const results = exampleResults(1);
const page = html(results, LIBRARY);

const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  closed: ['group-size', 'throughput', 'latency-throughput', 'percentiles', 'cpu'],
  open: ['open-loop'],
  ...Object.fromEntries(
    ['windows', 'rotation', 'sizes', 'bulk', 'producers', 'http', 'recovery'].map((name) => [name, [name]]),
  ),
  // No figure of their own.
  limits: [],
  memory: [],
};

function scriptsOf(text: string): string[] {
  return [...text.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script = '']) => script);
}

function dataOf(text: string): PageData {
  const [, json = ''] = /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(text) ?? [];
  return JSON.parse(json) as PageData;
}

it('is well-formed, with unique ids and no link into nothing', () => {
  expect(htmlErrors(page)).toEqual([]);
});

it('has a section for each scenario, with charts in every panel of every view', () => {
  expect(Object.keys(SECTIONS).sort()).toEqual(Object.keys(results.scenarios).sort());
  const { figures } = dataOf(page);
  for (const id of Object.values(SECTIONS).flat()) {
    const [, section = ''] = new RegExp(`<section id="${id}"([\\s\\S]*?)</section>`).exec(page) ?? [];
    const places = section.match(/class="panel"/g)?.length ?? 0;
    expect(places, id).toBeGreaterThan(0);
    for (const panels of figures[id] ?? [[]]) {
      expect(panels, id).toHaveLength(places);
      for (const { series } of panels as { series: { data: unknown[] }[] }[]) {
        expect(series.flatMap(({ data }) => data).length, id).toBeGreaterThan(0);
      }
    }
  }
});

it.each(Object.keys(SECTIONS))('has no section for the scenario %s when it was not run', (name) => {
  const { [name]: _, ...scenarios } = results.scenarios;
  const without = html({ ...results, scenarios }, LIBRARY);
  expect(htmlErrors(without)).toEqual([]);
  for (const [other, ids] of Object.entries(SECTIONS)) {
    for (const id of ids) expect(without.includes(`<section id="${id}"`), id).toBe(other !== name);
  }
});

it('is a page also of a run that measured nothing', () => {
  const nothing: Results = { ...results, systems: [], scenarios: {}, bars: [] };
  expect(htmlErrors(html(nothing, LIBRARY))).toEqual([]);
});

it('asks nobody for anything: no address but places within it, and a policy that forbids the rest', () => {
  expect(page).not.toMatch(/https?:|\Wurl\(|@import|\ssrc=/i);
  const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, link = '']) => link);
  expect(links.filter((link) => !link.startsWith('#'))).toEqual([]);
  const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
  expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-/);
  expect(policy).not.toContain('connect-src');
  for (const script of scriptsOf(page)) {
    expect(policy).toContain(`'sha256-${createHash('sha256').update(script).digest('base64')}'`);
  }
});

it('has scripts that parse, and functions that need nothing but each other', () => {
  const scripts = scriptsOf(page);
  expect(scripts).toHaveLength(3);
  for (const script of scripts) expect(() => new Script(script)).not.toThrow();
  const own = scripts.at(-1) ?? '';
  const ask = own.replace(
    /^startPage\(.*$/m,
    'return [us(1234), tipItem(hovered), dress(["$us", "$ink"], { us })];',
  );
  const hovered = {
    seriesName: 'a<b',
    marker: '',
    data: { value: [1, 2], where: '"x"', rows: [['p50', '1 µs']] },
  };
  const [time, tip, [dressed, unknown]] = runInNewContext(ask.replace(';\n})();', ';\n})()'), {
    hovered,
  }) as [string, string, [(value: number) => string, string]];
  expect(time).toBe('1.23 ms');
  expect(tip).toContain('<b>a&#60;b</b><i>&#34;x&#34;</i>');
  expect(dressed(5)).toBe('5 µs');
  expect(unknown).toBe('$ink');
});

describe('a name that looks like markup', () => {
  const name = '</script><script>alert(1)</script>"\'&<!--';
  const renamed = JSON.parse(JSON.stringify(results).replaceAll('"lmdb"', JSON.stringify(name))) as Results;
  const text = html(renamed, LIBRARY);

  it('is shown as it is, and ends no element', () => {
    expect(htmlErrors(text)).toEqual([]);
    expect(text).not.toContain('<script>alert');
    expect(text).toContain('&#60;/script&#62;&#60;script&#62;alert(1)');
    expect(scriptsOf(text)).toHaveLength(3);
  });

  it('reaches the charts unchanged', () => {
    const [[panel] = []] = dataOf(text).figures.throughput ?? [];
    const { series } = panel as { series: { name: string }[] };
    expect(series.map((one) => one.name)).toContain(name);
  });
});

it('marks a system with fewer syncs than appends, sets it apart, and takes no ratio to it', () => {
  const unsynced = results.systems.map((system) =>
    system.role === 'peer' && system.name !== 'lmdb'
      ? { ...system, syncs: { appends: 200, syncs: 3 } }
      : system,
  );
  const text = html({ ...results, systems: unsynced }, LIBRARY);
  const marked = unsynced.filter(({ syncs }) => syncs !== undefined && syncs.syncs < syncs.appends);
  expect(marked.length).toBeGreaterThan(7);
  expect(text.match(/does not sync<\/span>/g)).toHaveLength(marked.length);
  expect(text.match(/<dd>([^<]*), the fastest peer as durable/g)).toEqual(
    Array.from({ length: 3 }, () => '<dd>lmdb, the fastest peer as durable'),
  );
});

it('tells every figure as text too: a row for each cell', () => {
  for (const [name, cells] of Object.entries(results.scenarios)) {
    const [, table = ''] = new RegExp(`<caption>Scenario “${name}”([\\s\\S]*?)</table>`).exec(page) ?? [];
    expect(table.match(/<th scope="row">/g), name).toHaveLength(cells.length);
  }
});

it('leaves out of its logarithmic charts what is nothing there: a round, or a system, without one append', () => {
  const closed = (results.scenarios.closed ?? []).map((cell) => ({
    ...cell,
    rounds: cell.rounds.map((round, i) => {
      const isNothing = cell.system === 'Redis' || (cell.system === 'lmdb' && i === 0);
      const latency = { p50Us: 0, p90Us: 0, p99Us: 0, p999Us: 0, maxUs: 0, curve: [] };
      return isNothing ? { ...round, records: 0, recordsPerSecond: 0, bytesPerSecond: 0, latency } : round;
    }),
  }));
  const { figures } = dataOf(html({ ...results, scenarios: { closed } }, LIBRARY));
  const [[panel] = []] = figures.throughput ?? [];
  const { series } = panel as { series: { name: string; data: ({ value: number[] } | number[])[] }[] };
  expect(series.map(({ name }) => name)).toContain('lmdb');
  expect(series.map(({ name }) => name)).not.toContain('Redis');
  const values = series.flatMap(({ data }) => data.flatMap((one) => ('value' in one ? one.value : one)));
  expect(values.filter((value) => !(value > 0))).toEqual([]);
});

it('stays small without the library, and the same for the same run', () => {
  expect(page.length).toBeLessThan(1_500_000);
  expect(html(exampleResults(1), LIBRARY)).toBe(page);
});

it('draws the pictures of the README, light and dark, as XML that refers to nothing', async () => {
  const resolve = createRequire(new URL('../../bench/package.json', import.meta.url)).resolve;
  try {
    resolve('echarts');
  } catch {
    return console.log('not run: echarts is not installed (npm ci in bench)');
  }
  const path = new URL('../../bench/report/svg.ts', import.meta.url).href;
  const { pictures } = (await import(path)) as { pictures(results: Results): Record<string, string> };
  const drawn = pictures(results);
  expect(Object.keys(drawn)).toEqual(['group-size-light', 'group-size-dark']);
  for (const svg of Object.values(drawn)) {
    expect(htmlErrors(svg)).toEqual([]);
    expect(svg.replaceAll(/xmlns(:\w+)?="[^"]*"/g, '')).not.toMatch(/https?:|NaN|undefined|"\$/);
    expect(svg.length).toBeLessThan(200_000);
  }
});
