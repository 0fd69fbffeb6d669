/** observability-docs: docs/OBSERVABILITY.md names every metric that is exported, and no other. */
import { readFileSync } from 'node:fs';
import type { Meter } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { Registry } from 'prom-client';
import { expect, it, onTestFinished } from 'vitest';
import { type Log, openLog } from '../../dist/src/index.js';
import { observeLog } from '../../dist/src/opentelemetry/index.js';
import { collectMetrics } from '../../dist/src/prometheus/index.js';
import { tempDir } from '../support/temp-dir.js';
import { parseExposition } from './exposition.js';

const text = readFileSync(new URL('../../docs/OBSERVABILITY.md', import.meta.url), 'utf8');
const section = (title: string): string =>
  text.split(/^#{2,3} /m).find((part) => part.startsWith(title)) ?? '';
/** The first cells of a section's tables, each with the second one. */
const rows = (title: string): [string, string][] =>
  [...section(title).matchAll(/^\| (`ringwal[^|]*) \| ([^|]*) \|/gm)].flatMap(([, names = '', kind = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']): [string, string] => [name, kind]),
  );

async function opened(): Promise<Log> {
  const log = await openLog(tempDir(), { segmentBytes: 65_536, ringBytes: 32_768 });
  onTestFinished(() => log.close());
  return log;
}

it('has all metrics of the collector, with their types', async () => {
  const log = await opened();
  const registry = new Registry();
  collectMetrics(log, { registry });
  const families = parseExposition(await registry.metrics());
  expect(rows('Metrics')).toEqual([...families.values()].map(({ name, type }) => [name, type]));
});

it('alerts on metrics that there are', async () => {
  const log = await opened();
  const registry = new Registry();
  collectMetrics(log, { registry });
  const families = parseExposition(await registry.metrics());
  const series = [...families.values()].flatMap((family) => family.series.map(({ name }) => name));
  const used = [...section('Metrics').matchAll(/^ +expr: (.*)$/gm)].flatMap(
    ([, expr = '']) => expr.match(/ringwal_\w+/g) ?? [],
  );
  expect(used.length).toBeGreaterThan(5);
  expect(used.filter((name) => !series.includes(name))).toEqual([]);
});

it('has all instruments, with their kinds and units', async () => {
  const made: string[][] = [];
  const meter = new MeterProvider().getMeter('test');
  const kinds: Partial<Record<keyof Meter, string>> = {
    createObservableCounter: 'counter',
    createObservableUpDownCounter: 'up-down counter',
    createObservableGauge: 'gauge',
    createHistogram: 'histogram',
  };
  const noting = new Proxy(meter, {
    get(target, key: keyof Meter) {
      const kind = kinds[key];
      if (kind !== undefined)
        return (name: string, options: { unit: string }) => {
          made.push([name, kind, options.unit]);
          return (target[key] as (name: string, options: unknown) => unknown).call(target, name, options);
        };
      return target[key].bind(target);
    },
  });
  using _ = observeLog(await opened(), noting);
  const told = [
    ...section('OpenTelemetry').matchAll(/^\| (`ringwal[^|]*) \| ([^|]*) \| `([^|]*)` \|/gm),
  ].flatMap(([, names = '', kind = '', unit = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => [name, kind, unit]),
  );
  expect(told.sort()).toEqual(made.sort());
});

it('has all channels', () => {
  const source = readFileSync(new URL('../../src/diagnostics.ts', import.meta.url), 'utf8');
  const channels = [...source.matchAll(/channel\('(ringwal:\w+)'\)/g)].map(([, name = '']) => name);
  expect(channels.length).toBeGreaterThan(5);
  expect(
    rows('Diagnostics channels')
      .map(([name]) => name)
      .sort(),
  ).toEqual(channels.sort());
});
