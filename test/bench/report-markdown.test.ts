/** report-markdown: the tables for the docs say of each bar and each peer what its rounds were. */
import { expect, it } from 'vitest';
import { markdown } from '../../bench/report/markdown.js';
import type { Results } from '../../bench/report/results.js';
import { must } from '../support/must.js';
import { exampleResults } from './example-results.js';

const example = exampleResults(5);
const first = must(example.scenarios.closed?.[0]?.rounds[0]);

function closed(rates: Readonly<Record<string, readonly number[]>>): Results['scenarios'] {
  return {
    closed: Object.entries(rates).map(([system, rounds]) => ({
      system,
      at: { inFlight: 100 },
      rounds: rounds.map((recordsPerSecond) => ({ ...first, recordsPerSecond })),
    })),
  };
}

it('each bar is a line with what is asked, the median and spread, the limit, and what came of it', () => {
  const bars: Results['bars'] = [
    { bar: 'one', where: '1 in flight', ratios: [1, 3, 2], must: { atLeast: 1.5 }, limit: 4 },
    { bar: 'other', where: 'bursts', ratios: [1.25], must: { atMost: 1.1 } },
    { bar: 'third', where: 'here', ratios: [0.5], must: { atLeast: 2 }, limit: 1 },
  ];
  expect(markdown({ ...example, scenarios: {}, bars }).split('\n')).toEqual([
    '| bar | where | must | measured | limit |  |',
    '| --- | --- | ---: | ---: | ---: | --- |',
    '| one | 1 in flight | >= 1.5 | 2.00 [1.00..3.00] | 4.00 | met |',
    '| other | bursts | <= 1.1 | 1.25 [1.25..1.25] |  | missed |',
    '| third | here | >= 2 | 0.50 [0.50..0.50] | 1.00 | beyond the limit; 0.95 of it missed |',
    '',
  ]);
});

it('each peer that syncs is a line with the ratios of the rounds; those that were not measured are none', () => {
  const rates = {
    ringwal: [40, 90, 3000],
    yardstick: [20, 30, 20],
    'better-sqlite3, per turn': [10, 10, 10],
  };
  const table = markdown({ ...example, bars: [], scenarios: closed({ ...rates, 'raw floor': [1, 1, 1] }) });
  const lines = table.trim().split('\n');
  expect(lines.slice(0, 2)).toEqual(['|  | 100 |', '| --- | ---: |']);
  expect(new Set(lines.slice(2))).toEqual(
    new Set(['| yardstick | 3.00 [2.00..150] |', '| better-sqlite3, per turn | 9.00 [4.00..300] |']),
  );
});

it('a run without bars and peers has no tables', () => {
  expect(markdown({ ...example, bars: [], scenarios: {} })).toBe('');
});
