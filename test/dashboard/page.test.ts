/** page: one page that is well-formed and needs nothing else, a policy for it alone, and the arithmetic of its script. */
import { createHash } from 'node:crypto';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Interval, intervalBetween } from '../../dist/src/dashboard/interval.js';
import { FIGURES_SCRIPT } from '../../dist/src/dashboard/page/figures-script.js';
import { PAGE, POLICY } from '../../dist/src/dashboard/page/page.js';
import { figuresOf } from '../../dist/src/dashboard/update.js';
import { htmlErrors } from '../bench/html-errors.js';
import { distribution, segment, statsOf } from './fake-log.js';

interface Script {
  count(value: number): string;
  whole(value: number): string;
  us(value: number): string;
  bytes(value: number): string;
  byteRate(value: number): string;
  meansOf(intervals: readonly Interval[]): Readonly<Record<string, number | null>>;
  recent(intervals: readonly Interval[], at: number, ms: number): Interval[];
  bucketsOf(intervals: readonly Interval[]): number[];
  boundOf(buckets: readonly number[], share: number): number | null;
  bucketRange(buckets: readonly number[]): [number, number];
  logEnds(values: readonly number[], decades: number): [number, number];
  logTicks(from: number, to: number, hasRoom: boolean): number[];
  logPlace(value: number, from: number, to: number, start: number, end: number): number;
  roundTop(value: number): number;
  runsOf(points: readonly { readonly at: number }[], pauseMs: number): { readonly at: number }[][];
  segmentText(row: readonly unknown[], capacity: number): string;
}

const names =
  'count whole us bytes byteRate meansOf recent bucketsOf boundOf bucketRange logEnds logTicks logPlace roundTop runsOf segmentText';
const page = runInNewContext(`${FIGURES_SCRIPT};({${names.split(' ').join(',')}})`) as Script;
/** Arrays of another context are not equal to ours. */
const own = <T>(value: T): T => structuredClone(value);

const looks = {
  before: {
    at: 1000,
    stats: statsOf({
      ...{ records: 100, bytes: 10_000, groups: 10 },
      ...{ waitUs: distribution([], 1000), syncUs: distribution([0, 0, 10], 30) },
    }),
    checkpointLsn: 0,
    segments: [],
  },
  after: {
    at: 1500,
    stats: statsOf({
      ...{ records: 300, bytes: 40_000, groups: 14, inFlight: 7, ringsUsedBytes: 1, ringsCapacityBytes: 4 },
      ...{ waitUs: distribution([], 1400), syncUs: distribution([0, 0, 10, 3, 2], 80) },
    }),
    checkpointLsn: 0,
    segments: [],
  },
};
const interval = intervalBetween(looks.before, looks.after);

it('is well-formed, with unique ids, and loads nothing', () => {
  expect(htmlErrors(PAGE)).toEqual([]);
  expect(PAGE).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  expect(PAGE).not.toMatch(/<(script|link|img)[^>]* (src|href)="(?!data:)/);
  expect(PAGE).not.toMatch(/<[^>]+ (style|on\w+)=/);
  expect(Buffer.byteLength(PAGE)).toBeLessThan(64 * 1024);
});

it('lets its own script and style run, by their hashes, and nothing else', () => {
  const hashes = [...PAGE.matchAll(/<(script|style)>([\s\S]*?)<\/\1>/g)].map(
    ([, kind, text = '']) => `${kind}-src 'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  );
  expect(hashes).toHaveLength(2);
  for (const hash of hashes) expect(POLICY.split('; ')).toContain(hash);
  expect(POLICY).not.toContain('unsafe');
});

it('has an element for every id that its script names', () => {
  const ids = [...PAGE.matchAll(/(?:set|element|time)\('([\w-]+)'/g)].map(([, id = '']) => id);
  expect(ids.length).toBeGreaterThan(25);
  for (const id of ids) expect(PAGE, id).toContain(` id="${id}"`);
});

describe('an interval', () => {
  it('is the difference of the counters', () => {
    expect(interval).toEqual({
      ...{
        at: 1500,
        seconds: 0.5,
        records: 200,
        bytes: 30_000,
        groups: 4,
        waitUs: 400,
        syncs: 5,
        syncUs: 50,
      },
      ...{ syncBuckets: [0, 0, 0, 3, 2], inFlight: 7, ringShare: 0.25 },
    });
  });

  it('has no buckets without syncs', () => {
    expect(intervalBetween(looks.after, { ...looks.after, at: 2000 }).syncBuckets).toEqual([]);
  });

  it('gives rates and means, also together with others', () => {
    expect(
      own(page.meansOf([interval, { ...interval, records: 0, bytes: 0, groups: 0, waitUs: 0 }])),
    ).toEqual({
      ...{ recordsPerSecond: 200, bytesPerSecond: 30_000, groupsPerSecond: 4 },
      ...{ groupRecords: 50, groupBytes: 7500, recordBytes: 150, waitUs: 100, syncUs: 10, latencyUs: 110 },
    });
  });

  it('gives no means of nothing', () => {
    for (const value of Object.values(page.meansOf([]))) expect(value).toBeNull();
  });

  it('is recent by its end', () => {
    expect(page.recent([interval], 2000, 501)).toHaveLength(1);
    expect(page.recent([interval], 2000, 500)).toHaveLength(0);
  });
});

it('adds sync times up by their powers of two, and says which of them a share is within', () => {
  const buckets = page.bucketsOf([interval, { ...interval, syncBuckets: [1] }]);
  expect(own(buckets)).toEqual([1, 0, 0, 3, 2]);
  expect([0.5, 0.7, 0.99].map((share) => page.boundOf(buckets, share))).toEqual([8, 16, 16]);
  expect(page.boundOf([], 0.5)).toBeNull();
});

it.each([
  [[], 6, 14],
  [[0, 0, 0, 0, 0, 0, 9], 3, 10],
  [[1], 0, 7],
  [[0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0], 1, 12],
])('shows of the buckets %j those from %i to %i', (buckets, from, to) => {
  expect(own(page.bucketRange(buckets))).toEqual([from, to]);
});

describe('a logarithmic axis', () => {
  it.each([
    [[1, 100], 2, 0.5, 200],
    [[700, 2600], 1.4, 200, 10_000],
    [[128], 1.4, 20, 1000],
  ])('goes around %j over at least %f decades', (values, decades, from, to) => {
    const [start, end] = page.logEnds(values, decades);
    expect(Math.log10(end / start)).toBeGreaterThanOrEqual(decades);
    expect([start, end].map((value) => Number(value.toPrecision(6)))).toEqual([from, to]);
  });

  it('has round ticks', () => {
    expect(own(page.logTicks(0.5, 2000, false))).toEqual([1, 10, 100, 1000]);
    expect(own(page.logTicks(100, 1000, true))).toEqual([100, 200, 500, 1000]);
  });

  it('has its places', () => {
    expect([1, 10, 100].map((value) => page.logPlace(value, 1, 100, 300, 0))).toEqual([300, 150, 0]);
  });
});

it.each([
  [0, 1],
  [Number.NaN, 1],
  [7, 8],
  [61_000, 80_000],
  [1000, 1000],
  [0.21, 0.3],
])('has the axis of %f end at %f', (value, top) => {
  expect(page.roundTop(value)).toBeCloseTo(top, 9);
});

it('breaks a line where nobody looked', () => {
  const points = [0, 1, 2, 10, 11].map((at) => ({ at }));
  expect(page.runsOf(points, 3).map((run) => run.length)).toEqual([3, 2]);
});

it('writes numbers as they are read', () => {
  expect([0, 1.234, 999.9, 1234, 12_345, 999_999, 2e9].map(page.count)).toEqual([
    ...['0', '1.23', '1\u202f000', '1\u202f230', '12.3 k', '1 M', '2 G'],
  ]);
  expect(page.whole(1_234_567)).toBe('1\u202f234\u202f567');
  expect([0, 85, 1200, 2.5e6].map(page.us)).toEqual(['0', '85 µs', '1.2 ms', '2.5 s']);
  expect([100, 65_536, 5e6].map(page.bytes)).toEqual(['100 B', '64 KiB', '4.77 MiB']);
  expect([0, 512, 2e3, 3.5e6].map(page.byteRate)).toEqual(['0', '512 B/s', '2 kB/s', '3.5 MB/s']);
});

it('says of a segment what it holds', () => {
  const text = page.segmentText([12, 1001, 2200, 32_768, true], 65_536);
  expect(text).toBe(
    'Segment 12 · closed · 32 KiB of 64 KiB · LSN 1\u202f001 to 2\u202f200 · 1\u202f200 records',
  );
  expect(page.segmentText([1, 1, 0, 4096, false], 0)).toBe(
    'Segment 1 · active · 4 KiB · no records yet · 0 records',
  );
});

it('is told of the newest segments, and how many there are', () => {
  const segments = Array.from({ length: 300 }, (_, i) => segment(i + 1, i < 299));
  const figures = figuresOf({ ...looks.after, segments }, 65_536);
  expect(figures).toMatchObject({ segmentCount: 300, segmentBytes: 300 * 4096, segmentCapacity: 65_536 });
  expect(figures.segments).toHaveLength(256);
  expect(figures.segments.at(-1)).toEqual([300, 3000, 3009, 4096, false]);
});
