/** presets: options that belong together, to be spread into those of `openLog`. */
import type { LogOptions } from './options.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** For few callers who wait for each answer. */
export const lowLatency = {
  windowUs: 0,
  ringBytes: MiB,
  maxGroupBytes: 256 * KiB,
} as const satisfies LogOptions;

/** For bulk: many callers, or large records. */
export const highThroughput = {
  ringBytes: 64 * MiB,
  maxGroupBytes: 8 * MiB,
  segmentBytes: 256 * MiB,
} as const satisfies LogOptions;

/** For those who trust the disk less than most logs do. */
export const durable = {
  padGroups: true,
  recordChecksums: true,
} as const satisfies LogOptions;
