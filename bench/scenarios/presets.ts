/**
 * presets: the default options beside each preset, for few callers, for many, and for large records; the reasons for
 * the presets are figures of this scenario.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { durable, highThroughput, type LogOptions, lowLatency } from 'ringwal';
import { type Measurement, measure } from '../closed-loop.js';
import { count, median, progress, say, spread, table } from '../report.js';
import type { System } from '../system.js';
import { openRingwal } from '../systems/ringwal.js';

export interface PresetsOptions {
  readonly directory: string;
  readonly rounds: number;
  readonly ms: number;
}

export interface PresetPoint {
  readonly preset: string;
  readonly payloadBytes: number;
  readonly inFlight: number;
  readonly rounds: Measurement[];
}

const PRESETS: Readonly<Record<string, LogOptions>> = { default: {}, lowLatency, highThroughput, durable };

const LOADS = [
  { payloadBytes: 128, inFlight: 1 },
  { payloadBytes: 128, inFlight: 100 },
  { payloadBytes: 128, inFlight: 10_000 },
  { payloadBytes: 65_536, inFlight: 200 },
];

export async function presets(options: PresetsOptions): Promise<PresetPoint[]> {
  const systems = new Map<string, System>();
  for (const [name, preset] of Object.entries(PRESETS)) {
    progress(`warming up: ${name}`);
    const system = await openRingwal(join(options.directory, `preset-${name}`), true, preset);
    await system.warmUp?.();
    systems.set(name, system);
  }
  const points: PresetPoint[] = [];
  for (const load of LOADS) {
    const payloads = Array.from({ length: 16 }, () => randomBytes(load.payloadBytes));
    const here = [...systems.keys()].map((preset) => ({ preset, ...load, rounds: [] as Measurement[] }));
    for (let round = 0; round < options.rounds; round++) {
      for (let i = 0; i < here.length; i++) {
        const point = here[(i + round) % here.length] as PresetPoint;
        progress(`${load.payloadBytes} B, ${load.inFlight} in flight, ${point.preset}`);
        const system = systems.get(point.preset) as System;
        await measure(system, payloads, load.inFlight, options.ms / 4);
        point.rounds.push(await measure(system, payloads, load.inFlight, options.ms));
      }
    }
    points.push(...here);
    show(load, here);
  }
  for (const system of systems.values()) await system.close();
  return points;
}

function show(load: { payloadBytes: number; inFlight: number }, points: readonly PresetPoint[]): void {
  say(`${count(load.payloadBytes)}-byte records`);
  const of = (point: PresetPoint, figure: keyof Measurement): number[] =>
    point.rounds.map((round) => round[figure]);
  const base = points[0] as PresetPoint;
  table(
    [`${count(load.inFlight)} in flight`, 'records/s', 'of default', 'p50 us', 'p99 us', 'p99.9 us'],
    points.map((point) => [
      point.preset,
      spread(of(point, 'recordsPerSecond'), count),
      spread(
        of(point, 'recordsPerSecond').map(
          (rate, i) => rate / (of(base, 'recordsPerSecond')[i] ?? Number.NaN),
        ),
        (ratio) => ratio.toFixed(2),
      ),
      spread(of(point, 'p50Us'), count),
      spread(of(point, 'p99Us'), count),
      count(median(of(point, 'p999Us'))),
    ]),
  );
}
