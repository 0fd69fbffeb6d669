/** advice: what the figures mean for somebody who opens a log on this disk: options, and sentences. */
import type { LogOptions } from '../../index.js';
import { inTime } from '../quantities.js';
import type { FileSystem } from './file-system.js';
import { HALT_POLL_FILE } from './idle-cpus.js';
import { ASLEEP, DEFAULTS, WINDOW_LOADS, WINDOWS_US } from './plan.js';
import type { Figure } from './rounds.js';
import { isDisturbed, isMemory, warningsOf } from './warnings.js';

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
/** What an append alone takes beside the disk is worth a word when it is so much of the whole. */
const WAKE_UP_SHARE = 0.2;

interface Part {
  readonly options: LogOptions;
  readonly lines: readonly string[];
}
type Find = (about: Figure['about'], setting: string, inFlight?: number) => Figure | undefined;
type Mode = NonNullable<LogOptions['syncMode']>;

/** Undefined without figures of any way to sync. `pollUs`: how long idle CPUs wait awake, if they may halt behind it. */
export function adviceOf(
  figures: readonly Figure[],
  fileSystem: FileSystem,
  pollUs?: number,
): Advice | undefined {
  const find: Find = (about, setting, inFlight) =>
    figures.find(
      (one) =>
        one.about === about &&
        one.setting === setting &&
        (inFlight === undefined || one.inFlight === inFlight),
    );
  const alone = figures
    .filter(({ about, inFlight }) => about === 'sync' && inFlight === 1)
    .sort((a, b) => a.syncP50Us - b.syncP50Us);
  const quickest = alone[0];
  if (quickest === undefined) return undefined;
  const useless = isMemory(fileSystem)
    ? 'Measure in a directory on a disk: in memory nothing tells settings apart.'
    : isDisturbed(figures)
      ? 'The figures are too uneven to tell settings apart: keep the defaults.'
      : undefined;
  const parts =
    useless === undefined
      ? [
          syncAdvice(alone, quickest, find),
          windowAdvice(quickest, find),
          recyclingAdvice(find),
          pollAdvice(find),
          presetAdvice(find),
          idleAdvice(quickest, find, pollUs),
        ]
      : [{ options: {}, lines: [useless] }];
  return {
    sync: { mode: quickest.setting, p50Us: quickest.syncP50Us, p99Us: quickest.syncP99Us },
    options: Object.assign({}, ...parts.map(({ options }) => options)),
    lines: parts.flatMap(({ lines }) => lines),
    warnings: warningsOf(quickest.syncP50Us, figures, fileSystem),
  };
}

/** How many times the rate of `b` that of `a` is. */
function times(a: Figure | undefined, b: Figure | undefined): number {
  return a === undefined || b === undefined || b.recordsPerSecond === 0
    ? 0
    : a.recordsPerSecond / b.recordsPerSecond;
}

/** Whether `a` is worth an option beside `b`: enough better, and its slowest round than the fastest of `b`. */
function isWorth(a: Figure | undefined, b: Figure | undefined): boolean {
  return times(a, b) >= WORTH && a !== undefined && b !== undefined && a.slowest > b.fastest;
}

function syncAdvice(alone: readonly Figure[], quickest: Figure, find: Find): Part {
  const many = (mode: string): Figure | undefined => find('sync', mode, 1000);
  const us = (mode: string): number => find('sync', mode, 1)?.syncP50Us ?? Number.POSITIVE_INFINITY;
  const best = alone
    .map(({ setting }) => setting)
    .reduce((a, b) => (times(many(b), many(a)) > 1 ? b : a), quickest.setting);
  const isQuick = (mode: string): boolean => us(mode) <= WORTH * quickest.syncP50Us;
  const chosen = find('presets', DEFAULTS, 1)?.syncMode ?? quickest.setting;
  const isBetter = best !== chosen && isWorth(many(best), many(chosen));
  if (!isBetter && isQuick(chosen))
    return { options: {}, lines: [`Keep syncMode "auto", which takes '${chosen}' here.`] };
  if (isBetter && isQuick(best))
    return {
      options: { syncMode: best as Mode },
      lines: [
        `syncMode: '${best}' has ${times(many(best), many(chosen)).toFixed(1)} times the rate of '${chosen}', which "auto" took, with 1000 callers.`,
      ],
    };
  if (isBetter)
    return {
      options: {},
      lines: [
        `For many callers use syncMode: '${best}' (${times(many(best), many(chosen)).toFixed(1)} times the rate with 1000), for few, who wait for each, syncMode: '${quickest.setting}'.`,
      ],
    };
  return {
    options: { syncMode: quickest.setting as Mode },
    lines: [
      `syncMode: '${quickest.setting}' is faster than '${chosen}', which "auto" took: its trial at opening is short.`,
    ],
  };
}

function windowAdvice(quickest: Figure, find: Find): Part {
  const without = (inFlight: number): Figure | undefined => find('presets', DEFAULTS, inFlight);
  const gain = (windowUs: number): number =>
    Math.min(...WINDOW_LOADS.map((n) => times(find('windows', String(windowUs), n), without(n))));
  const best = WINDOWS_US.reduce((a, b) => (gain(b) > gain(a) ? b : a));
  if (WINDOW_LOADS.every((n) => isWorth(find('windows', String(best), n), without(n))))
    return {
      options: { windowUs: best },
      lines: [
        `windowUs: ${best} has ${gain(best).toFixed(1)} times the rate; an append alone takes that much longer.`,
      ],
    };
  return {
    options: {},
    lines: [
      quickest.syncP50Us > SLOW_US
        ? `A sync takes ${inTime(quickest.syncP50Us / 1000)}: keep windowUs 0, groups form by themselves; have many appends in flight.`
        : 'Keep windowUs 0: what arrives during a sync is the next group.',
    ],
  };
}

function recyclingAdvice(find: Find): Part {
  const [reused, fresh] = [find('recycling', 'true'), find('recycling', 'false')];
  if (reused === undefined || fresh === undefined) return { options: {}, lines: [] };
  if (isWorth(fresh, reused))
    return {
      options: { recycle: false },
      lines: [
        `recycle: false has ${times(fresh, reused).toFixed(1)} times the rate: reused files are slower here (copy on write?).`,
      ],
    };
  const what = isWorth(reused, fresh)
    ? `has ${times(reused, fresh).toFixed(1)} times the rate of`
    : 'is no slower than';
  return { options: {}, lines: [`Keep recycle: reusing segment files ${what} making new ones.`] };
}

/** Whether appending threads had better sleep while they wait: that spares their CPU, which no figure here shows. */
function pollAdvice(find: Find): Part {
  const pairs = [1, 100].map((n) => [find('presets', ASLEEP, n), find('presets', DEFAULTS, n)] as const);
  const gains = pairs.map(([asleep, awake]) => times(awake, asleep));
  if (gains.includes(0)) return { options: {}, lines: [] };
  const [alone, many] = gains.map((gain) => gain.toFixed(1));
  if (pairs.some(([asleep, awake]) => isWorth(awake, asleep)))
    return {
      options: {},
      lines: [
        `Keep busyPollUs: threads that stay awake for their answers have ${alone} times the rate alone, ${many} times at 100 in flight; 0 spares their CPU.`,
      ],
    };
  return pairs.some(([asleep, awake]) => isWorth(asleep, awake))
    ? {
        options: { busyPollUs: 0 },
        lines: [
          `busyPollUs: 0: threads that stay awake for their answers are in the way here (${alone} of the rate alone, ${many} at 100 in flight).`,
        ],
      }
    : {
        options: {},
        lines: [
          `Whether threads stay awake for their answers shows no sure difference here (${alone} of the rate alone, ${many} at 100 in flight); busyPollUs: 0 spares their CPU.`,
        ],
      };
}

function presetAdvice(find: Find): Part {
  const [large, usual] = [find('large', 'highThroughput'), find('large', DEFAULTS)];
  const most = [find('presets', 'highThroughput', 10_000), find('presets', DEFAULTS, 10_000)] as const;
  const safe = [100, 10_000].map((n) => times(find('presets', 'durable', n), find('presets', DEFAULTS, n)));
  const lines: string[] = [];
  if (isWorth(large, usual))
    lines.push(
      `For large records spread \`highThroughput\` into the options: ${times(large, usual).toFixed(1)} times the rate here.`,
    );
  if (isWorth(...most))
    lines.push(`With 10 000 in flight \`highThroughput\` has ${times(...most).toFixed(1)} times the rate.`);
  if (lines.length === 0 && large !== undefined)
    lines.push('Larger rings and segments (`highThroughput`) bring nothing here.');
  if (safe.every((part) => part > 0))
    lines.push(
      `\`durable\`, which trusts the disk less, has ${safe[0]?.toFixed(1)} of the rate at 100 in flight, ${safe[1]?.toFixed(1)} at 10 000.`,
    );
  return { options: {}, lines };
}

/** CPUs that halt while the disk is waited for are woken late, and with cold caches. */
function idleAdvice({ syncP50Us }: Figure, find: Find, pollUs: number | undefined): Part {
  const alone = find('presets', DEFAULTS, 1);
  if (alone === undefined || pollUs === undefined || pollUs >= syncP50Us) return { options: {}, lines: [] };
  const besideUs = alone.p50Us - alone.syncP50Us;
  if (besideUs < WAKE_UP_SHARE * alone.p50Us) return { options: {}, lines: [] };
  const enoughNs = Math.ceil((2 * syncP50Us) / 100) * 100_000;
  return {
    options: {},
    lines: [
      `Of ${inTime(alone.p50Us / 1000)} that an append alone takes ${inTime(besideUs / 1000)} are not the disk's. Most of that is this virtual machine's: its CPUs halt while the disk is waited for. They can wait awake for a time, which costs idle time of theirs.`,
      `As root: echo ${enoughNs} > ${HALT_POLL_FILE}`,
    ],
  };
}
