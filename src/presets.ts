/**
 * presets: options that belong together, to be spread into those of `openLog`. Each has its reason in a figure of
 * `npm run bench -- presets` (2 cores, virtio disk, ext4; ratios to the defaults within one run).
 */
import type { LogOptions } from './options.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/**
 * For callers who wait for each answer and share the log with bulk writers: a small group is soon over, and their threads
 * stay awake for longer while they wait. One append of 128 bytes at a time beside 200 of 64 KiB in flight: 0.56 ms instead
 * of 5.1 (p50); alone the same as with the defaults. 100 in flight: 1.14 times the rate, for 1.5 times the CPU of the
 * appending thread; 10 000 get 0.37 of it, for lack of ring.
 */
export const lowLatency = {
  /** See the option. */
  ringBytes: MiB,
  /** See the option. */
  maxGroupBytes: 256 * KiB,
  /** See the option. */
  busyPollUs: 500,
} as const satisfies LogOptions;

/**
 * For bulk, with more than the defaults' 32 MiB in flight, and few rotations: 700 records of 64 KiB in flight get 1.04
 * times the rate of the defaults, for 0.4 of the appending thread's CPU, as none of them waits for room. Takes 64 MiB a
 * thread. (Larger groups do not help: 8 MiB instead of 4 got 0.8 of the rate.)
 */
export const highThroughput = {
  /** See the option. */
  ringBytes: 64 * MiB,
  /** See the option. */
  segmentBytes: 256 * MiB,
} as const satisfies LogOptions;

/**
 * For those who trust the disk less than most logs do: no acknowledged byte is ever written again, and each record is
 * checked end to end, from its caller's bytes on. 0.9 of the rate of the defaults at 100 in flight, 0.5 to 0.6 at
 * 10 000 (128 bytes), the same for records of 64 KiB.
 */
export const durable = {
  /** See the option. */
  padGroups: true,
  /** See the option. */
  recordChecksums: true,
} as const satisfies LogOptions;
