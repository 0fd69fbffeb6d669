/** report-figures: what a report says of its rounds is what they were: medians, ratios, scales, verdicts, curves. */
import { describe, expect, it } from 'vitest';
import { producers } from '../../bench/report/charts/along.js';
import { canNotKeepUp, offeredRate } from '../../bench/report/charts/open.js';
import { logExtent, logTicks } from '../../bench/report/charts/option.js';
import { curvePoints } from '../../bench/report/charts/percentiles.js';
import { recovery } from '../../bench/report/charts/ranked.js';
import { rotation } from '../../bench/report/charts/rotation.js';
import { closedWithFloor } from '../../bench/report/floor.js';
import { headlines, inFlightToShow } from '../../bench/report/headline.js';
import { looksOf } from '../../bench/report/looks.js';
import { bytes, count, percentile, us, whole } from '../../bench/report/page/formats.js';
import type { Bar, Cell } from '../../bench/report/results.js';
import { middleRound, ratioOf, spreadOf, spreadOfValues } from '../../bench/report/spread.js';
import { verdictOf } from '../../bench/report/verdict.js';
import { must } from '../support/must.js';
import { exampleResults } from './example-results.js';

const results = exampleResults(3);
const [first] = results.scenarios.closed ?? [];
const round = must(first?.rounds[0]);

function cell(rates: readonly number[], at: Cell['at'] = {}, system = 'ringwal'): Cell {
  return { system, at, rounds: rates.map((recordsPerSecond) => ({ ...round, recordsPerSecond })) };
}

describe('rounds', () => {
  it('are their median, with the least and the greatest; what no round can tell is nothing', () => {
    expect(spreadOf(cell([30, 10, 20]).rounds, (one) => one.recordsPerSecond)).toEqual({
      mid: 20,
      low: 10,
      high: 30,
    });
    expect(spreadOfValues([undefined, 4, Number.NaN, 2])).toEqual({ mid: 3, low: 2, high: 4 });
    expect(spreadOfValues([undefined])).toBeUndefined();
  });

  it('are divided round by round, and by medians when one system lacks rounds', () => {
    const rate = (one: { recordsPerSecond: number }) => one.recordsPerSecond;
    expect(ratioOf(cell([10, 40, 90]), cell([10, 20, 30]), rate)).toEqual({ mid: 2, low: 1, high: 3 });
    expect(ratioOf(cell([10, 40, 90]), cell([10, 20]), rate)?.mid).toBe(40 / 15);
  });

  it('have a middle one, whose curve is shown', () => {
    expect(middleRound(cell([30, 10, 20]).rounds, (one) => one.recordsPerSecond)?.recordsPerSecond).toBe(20);
    expect(middleRound([], (one) => one.recordsPerSecond)).toBeUndefined();
  });
});

it.each<[Partial<Bar>, string]>([
  [{ must: { atLeast: 2 }, ratios: [1.9, 2.1, 2] }, 'met'],
  [{ must: { atLeast: 2 }, ratios: [1.9, 2.1, 1.9] }, 'missed'],
  [{ must: { atMost: 1.1 }, ratios: [1.1] }, 'met'],
  [{ must: { atMost: 1.1 }, ratios: [1.2] }, 'missed'],
  [{ must: { atLeast: 2 }, ratios: [1.43], limit: 1.5 }, 'at the limit'],
  [{ must: { atLeast: 2 }, ratios: [1.42], limit: 1.5 }, 'missed'],
  [{ must: { atMost: 1.1 }, ratios: [1.26], limit: 1.2 }, 'at the limit'],
  [{ must: { atMost: 1.1 }, ratios: [1.27], limit: 1.2 }, 'missed'],
  [{ must: { atLeast: 2 }, ratios: [1.9], limit: 3 }, 'missed'],
  [{ must: { atLeast: 2 }, ratios: [] }, 'not measured'],
])('the bar %j is %s', (bar, verdict) => {
  expect(verdictOf({ bar: '', where: '', ratios: [], must: { atLeast: 1 }, ...bar })).toBe(verdict);
});

describe('a logarithmic axis', () => {
  it('holds its values with room on both sides, and at least a factor of four of them', () => {
    for (const values of [[1, 16_384], [7], [90, 110], [0.001, 5e9]]) {
      const [min, max] = logExtent(values);
      expect(min).toBeLessThan(Math.min(...values));
      expect(max).toBeGreaterThan(Math.max(...values));
      expect(max / min).toBeGreaterThanOrEqual(4);
    }
    expect(logExtent([0, -1, Number.NaN])).toEqual([1, 10]);
  });

  it('has labels at powers of ten, and at 1, 2, 5 where those would be few', () => {
    expect(logTicks(0.8, 20_000, 3)).toEqual([1, 10, 100, 1000, 10_000]);
    expect(logTicks(80, 300, 2)).toEqual([100, 200]);
    expect(logTicks(3, 60, 2)).toEqual([5, 10, 20, 50]);
  });
});

it('numbers have a unit, and the next one from where they would be written as a thousand', () => {
  expect([0, 0.84, 999.4, 999.6, 1234, 2_500_000].map(us)).toEqual([
    '0',
    '0.84 µs',
    '999 µs',
    '1 ms',
    '1.23 ms',
    '2.5 s',
  ]);
  expect([7, 1234, 12_345, 999_999, 1_234_567].map(count)).toEqual([
    '7',
    '1\u202f230',
    '12.3 k',
    '1 M',
    '1.23 M',
  ]);
  expect([16, 1024, 262_144, 2 ** 20].map(bytes)).toEqual(['16 B', '1 KiB', '256 KiB', '1 MiB']);
  expect([1, 2, 100, 1000, 100_000].map(percentile)).toEqual(['0 %', '50 %', '99 %', '99.9 %', '99.999 %']);
  expect([1, 16_384, 1_000_000].map(whole)).toEqual(['1', '16\u202f384', '1\u202f000\u202f000']);
});

describe('an open loop', () => {
  it('is at the rate that was offered, also where only its share of the highest is told', () => {
    expect(offeredRate(cell([900], { load: 0.5, perSecond: 1000 }), 4000)).toBe(1000);
    expect(offeredRate(cell([900], { load: 0.5 }), 4000)).toBe(2000);
    expect(offeredRate(cell([900, 800, 1000]), undefined)).toBe(900);
  });

  it('can’t be kept up with when more than a few appends are left over, in most rounds', () => {
    const left = (...backlogs: number[]): Cell => ({
      ...cell([]),
      rounds: backlogs.map((backlog) => ({ ...round, records: 1000, backlog })),
    });
    expect(canNotKeepUp(left(5, 5, 500))).toBe(false);
    expect(canNotKeepUp(left(5, 500, 500))).toBe(true);
    expect(canNotKeepUp(cell([1]))).toBe(false);
  });
});

it('a curve ends where there were too few appends to tell, keeps both its ends, and has few points', () => {
  const curve = Array.from({ length: 1000 }, (_, i): [number, number] => [
    100 * (1 - 10 ** (-i / 200)),
    100 + i,
  ]);
  const of = (records: number) =>
    curvePoints({ ...cell([]), rounds: [{ ...round, records, latency: { ...round.latency, curve } }] });
  expect(of(100).at(-1)?.x).toBeLessThanOrEqual(100);
  const whole = of(1e9);
  expect(whole.length).toBeLessThanOrEqual(50);
  expect([whole[0]?.y.mid, whole.at(-1)?.y.mid]).toEqual([100, 1099]);
});

describe('the headline', () => {
  it('is of 1, 100 and 10 000 in flight, or of what there is', () => {
    const at = (...values: number[]) => values.map((inFlight) => cell([1], { inFlight }));
    expect(inFlightToShow(at(1, 10, 100, 10_000))).toEqual([1, 100, 10_000]);
    expect(inFlightToShow(at(3, 30, 300))).toEqual([3, 30, 300]);
    expect(inFlightToShow(at(5))).toEqual([5]);
    expect(inFlightToShow([])).toEqual([]);
  });

  it('compares with the fastest peer that is as durable, not with one that promises less or a limit', () => {
    const closed = results.systems.map(({ name }, i) => cell([1000 * (i + 1)], { inFlight: 1 }, name));
    const peers = results.systems.filter(
      ({ role, syncs }) => role === 'peer' && syncs?.syncs === syncs?.appends,
    );
    const fastest = must(peers.at(-1));
    const [shown] = headlines({ ...results, scenarios: { closed } }, looksOf(results));
    const rateOf = (name: string): number =>
      1000 * (results.systems.findIndex((system) => system.name === name) + 1);
    expect(shown?.best?.name).toBe(fastest.name);
    expect(shown?.best?.ratio.mid).toBe(rateOf('ringwal') / rateOf(fastest.name));
  });
});

it('the floor is a line of groups: each of its writes stands for all records in flight', () => {
  const limits = [cell([9000], { inFlight: 100 }, 'raw floor'), cell([1], { inFlight: 100 })];
  const closed = [cell([9500], { inFlight: 1 }, 'raw floor'), cell([8000], { inFlight: 1 })];
  const cells = closedWithFloor({ ...results, scenarios: { closed, limits } });
  expect(cells.map(({ system }) => system)).toEqual(['ringwal', 'raw floor']);
  const [floor] = must(cells[1]).rounds;
  expect(floor).toMatchObject({ recordsPerSecond: 900_000, groupRecords: 100, latency: round.latency });
  expect(floor?.appCpuUs).toBe(must(round.appCpuUs) / 100);
  expect(closedWithFloor({ ...results, scenarios: { limits } })).toEqual([]);
  expect(closedWithFloor({ ...results, scenarios: { closed } })).toEqual(closed);
});

it('threads have a line for as many in flight each, and one for as many in all; both begin with one thread', () => {
  const cells = [
    [1, 1000],
    [4, 250],
    [4, 1000],
    [3, 334],
  ].map(([threads = 0, inFlightEach = 0]) => cell([threads * inFlightEach], { threads, inFlightEach }));
  const { systems, views } = producers(cells, looksOf(results));
  expect(systems).toEqual(['ringwal, 1\u202f000 in flight each', 'ringwal, 1\u202f000 in all']);
  const { series } = views[0]?.panels[0]?.option as { series: { data: { value: number[] }[] }[] };
  expect(series.map(({ data }) => data.map(({ value }) => value))).toEqual([
    [
      [1, 1000],
      [4, 4000],
    ],
    [
      [1, 1000],
      [3, 1002],
      [4, 1000],
    ],
  ]);
});

it('a task on a log is told in bytes a second, or in time where no bytes were counted', () => {
  const done = (what: string, bytesPerSecond: number): Cell => ({
    ...{ system: 'ringwal', at: { what } },
    rounds: [{ ...round, bytesPerSecond, seconds: 0.25 }],
  });
  const panels = recovery([done('open', 0), done('read', 2e9)], looksOf(results))?.views[0]?.panels;
  expect(panels?.map(({ label }) => label)).toEqual(['bytes/s. read: 2 GB/s', 'time. open: 250 ms']);
});

it('no two systems look alike but by what they are: the accent is of one, variants share a colour', () => {
  const looks = [...looksOf(results).values()];
  expect(looks.filter(({ colour }) => colour === 'accent').map(({ name }) => name)).toEqual(['ringwal']);
  const signs = looks.map(({ colour, mark, isHollow, dash }) => [colour, mark, isHollow, dash].join(' '));
  expect(new Set(signs).size).toBe(signs.length);
  const lmdb = looks.filter(({ name }) => name.startsWith('lmdb'));
  expect(new Set(lmdb.map(({ colour }) => colour)).size).toBe(1);
  expect(looks.filter(({ group }) => group === 'weaker').every(({ dash }) => dash === 'dashed')).toBe(true);
  expect(looksOf(results).get('no durability')?.group).toBe('limit');
});

it('a timeline has an upright where the first record in each new segment became durable', () => {
  const figure = must(rotation(results.scenarios.rotation ?? []));
  const [often, hardly] = must(figure.views[0]).panels.map((panel) => JSON.stringify(panel.option));
  expect(often).toContain('"data":[{"xAxis":55},{"xAxis":110}');
  expect(hardly).toContain('"data":[{"xAxis":4000}]');
});
