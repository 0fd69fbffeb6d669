/**
 * presets: the default options beside each preset, and beside threads that sleep while they wait, for few callers, for many,
 * and for large records; the reasons for the presets (src/presets.ts) are figures of this scenario.
 */
import { durable, highThroughput, type LogOptions, lowLatency } from 'ringwal';
import type { ClosedLoad } from '../harness/load.js';
import type { Planned } from '../harness/rounds.js';
import { scenarioOfCells } from './scenario.js';

const PRESETS: Readonly<Record<string, LogOptions>> = {
  default: {},
  'busyPollUs 0': { busyPollUs: 0 },
  ...{ lowLatency, highThroughput, durable },
};

const LARGE = { inFlight: 200, payloadBytes: 65_536 } as const;
const LOADS: Readonly<Record<string, Pick<ClosedLoad, 'inFlight' | 'payloadBytes' | 'beside'>>> = {
  '1 in flight': { inFlight: 1, payloadBytes: 128 },
  '1 in flight beside bulk': { inFlight: 1, payloadBytes: 128, beside: LARGE },
  '100 in flight': { inFlight: 100, payloadBytes: 128 },
  '10 000 in flight': { inFlight: 10_000, payloadBytes: 128 },
  '200 of 64 KiB in flight': LARGE,
  '700 of 64 KiB in flight': { ...LARGE, inFlight: 700 },
};

export const presets = scenarioOfCells(
  'presets',
  'the default options beside the presets, and beside threads that sleep',
  false,
  ({ isQuick }) => {
    const cells = Object.entries(LOADS).flatMap(([load, what]) =>
      Object.entries(PRESETS).map(
        ([preset, options]): Planned => ({
          ...{ system: 'ringwal', options, at: { load, preset }, beside: load },
          load: { kind: 'closed', batch: 1, ms: isQuick ? 300 : 1000, ...what },
        }),
      ),
    );
    return { cells, rounds: isQuick ? 1 : 5 };
  },
);
