/** plan: what `ringwal bench` measures: settings of a log, each under the loads that tell it from others. */
import { durable, highThroughput, type LogOptions, lowLatency } from '../../index.js';

export interface Load {
  /** Appends under way at any moment. */
  readonly inFlight: number;
  readonly payloadBytes: number;
  /** Whether what is durable is truncated as it goes on, so that segments come and go. */
  readonly truncates: boolean;
}

/** One thing to measure. */
export interface Cell {
  readonly about: 'sync' | 'presets' | 'windows' | 'recycling' | 'large';
  readonly setting: string;
  readonly options: LogOptions;
  readonly load: Load;
}

/** The durable ways to sync; a file system may lack some. */
export const SYNC_MODES = ['direct', 'dsync', 'fdatasync', 'fsync'] as const;
export const DEFAULTS = 'defaults';
/** Appending threads that sleep while they wait; beside the presets. */
export const ASLEEP = 'busyPollUs 0';
export const IN_FLIGHT = [1, 100, 1000, 10_000] as const;
/** Besides 0, which is what the defaults have. */
export const WINDOWS_US = [50, 200, 1000] as const;
/** Under which they are measured. */
export const WINDOW_LOADS = [100, 1000] as const;
export const SMALL_BYTES = 128;
export const LARGE_BYTES = 65_536;
const LARGE_IN_FLIGHT = 200;
/** Small enough that there are new ones all the time. */
const RECYCLED_SEGMENT_BYTES = 4 * 1024 * 1024;

export function cells(modes: readonly (typeof SYNC_MODES)[number][]): Cell[] {
  const small = (inFlight: number): Load => ({ inFlight, payloadBytes: SMALL_BYTES, truncates: false });
  const large: Load = { inFlight: LARGE_IN_FLIGHT, payloadBytes: LARGE_BYTES, truncates: false };
  const rotating: Load = { inFlight: 1000, payloadBytes: 1024, truncates: true };
  const presets: [string, LogOptions][] = [
    [DEFAULTS, {}],
    [ASLEEP, { busyPollUs: 0 }],
    ...Object.entries({ lowLatency, highThroughput, durable }),
  ];
  return [
    ...modes.flatMap((syncMode) =>
      [1, 1000].map((n) => ({
        ...{ about: 'sync' as const, setting: syncMode, options: { syncMode }, load: small(n) },
      })),
    ),
    ...presets.flatMap(([setting, options]) =>
      IN_FLIGHT.map((n) => ({ about: 'presets' as const, setting, options, load: small(n) })),
    ),
    ...WINDOWS_US.flatMap((windowUs) =>
      WINDOW_LOADS.map((n) => ({
        ...{ about: 'windows' as const, setting: String(windowUs), options: { windowUs }, load: small(n) },
      })),
    ),
    ...[true, false].map((recycle) => ({
      ...{ about: 'recycling' as const, setting: String(recycle), load: rotating },
      options: { recycle, segmentBytes: RECYCLED_SEGMENT_BYTES },
    })),
    ...[{}, highThroughput].map((options, i) => ({
      ...{ about: 'large' as const, setting: i === 0 ? DEFAULTS : 'highThroughput', options, load: large },
    })),
  ];
}
