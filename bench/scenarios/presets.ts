/**
 * presets: the default options beside each preset, for few callers, for many, and for large records; the reasons for
 * the presets are figures of this scenario.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { durable, highThroughput, type LogOptions, lowLatency } from 'ringwal';
import { type Measurement, measure, whileBusy } from '../closed-loop.js';
import { count, median, progress, say, spread, table } from '../report.js';
import { openRingwal, type SharedSystem } from '../systems/ringwal.js';

export interface PresetsOptions {
  readonly directory: string;
  readonly rounds: number;
  readonly ms: number;
}

export interface PresetPoint {
  readonly preset: string;
  readonly payloadBytes: number;
  readonly inFlight: number;
  readonly beside: Beside | undefined;
  readonly rounds: Measurement[];
}

/** Bulk appends through another ring of the same log meanwhile; not measured. */
interface Beside {
  readonly payloadBytes: number;
  readonly inFlight: number;
}

const PRESETS: Readonly<Record<string, LogOptions>> = { default: {}, lowLatency, highThroughput, durable };

const LOADS: readonly Pick<PresetPoint, 'payloadBytes' | 'inFlight' | 'beside'>[] = [
  { payloadBytes: 128, inFlight: 1, beside: undefined },
  { payloadBytes: 128, inFlight: 1, beside: { payloadBytes: 65_536, inFlight: 200 } },
  { payloadBytes: 128, inFlight: 100, beside: undefined },
  { payloadBytes: 128, inFlight: 10_000, beside: undefined },
  { payloadBytes: 65_536, inFlight: 200, beside: undefined },
];

export async function presets(options: PresetsOptions): Promise<PresetPoint[]> {
  const systems = new Map<string, SharedSystem>();
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
        const system = systems.get(point.preset) as SharedSystem;
        const one = async (ms: number): Promise<Measurement> => {
          if (load.beside === undefined) return measure(system, payloads, load.inFlight, ms);
          const bulk = randomBytes(load.beside.payloadBytes);
          const busy = (): Promise<unknown> => system.appendBeside(bulk);
          return whileBusy(busy, load.beside.inFlight, () => measure(system, payloads, load.inFlight, ms));
        };
        await one(options.ms / 4);
        point.rounds.push(await one(options.ms));
      }
    }
    points.push(...here);
    show(load, here);
  }
  for (const system of systems.values()) await system.close();
  return points;
}

function show(load: (typeof LOADS)[number], points: readonly PresetPoint[]): void {
  const beside =
    load.beside &&
    `, beside ${count(load.beside.inFlight)} of ${count(load.beside.payloadBytes)} bytes in flight`;
  say(`${count(load.payloadBytes)}-byte records${beside ?? ''}`);
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
