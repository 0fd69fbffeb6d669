/** grafana: the dashboard asks for what the collector exports, and is whole as Grafana wants it. */
import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { expect, it, onTestFinished } from 'vitest';
import { openLog } from '../../dist/src/index.js';
import { collectMetrics } from '../../dist/src/prometheus/index.js';
import { tempDir } from '../support/temp-dir.js';
import { parseExposition } from './exposition.js';

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
}
interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}
interface Dashboard {
  readonly id: null;
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly annotations: { readonly list: readonly { readonly expr?: string }[] };
  readonly time: { readonly from: string; readonly to: string };
  readonly __requires: readonly { readonly type: string; readonly id: string }[];
}

const text = readFileSync(new URL('../../dashboards/grafana.json', import.meta.url), 'utf8');
const dashboard = JSON.parse(text) as Dashboard;
const targets = dashboard.panels.flatMap((panel) => panel.targets ?? []);
const queries = [
  ...targets.map(({ expr }) => expr),
  ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
  ...dashboard.annotations.list.flatMap(({ expr }) => expr ?? []),
];

it('asks only for series and labels that the collector exports, and leaves no metric out', async () => {
  const log = await openLog(tempDir(), { segmentBytes: 65_536, ringBytes: 32_768 });
  onTestFinished(() => log.close());
  const registry = new Registry();
  collectMetrics(log, { registry });
  const families = parseExposition(await registry.metrics());
  const series = new Set([...families.values()].flatMap((family) => family.series.map(({ name }) => name)));
  const asked = new Set(queries.flatMap((query) => query.match(/\bringwal_\w+/g) ?? []));
  expect([...asked].filter((name) => !series.has(name))).toEqual([]);
  expect(asked.size).toBeGreaterThan(20);
  const shown = (family: string): boolean => [...asked].some((name) => name.startsWith(family));
  expect([...families.keys()].filter((family) => !shown(family))).toEqual([]);
  // `instance` is Prometheus' own; the collector gives the rest.
  const labels = new Set(
    [...families.values()].flatMap((family) => family.series.flatMap((one) => Object.keys(one.labels))),
  );
  const named = queries.flatMap((query) => [...query.matchAll(/(\w+)=~?"/g)].map(([, label = '']) => label));
  expect(named.filter((label) => label !== 'instance' && !labels.has(label))).toEqual([]);
});

it('has counters and histograms in rates only, whatever else is done with them', () => {
  for (const { expr } of targets) {
    for (const [whole] of expr.matchAll(/\b(\w+\()?ringwal_\w+_(total|bucket|sum|count)\b/g)) {
      // How many have failed since the log was opened is asked for as it is: one is the end.
      if (!whole.endsWith('io_errors_total')) expect(whole, expr).toMatch(/^(rate|increase)\(/);
    }
  }
});

it('asks the chosen data source, for the chosen logs', () => {
  const { list } = dashboard.templating;
  expect(list.map(({ name, type }) => [name, type])).toEqual([
    ['datasource', 'datasource'],
    ['instance', 'query'],
    ['log', 'query'],
  ]);
  for (const { expr, datasource } of targets) {
    expect(datasource).toEqual({ type: 'prometheus', uid: `$${'{datasource}'}` });
    const selectors = expr.match(/ringwal_\w+\{[^}]*\}/g) ?? [];
    expect(selectors.length).toBe(expr.match(/ringwal_\w+/g)?.length);
    for (const selector of selectors) expect(selector).toContain('instance=~"$instance", log=~"$log"');
  }
  const used = new Set([...text.matchAll(/\$\{?(\w+)\}?/g)].map(([, name = '']) => name));
  expect([...used].filter((name) => !name.startsWith('__')).sort()).toEqual(
    list.map(({ name }) => name).sort(),
  );
});

it('has what an import needs: ids, a place for each panel that no other has, and units', () => {
  expect(dashboard).toMatchObject({ id: null, uid: 'ringwal', title: 'ringwal' });
  expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39); // Grafana 11
  const { panels } = dashboard;
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = new Set<string>();
  for (const { title, type, gridPos, targets: own = [], fieldConfig } of panels) {
    const { x, y, w, h } = gridPos;
    expect(x + w, title).toBeLessThanOrEqual(24);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        expect(cells.has(`${column} ${line}`), `${title} on another panel`).toBe(false);
        cells.add(`${column} ${line}`);
      }
    }
    if (type === 'row') continue;
    expect(own.length, title).toBeGreaterThan(0);
    expect(new Set(own.map(({ refId }) => refId)).size, title).toBe(own.length);
    expect(fieldConfig?.defaults.unit, title).toMatch(/\w/);
    expect(dashboard.__requires, title).toContainEqual(expect.objectContaining({ type: 'panel', id: type }));
  }
  expect(panels.map(({ type }) => type)).toContain('heatmap');
});
