/**
 * curve: records in flight against throughput, group size and latency; ringwal beside the floor, the yardstick and
 * the harness alone. Every round measures every system at every point, in another order; medians are shown.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Measurement, measure } from '../closed-loop.js';
import { count, median, progress, say, spread, table } from '../report.js';
import type { System } from '../system.js';
import { openCeiling } from '../systems/ceiling.js';
import { groupBytes, measureFloor } from '../systems/floor.js';
import { openHandOff } from '../systems/hand-off.js';
import { openRingwal } from '../systems/ringwal.js';
import { openYardstick } from '../systems/yardstick.js';

export interface CurveOptions {
  readonly directory: string;
  readonly inFlight: readonly number[];
  readonly rounds: number;
  readonly ms: number;
  readonly payloadBytes: number;
}

export interface CurvePoint {
  readonly inFlight: number;
  readonly system: string;
  readonly rounds: Measurement[];
}

const FLOOR = 'raw floor';

export async function curve(options: CurveOptions): Promise<CurvePoint[]> {
  const payloads = Array.from({ length: 64 }, () => randomBytes(options.payloadBytes));
  const handOff = await openHandOff(
    join(options.directory, 'hand-off'),
    groupBytes(payloads[0] as Uint8Array, 1),
  );
  const systems = [
    handOff,
    openYardstick(join(options.directory, 'yardstick')),
    openCeiling(),
    await openRingwal(join(options.directory, 'recycling'), true),
    await openRingwal(join(options.directory, 'growing'), false),
  ];
  const points: CurvePoint[] = options.inFlight.flatMap((inFlight) =>
    [FLOOR, ...systems.map(({ name }) => name)]
      .filter((system) => inFlight === 1 || system !== handOff.name)
      .map((system) => ({ inFlight, system, rounds: [] })),
  );
  try {
    for (const system of systems) {
      progress(`warming up: ${system.name}`);
      await system.warmUp?.();
    }
    for (let round = 0; round < options.rounds; round++) {
      await runRound(options, round, payloads, systems, points);
    }
  } finally {
    for (const system of systems) await system.close();
  }
  show(options, points);
  return points;
}

async function runRound(
  options: CurveOptions,
  round: number,
  payloads: readonly Uint8Array[],
  systems: readonly System[],
  points: readonly CurvePoint[],
): Promise<void> {
  for (const inFlight of options.inFlight) {
    const here = points.filter((point) => point.inFlight === inFlight);
    for (let i = 0; i < here.length; i++) {
      const point = here[(i + round) % here.length] as CurvePoint;
      progress(`round ${round + 1} of ${options.rounds}: ${inFlight} in flight, ${point.system}`);
      const system = systems.find(({ name }) => name === point.system);
      if (system === undefined) {
        point.rounds.push(
          measureFloor(join(options.directory, 'floor'), payloads[0] as Uint8Array, inFlight, options.ms),
        );
      } else {
        await measure(system, payloads, inFlight, options.ms / 4);
        point.rounds.push(await measure(system, payloads, inFlight, options.ms));
      }
    }
  }
}

function show(options: CurveOptions, points: readonly CurvePoint[]): void {
  say(
    `closed loop, ${options.payloadBytes}-byte records, ${options.rounds} rounds of ${options.ms} ms: medians [least..greatest]`,
  );
  for (const inFlight of options.inFlight) {
    const here = points.filter((point) => point.inFlight === inFlight);
    table(
      [`${count(inFlight)} in flight`, 'records/s', 'group', 'p50 us', 'p99 us', 'p99.9 us', 'CPU s/M'],
      here.map(({ system, rounds }) => [
        system,
        spread(
          rounds.map(({ recordsPerSecond }) => recordsPerSecond),
          count,
        ),
        median(rounds.map(({ groupRecords }) => groupRecords)).toFixed(1),
        spread(
          rounds.map(({ p50Us }) => p50Us),
          count,
        ),
        count(median(rounds.map(({ p99Us }) => p99Us))),
        count(median(rounds.map(({ p999Us }) => p999Us))),
        median(rounds.map(({ cpuSecondsPerMillion }) => cpuSecondsPerMillion)).toFixed(2),
      ]),
    );
  }
  const ratios = options.inFlight.map((inFlight) => {
    const of = (system: string, figure: keyof Measurement): number[] =>
      points
        .find((point) => point.inFlight === inFlight && point.system === system)
        ?.rounds.map((round) => round[figure]) ?? [];
    const ratio = (above: number[], below: number[]): string =>
      spread(
        above.map((value, round) => value / (below[round] ?? Number.NaN)),
        (value) => value.toFixed(2),
      );
    const rate = 'recordsPerSecond';
    return [
      count(inFlight),
      ratio(of('ringwal', rate), of('yardstick', rate)),
      ratio(of('ringwal, only grows', rate), of('yardstick', rate)),
      ratio(of('ringwal', rate), of('no I/O', rate)),
      ratio(of('ringwal', 'p50Us'), of(FLOOR, 'p50Us')),
      inFlight === 1 ? ratio(of('ringwal', 'p50Us'), of('hand-off', 'p50Us')) : '',
    ];
  });
  say('ratios within a round: medians [least..greatest]');
  table(
    [
      'in flight',
      'rate / yardstick',
      'only grows / yardstick',
      'rate / no I/O',
      'p50 / floor p50',
      'p50 / hand-off p50',
    ],
    ratios,
  );
  if (options.inFlight.some((inFlight) => inFlight > 100))
    say('Above 100 in flight every 16th append is timed.');
}
