/** advice: a setting is only recommended when it is worth it on this disk. */
import { expect, it } from 'vitest';
import { adviceOf } from '../../bench/report/advice.js';
import type { Cell } from '../../bench/report/results.js';

const LOADS = ['1 in flight', '1000 in flight', '64 KiB records, 200 in flight'] as const;

/** By setting: microseconds of a record alone, records/s of many callers, and of large records. */
function cells(
  settings: Readonly<Record<string, readonly [us: number, many: number, large: number]>>,
): Cell[] {
  return Object.entries(settings).flatMap(([setting, [us, many, large]]) =>
    LOADS.map((what, i): Cell => {
      const recordsPerSecond = [1e6 / us, many, large][i] as number;
      const latency = { p50Us: us, p90Us: us, p99Us: us, p999Us: us, maxUs: us, curve: [] };
      const any = { records: 1, seconds: 1, bytesPerSecond: 1 };
      return { system: 'ringwal', at: { what, setting }, rounds: [{ ...any, recordsPerSecond, latency }] };
    }),
  );
}

it.each<[string, Parameters<typeof cells>[0], RegExp[]]>([
  [
    'one way is best for all',
    { direct: [120, 3e6, 2e4], fdatasync: [140, 2e6, 1e4], highThroughput: [120, 3e6, 2.1e4] },
    [
      /durable here in 120 us \(median, direct\); fdatasync: 140 us/,
      /Keep syncMode "auto"/,
      /bring nothing here/,
    ],
  ],
  [
    'many callers do better with another one than few',
    { direct: [120, 2e6, 2e4], fdatasync: [140, 3e6, 2e4], highThroughput: [120, 2e6, 4e4] },
    [
      /For many callers use syncMode: 'fdatasync'; .*'direct'/,
      /`highThroughput` into the options: 2.0 times/,
    ],
  ],
  [
    'the other one is hardly better',
    { direct: [120, 2.9e6, 2e4], fdatasync: [140, 3e6, 2e4], highThroughput: [120, 2e6, 2e4] },
    [/Keep syncMode "auto"/],
  ],
  [
    'the disk is slow',
    { fdatasync: [9000, 1e5, 1e3], highThroughput: [9000, 1e5, 1e3] },
    [/A sync takes 9.0 ms: keep windowUs 0/],
  ],
])('when %s', (_, settings, lines) => {
  const advice = adviceOf(cells(settings)).join('\n');
  for (const line of lines) expect(advice).toMatch(line);
});

it('without figures nothing is said', () => {
  expect(adviceOf([])).toEqual([]);
});
