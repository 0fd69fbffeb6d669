/** top-arithmetic: what came between two looks, percentiles out of buckets, drawings, and lines that fit. */
import { describe, expect, it } from 'vitest';
import { type Interval, intervalBetween, type Sample } from '../../dist/src/cli/top/interval.js';
import { bucketsSince, percentile } from '../../dist/src/cli/top/percentile.js';
import { bar, needsAscii, sparkline } from '../../dist/src/cli/top/sparkline.js';
import { row, rowTitles, screen, type View } from '../../dist/src/cli/top/view.js';
import type { LiveStats } from '../../dist/src/index.js';
import { must } from '../support/must.js';

const none = { count: 0, sum: 0, mean: 0, p50: 0, p99: 0, max: 0, buckets: [] };

function stats(changes: Partial<LiveStats>): LiveStats {
  return {
    ...{ pid: 7, epoch: 3, firstLsn: 1, durableLsn: 0, checkpointLsn: 0, segments: [], syncMode: 'direct' },
    ...{ groups: 0, records: 0, bytes: 0, syncs: 0, rotations: 0, segmentsPrepared: 0, segmentsRecycled: 0 },
    ...{ segmentsRemoved: 0, ioErrors: 0, maintenanceErrors: 0, maintenanceError: undefined, producers: 1 },
    ...{ ringsUsedBytes: 0, ringsCapacityBytes: 1000, syncUsTotal: 0 },
    ...{ groupRecords: none, groupBytes: none, waitUs: none, syncUs: none },
    options: {
      ...{ segmentBytes: 65_536, ringBytes: 1000, windowUs: 0, maxGroupBytes: 500, maxGroupRecords: 10 },
      ...{ recycle: true, padGroups: false, recordChecksums: false, isEncrypted: false },
    },
    ...changes,
  };
}

const sample = (atMs: number, changes: Partial<LiveStats>): Sample => ({ atMs, stats: stats(changes) });
const syncs = (...buckets: number[]): Partial<LiveStats> => ({ syncUs: { ...none, buckets } });

describe('an interval', () => {
  it('has rates by its own length, and what groups and syncs of it were like', () => {
    const before = sample(1000, { groups: 10, records: 100, bytes: 5000, ...syncs(0, 0, 10) });
    const after = sample(3000, { groups: 14, records: 300, bytes: 9000, ...syncs(0, 0, 10, 0, 4) });
    expect(intervalBetween(before, after)).toEqual({
      ...{ seconds: 2, appendsPerSecond: 100, bytesPerSecond: 2000, groupsPerSecond: 2 },
      ...{ recordsPerGroup: 50, bytesPerGroup: 1000 },
      ...{ syncP50Us: 2 ** 3.5, syncP99Us: 2 ** 3.99 },
    });
  });

  it('has nothing to say of groups and syncs when there were none', () => {
    const still = { groups: 10, records: 100, bytes: 5000, ...syncs(0, 10) };
    expect(intervalBetween(sample(0, still), sample(1000, still))).toEqual({
      ...{ seconds: 1, appendsPerSecond: 0, bytesPerSecond: 0, groupsPerSecond: 0 },
      ...{ recordsPerGroup: undefined, bytesPerGroup: undefined, syncP50Us: undefined, syncP99Us: undefined },
    });
  });

  it.each<[string, Partial<LiveStats>]>([
    ['another process has it', { pid: 8, records: 500, groups: 50 }],
    ['the same process opened it anew', { epoch: 4, records: 5, groups: 1 }],
    ['that counted more than before', { epoch: 4, records: 500, groups: 50, ...syncs(2, 3) }],
    ['its histogram began anew', { records: 500, groups: 50, ...syncs(1) }],
  ])('is none when %s', (_, changes) => {
    const before = sample(0, { records: 100, groups: 10, ...syncs(2, 2) });
    expect(intervalBetween(before, sample(1000, changes))).toBeUndefined();
  });
});

describe('buckets', () => {
  it('are counted from the look before', () => {
    expect(bucketsSince([1, 2], [1, 5, 7])).toEqual([0, 3, 7]);
    expect(bucketsSince([], [4])).toEqual([4]);
    expect(bucketsSince([5], [4])).toBeUndefined();
    expect(bucketsSince([1, 2], [1])).toBeUndefined();
  });

  it('give percentiles that lie in the bucket of the value, and rise', () => {
    expect(percentile([], 0.5)).toBeUndefined();
    expect(percentile([0, 0, 0], 0.5)).toBeUndefined();
    expect(percentile([9], 0.99)).toBe(1);
    expect(percentile([0, 0, 0, 10], 1)).toBe(8);
    expect(must(percentile([0, 0, 0, 10], 0))).toBe(4);
    const values = Array.from({ length: 1000 }, (_, i) => i + 1);
    const buckets = Array.from({ length: 11 }, () => 0);
    for (const value of values)
      buckets[Math.ceil(Math.log2(value))] = must(buckets[Math.ceil(Math.log2(value))]) + 1;
    let last = 0;
    for (const p of [0.01, 0.1, 0.5, 0.9, 0.99, 1]) {
      const found = must(percentile(buckets, p));
      const truth = must(values[Math.ceil(p * 1000) - 1]);
      expect(found / truth).toBeGreaterThan(0.5);
      expect(found / truth).toBeLessThan(2);
      expect(found).toBeGreaterThan(last);
      last = found;
    }
  });
});

describe('drawings', () => {
  it('show the last values, each to the greatest, with gaps', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8], 9, false)).toBe('▁▂▃▄▅▆▇██');
    expect(sparkline([9, 0, 4, 8], 3, false)).toBe('▁▅█');
    expect(sparkline([8, undefined, 8], 9, true)).toBe('@ @');
    expect(sparkline([0, 0], 9, false)).toBe('▁▁');
    expect(sparkline([], 9, false)).toBe('');
    expect(sparkline([1, 2], 0, false)).toBe('');
  });

  it('fill a bar by its part, and show the least part', () => {
    expect(bar(0, 4, true)).toBe('....');
    expect(bar(0.001, 4, true)).toBe('#...');
    expect(bar(0.5, 4, false)).toBe('██░░');
    expect(bar(7, 4, true)).toBe('####');
  });

  it('keep to ASCII where the terminal or the locale says so', () => {
    expect(needsAscii({})).toBe(false);
    expect(needsAscii({ LANG: 'de_DE.UTF-8', TERM: 'xterm' })).toBe(false);
    expect(needsAscii({ LANG: 'de_DE.utf8' })).toBe(false);
    expect(needsAscii({ LC_ALL: 'C', LANG: 'de_DE.UTF-8' })).toBe(true);
    expect(needsAscii({ TERM: 'linux', LANG: 'de_DE.UTF-8' })).toBe(true);
    expect(needsAscii({ TERM: 'dumb' })).toBe(true);
  });
});

describe('the view', () => {
  const interval: Interval = {
    ...{ seconds: 1, appendsPerSecond: 2_345_678, bytesPerSecond: 9e8, groupsPerSecond: 12_345 },
    ...{ recordsPerGroup: 65_536, bytesPerGroup: 4e6, syncP50Us: 93.4, syncP99Us: 12_345 },
  };
  const view = (changes: Partial<LiveStats>, rest: Partial<View> = {}): View => ({
    ...{ directory: '/data/wal', interval, intervalMs: 1000, warning: undefined },
    history: Array.from({ length: 500 }, (_, i) => (i % 7 === 0 ? undefined : interval)),
    stats: stats({ durableLsn: 123_456_789_012, firstLsn: 12_345_678, ...changes }),
    ...rest,
  });
  const look = { hasColour: false, columns: 80, isAscii: false, keys: 'q: quit' };

  it.each([
    40, 80, 200,
  ])('is no wider than a terminal of %i columns, and no higher than 14 lines', (columns) => {
    for (const changes of [
      {},
      { ringsCapacityBytes: 0 },
      { ringsUsedBytes: 33_554_432, ringsCapacityBytes: 67_108_864, producers: 12 },
      { ioErrors: 1 },
      { maintenanceErrors: 3, maintenanceError: 'x'.repeat(300) },
    ]) {
      const directory = `/${'a'.repeat(columns)}`;
      const lines = screen(view(changes, { directory, warning: 'w'.repeat(300) }), { ...look, columns });
      expect(lines.length).toBeLessThanOrEqual(14);
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
    }
  });

  it('shows an error of several lines, or with commands to the terminal, on one line and without them', () => {
    const maintenanceError = 'no\nroom\x1b[2J\x9b2J';
    const lines = screen(view({ maintenanceErrors: 3, maintenanceError }, { directory: '/a\rb' }), look);
    expect(lines.join('')).not.toMatch(/\p{Cc}/u);
    expect(lines.join('\n')).toMatch(/^errors +maintenance failed 3 times: no room \[2J 2J$/m);
  });

  it('tells rates, groups, times as estimates, rings and what is wrong', () => {
    const text = screen(view({ ringsUsedBytes: 500, ioErrors: 1 }), look).join('\n');
    expect(text).toMatch(/^appends +2 345 678 \/s/m);
    expect(text).toMatch(/^groups +12 345 \/s +65 536 records each, 3.8 MiB/m);
    expect(text).toMatch(/^sync p50 +~93 us/m);
    expect(text).toMatch(/^ +p99 +~12.3 ms +by direct/m);
    expect(text).toMatch(/^rings +█+░+ +50 % +500 B of 1 KiB, 1 thread$/m);
    expect(text).toMatch(/^durable +LSN 123 456 789 012$/m);
    expect(text).toMatch(/^errors +a write or sync failed/m);
  });

  it('has dashes before the first interval', () => {
    const text = screen(view({}, { interval: undefined, history: [] }), look).join('\n');
    for (const label of ['appends', 'data', 'groups', 'sync p50'])
      expect(text).toMatch(new RegExp(`^${label} +-$`, 'm'));
  });

  it('is a line under its titles elsewhere, within 80 columns', () => {
    expect(row(view({}))).toMatch(
      /2 345 678 +858 MiB +12 345 +65536.0 +~93 us +~12.3 ms +0% +123 456 789 012$/,
    );
    expect(row(view({})).length).toBe(rowTitles().length);
    expect(rowTitles().length).toBeLessThanOrEqual(80);
  });
});
