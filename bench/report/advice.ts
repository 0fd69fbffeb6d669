/** advice: what the figures of the scenario `advise` mean for somebody who opens a log on this disk, in sentences. */
import type { Cell } from './results.js';
import { median } from './statistics.js';

/** The loads of that scenario, and the setting besides the ways to sync. */
export const ONE = '1 in flight';
export const MANY = '1000 in flight';
export const LARGE = '64 KiB records, 200 in flight';
export const LARGE_GROUPS = 'highThroughput';

/** A setting must be so much better to be worth an option. */
const WORTH = 1.1;
/** Syncs that take longer come from a disk, or a network, that is slow enough to be told of. */
const SLOW_US = 2000;

export function adviceOf(cells: readonly Cell[]): string[] {
  const settings = [...new Set(cells.map(({ at }) => String(at.setting)))];
  const modes = settings.filter((setting) => setting !== LARGE_GROUPS);
  const us = (setting: string): number => figure(cells, ONE, setting, ({ latency }) => latency.p50Us);
  const rate = (setting: string, what: string): number =>
    figure(cells, what, setting, ({ recordsPerSecond }) => recordsPerSecond);
  const fastest = [...modes].sort((a, b) => us(a) - us(b))[0];
  if (fastest === undefined) return [];
  const lines = [
    `A record alone is durable here in ${us(fastest).toFixed(0)} us (median, ${fastest}); ${modes
      .filter((mode) => mode !== fastest)
      .map((mode) => `${mode}: ${us(mode).toFixed(0)} us`)
      .join(', ')}.`,
    `With 1000 callers: ${modes.map((mode) => `${thousands(rate(mode, MANY))} records/s (${mode})`).join(', ')}.`,
  ];
  const best = [...modes].sort((a, b) => rate(b, MANY) - rate(a, MANY))[0] as string;
  if (best === fastest || rate(best, MANY) < WORTH * rate(fastest, MANY))
    lines.push(`Keep syncMode "auto", which measures at opening, or say syncMode: '${fastest}'.`);
  else
    lines.push(
      `For many callers use syncMode: '${best}'; for few, who wait for each, syncMode: '${fastest}'.`,
    );
  if (rate(LARGE_GROUPS, LARGE) > WORTH * rate(fastest, LARGE)) {
    const times = (rate(LARGE_GROUPS, LARGE) / rate(fastest, LARGE)).toFixed(1);
    lines.push(`For large records spread \`highThroughput\` into the options: ${times} times the rate here.`);
  } else lines.push('Larger groups and rings (`highThroughput`) bring nothing here.');
  lines.push(
    us(fastest) > SLOW_US
      ? `A sync takes ${(us(fastest) / 1000).toFixed(1)} ms: keep windowUs 0, groups form by themselves; have many appends in flight.`
      : 'Keep windowUs 0: what arrives during a sync is the next group.',
  );
  return lines;
}

function figure(
  cells: readonly Cell[],
  what: string,
  setting: string,
  of: (round: Cell['rounds'][number]) => number,
): number {
  const cell = cells.find(({ at }) => at.what === what && at.setting === setting);
  return median(cell?.rounds.map(of) ?? []);
}

function thousands(rate: number): string {
  return rate >= 1e6 ? `${(rate / 1e6).toFixed(1)} M` : `${(rate / 1e3).toFixed(0)} k`;
}
