/** advice: what the figures mean for somebody who opens a log on this disk: options, and sentences. */
import type { LogOptions } from '../../index.js';
import { inTime } from '../quantities.js';
import type { FileSystem } from './file-system.js';
import { DEFAULTS, WINDOW_LOADS, WINDOWS_US } from './plan.js';
import type { Figure } from './rounds.js';

export interface Advice {
  /** The way with the shortest syncs, and how long they take. */
  readonly sync: { readonly mode: string; readonly p50Us: number; readonly p99Us: number };
  /** What to give `openLog`, in general; empty: the defaults. */
  readonly options: LogOptions;
  /** Sentences that say why, and what is better for some. */
  readonly lines: readonly string[];
  /** What speaks against trusting the figures, or the disk. */
  readonly warnings: readonly string[];
}

/** A setting must be so much better to be worth an option. */
const WORTH = 1.1;
/** Syncs that take longer come from a disk, or a network, that is slow enough to be told of. */
const SLOW_US = 2000;
/** No usual disk makes a write durable in less. */
const IMPLAUSIBLE_US = 20;

const MEMORY = new Set(['tmpfs', 'ramfs', 'devtmpfs']);
const NETWORK = /^(nfs|cifs|smb|9p|ceph|gluster|lustre|virtiofs|fuse\.(sshfs|s3fs|gcsfuse|rclone))/;

/** Undefined without figures of any way to sync. */
export function adviceOf(figures: readonly Figure[], fileSystem: FileSystem): Advice | undefined {
  const find = (about: Figure['about'], setting: string, inFlight?: number): Figure | undefined =>
    figures.find(
      (one) =>
        one.about === about &&
        one.setting === setting &&
        (inFlight === undefined || one.inFlight === inFlight),
    );
  const alone = figures
    .filter(({ about, inFlight }) => about === 'sync' && inFlight === 1)
    .sort((a, b) => a.syncP50Us - b.syncP50Us);
  const fastest = alone[0];
  if (fastest === undefined) return undefined;
  const parts = [
    syncAdvice(alone, fastest, find),
    windowAdvice(fastest, find),
    recyclingAdvice(find),
    presetAdvice(find),
  ];
  return {
    sync: { mode: fastest.setting, p50Us: fastest.syncP50Us, p99Us: fastest.syncP99Us },
    options: Object.assign({}, ...parts.map(({ options }) => options)),
    lines: parts.flatMap(({ lines }) => lines),
    warnings: warningsOf(fastest.syncP50Us, fileSystem),
  };
}

interface Part {
  readonly options: LogOptions;
  readonly lines: readonly string[];
}
type Find = (about: Figure['about'], setting: string, inFlight?: number) => Figure | undefined;

function syncAdvice(alone: readonly Figure[], fastest: Figure, find: Find): Part {
  const many = (mode: string): number => find('sync', mode, 1000)?.recordsPerSecond ?? 0;
  const us = (mode: string): number => find('sync', mode, 1)?.syncP50Us ?? Number.POSITIVE_INFINITY;
  const best = alone.map(({ setting }) => setting).reduce((a, b) => (many(b) > many(a) ? b : a));
  const chosen = find('presets', DEFAULTS, 1)?.syncMode ?? fastest.setting;
  const isChosenBest = chosen === best && us(chosen) <= WORTH * fastest.syncP50Us;
  if (isChosenBest) return { options: {}, lines: [`Keep syncMode "auto", which took '${chosen}' here.`] };
  if (best !== fastest.setting && many(best) >= WORTH * many(fastest.setting)) {
    const times = (many(best) / many(fastest.setting)).toFixed(1);
    if (us(best) <= WORTH * fastest.syncP50Us)
      return {
        options: { syncMode: best as Mode },
        lines: [`syncMode: '${best}' has ${times} times the rate of '${fastest.setting}' with 1000 callers.`],
      };
    return {
      options: {},
      lines: [
        `For many callers use syncMode: '${best}' (${times} times the rate with 1000), for few, who wait for each, syncMode: '${fastest.setting}'.`,
      ],
    };
  }
  if (us(chosen) > WORTH * fastest.syncP50Us)
    return {
      options: { syncMode: fastest.setting as Mode },
      lines: [
        `syncMode: '${fastest.setting}' is faster than '${chosen}', which "auto" took: its trial at opening is short.`,
      ],
    };
  return { options: {}, lines: ['Keep syncMode "auto", which takes the fastest way at opening.'] };
}
type Mode = NonNullable<LogOptions['syncMode']>;

function windowAdvice(fastest: Figure, find: Find): Part {
  const gain = (windowUs: number, inFlight: number): number => {
    const without = find('presets', DEFAULTS, inFlight)?.recordsPerSecond;
    const figure = find('windows', String(windowUs), inFlight);
    return without && figure ? figure.recordsPerSecond / without : 0;
  };
  const least = (windowUs: number): number => Math.min(...WINDOW_LOADS.map((n) => gain(windowUs, n)));
  const best = WINDOWS_US.reduce((a, b) => (least(b) > least(a) ? b : a));
  if (least(best) >= WORTH)
    return {
      options: { windowUs: best },
      lines: [
        `windowUs: ${best} has ${least(best).toFixed(1)} times the rate, for that much more time of an append alone.`,
      ],
    };
  return {
    options: {},
    lines: [
      fastest.syncP50Us > SLOW_US
        ? `A sync takes ${inTime(fastest.syncP50Us / 1000)}: keep windowUs 0, groups form by themselves; have many appends in flight.`
        : 'Keep windowUs 0: what arrives during a sync is the next group.',
    ],
  };
}

function recyclingAdvice(find: Find): Part {
  const [reused, fresh] = [find('recycling', 'true'), find('recycling', 'false')];
  if (reused === undefined || fresh === undefined) return { options: {}, lines: [] };
  if (fresh.recordsPerSecond >= WORTH * reused.recordsPerSecond)
    return {
      options: { recycle: false },
      lines: [
        `recycle: false has ${(fresh.recordsPerSecond / reused.recordsPerSecond).toFixed(1)} times the rate: reused files are slower here (snapshots, or copy on write?).`,
      ],
    };
  const times = reused.recordsPerSecond / fresh.recordsPerSecond;
  const what = times >= WORTH ? `has ${times.toFixed(1)} times the rate of` : 'costs nothing beside';
  return { options: {}, lines: [`Keep recycle: reusing segment files ${what} making new ones.`] };
}

function presetAdvice(find: Find): Part {
  const lines: string[] = [];
  const ratio = (preset: string, inFlight: number): number =>
    (find('presets', preset, inFlight)?.recordsPerSecond ?? 0) /
    (find('presets', DEFAULTS, inFlight)?.recordsPerSecond ?? Number.POSITIVE_INFINITY);
  const large = find('large', 'highThroughput')?.recordsPerSecond ?? 0;
  const usual = find('large', DEFAULTS)?.recordsPerSecond ?? Number.POSITIVE_INFINITY;
  const times = large / usual;
  lines.push(
    times >= WORTH
      ? `For large records spread \`highThroughput\` into the options: ${times.toFixed(1)} times the rate here.`
      : 'Larger rings and segments (`highThroughput`) bring nothing here, for records of 64 KiB.',
  );
  if (ratio('highThroughput', 10_000) >= WORTH)
    lines.push(
      `With 10 000 in flight \`highThroughput\` has ${ratio('highThroughput', 10_000).toFixed(1)} times the rate.`,
    );
  if (find('presets', 'durable', 100) !== undefined)
    lines.push(
      `\`durable\`, which trusts the disk less, has ${ratio('durable', 100).toFixed(1)} of the rate at 100 in flight, ${ratio('durable', 10_000).toFixed(1)} at 10 000.`,
    );
  return { options: {}, lines };
}

function warningsOf(syncUs: number, { type = '' }: FileSystem): string[] {
  if (MEMORY.has(type)) return [`This is memory (${type}), not a disk: nothing here survives a restart.`];
  const warnings: string[] = [];
  if (syncUs < IMPLAUSIBLE_US)
    warnings.push(
      `A sync in ${syncUs.toFixed(0)} us is implausibly fast: unless the disk has a cache that survives a power cut, it does not wait for its medium, or something between (a virtual machine, an emulated flush) does not pass the flush on. Acknowledged records may then not survive a power cut.`,
    );
  if (type === 'overlay')
    warnings.push(
      'This is the writable layer of a container (overlay): it goes with the container. Use a volume.',
    );
  if (NETWORK.test(type))
    warnings.push(
      `This is a network or shared file system (${type}): what a sync means is up to its server.`,
    );
  return warnings;
}
