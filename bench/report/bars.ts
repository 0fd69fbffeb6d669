/** bars: how far ringwal is from what it must reach; every figure a ratio within one round of one run. */
import type { Measurement } from '../harness/load.js';
import { IN_FLIGHT } from '../scenarios/limits.js';
import { LARGE_SEGMENT_BYTES, SMALL_SEGMENT_BYTES } from '../scenarios/rotation.js';
import type { Bar, Cell, Results } from './results.js';
import { median } from './statistics.js';

type Scenarios = Results['scenarios'];
type Figure = (measurement: Measurement) => number | undefined;

const rate: Figure = ({ recordsPerSecond }) => recordsPerSecond;
const bytes: Figure = ({ bytesPerSecond }) => bytesPerSecond;
const appCpu: Figure = ({ appCpuUs }) => appCpuUs;
const p50: Figure = ({ latency }) => latency.p50Us;
const p99: Figure = ({ latency }) => latency.p99Us;
const p999: Figure = ({ latency }) => latency.p999Us;

const OVER_YARDSTICK = [1.7, 1.9, 1.6, 2.0, 1.8];
const GROWING_OVER_YARDSTICK = [1.5, 1.5, 1.3, 1.3, 1.1];

export function barsOf(scenarios: Scenarios, peers: readonly string[]): Bar[] {
  const { limits, closed, bulk, rotation, recovery, windows } = scenarios;
  const all: (Bar | undefined)[] = [];
  if (limits) {
    const at = (system: string, inFlight: number) => cellAt(limits, system, { inFlight });
    all.push(
      bar('p50 over the raw floor', '1 in flight', at('ringwal', 1), at('raw floor', 1), p50, {
        atMost: 1.12,
      }),
    );
    for (const [name, musts] of [
      ['ringwal', OVER_YARDSTICK],
      ['ringwal, only grows', GROWING_OVER_YARDSTICK],
    ] as const) {
      for (const [i, inFlight] of IN_FLIGHT.entries()) {
        const atLeast = musts[i] as number;
        const yardstick = at('yardstick', inFlight);
        const made = bar(
          `${name}: rate over the yardstick`,
          inFlightText(inFlight),
          at(name, inFlight),
          yardstick,
          rate,
          {
            atLeast,
          },
        );
        all.push(made && { ...made, ...limitOf(inFlight, limits, yardstick) });
      }
    }
    const most = IN_FLIGHT.at(-1) as number;
    all.push(
      bar(
        'rate over the harness without I/O',
        inFlightText(most),
        at('ringwal', most),
        at('no I/O', most),
        rate,
        {
          atLeast: 0.7,
        },
      ),
    );
    for (const inFlight of IN_FLIGHT)
      all.push(
        bar(
          ...(["appending thread's CPU over the yardstick's", inFlightText(inFlight)] as const),
          ...([at('ringwal', inFlight), at('yardstick', inFlight), appCpu, { atMost: 0.6 }] as const),
        ),
      );
  }
  if (closed)
    for (const inFlight of IN_FLIGHT) {
      const best = bestOf(closed, peers, { inFlight }, rate);
      const own = cellAt(closed, 'ringwal', { inFlight });
      const name = `rate over the best durable peer${best ? ` (${best.system})` : ''}`;
      all.push(bar(name, inFlightText(inFlight), own, best, rate, { atLeast: inFlight === 1 ? 1 : 1.5 }));
    }
  if (bulk)
    for (const [what, atLeast] of [
      ['batches of 100', 0.6],
      ['64 KiB records', 0.9],
    ] as const) {
      const own = cellAt(bulk, 'ringwal', { what });
      const disk = bestOf(bulk, ['raw floor', 'raw floor, direct'], { what }, bytes);
      all.push(
        bar('payload bytes/s over the disk at the same group size', what, own, disk, bytes, { atLeast }),
      );
    }
  if (rotation) {
    const [small, large] = [SMALL_SEGMENT_BYTES, LARGE_SEGMENT_BYTES].map((segmentBytes) =>
      cellAt(rotation, 'ringwal', { segmentBytes }),
    );
    all.push(
      bar('p99.9 with rotation every 4 MiB over without', '100 in flight', small, large, p999, {
        atMost: 1.5,
      }),
    );
  }
  if (windows) all.push(...windowBars(windows));
  if (recovery) {
    const of = (what: string) => recovery.find(({ at }) => at.what === what);
    const [own, cat] = [of('verify, all cores'), of('cat > /dev/null')];
    all.push(bar('verified scan over cat', 'all cores', own, cat, bytes, { atLeast: 0.5 }));
  }
  return all.filter((one) => one !== undefined);
}

/** No commit window, the default, over whichever fixed one is best at each load. */
function windowBars(windows: readonly Cell[]): (Bar | undefined)[] {
  return windows
    .filter(({ at }) => at.windowUs === 0)
    .flatMap((none) => {
      const { windowUs: _, ...load } = none.at;
      const where = Object.entries(load)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ');
      const fixed = windows.filter(
        ({ at }) => at.windowUs !== 0 && Object.entries(load).every(([name, value]) => at[name] === value),
      );
      const best = (figure: Figure, sign: 1 | -1): Cell | undefined =>
        [...fixed].sort((a, b) => sign * (medianOf(a, figure) - medianOf(b, figure)))[0];
      const name = (what: string): string => `no window: ${what} over the best fixed one`;
      return [
        bar(name('rate'), where, none, best(rate, -1), rate, { atLeast: 0.95 }),
        bar(name('p99'), where, none, best(p99, 1), p99, { atMost: 1.1 }),
      ];
    });
}

export function isMet({ ratios, must }: Bar): boolean {
  const ratio = median(ratios);
  return 'atLeast' in must ? ratio >= must.atLeast : ratio <= must.atMost;
}

function bar(
  name: string,
  where: string,
  above: Cell | undefined,
  below: Cell | undefined,
  figure: Figure,
  must: Bar['must'],
): Bar | undefined {
  if (above === undefined || below === undefined) return undefined;
  const ratios = above.rounds.map((round, i) => {
    const other = below.rounds[i];
    return (figure(round) ?? Number.NaN) / ((other && figure(other)) ?? Number.NaN);
  });
  if (ratios.some(Number.isNaN)) return undefined;
  return { bar: name, where, ratios, must };
}

/**
 * In a closed loop no engine passes N / (sync time + turnaround): the disk's time for a group of all N, and the time in
 * which the harness resolves and makes N appends.
 */
function limitOf(inFlight: number, cells: readonly Cell[], yardstick: Cell | undefined): Pick<Bar, 'limit'> {
  const [floor, harness] = [cellAt(cells, 'raw floor', { inFlight }), cellAt(cells, 'no I/O', { inFlight })];
  if (!floor || !harness || !yardstick) return {};
  const syncSeconds = 1 / medianOf(floor, rate);
  const turnaroundSeconds = inFlight / medianOf(harness, rate);
  return { limit: inFlight / (syncSeconds + turnaroundSeconds) / medianOf(yardstick, rate) };
}

/** Of several systems at one place the one with the highest figure. */
function bestOf(
  cells: readonly Cell[],
  systems: readonly string[],
  at: Cell['at'],
  figure: Figure,
): Cell | undefined {
  const there = systems.flatMap((system) => cellAt(cells, system, at) ?? []);
  return there.sort((a, b) => medianOf(b, figure) - medianOf(a, figure))[0];
}

function medianOf(cell: Cell, figure: Figure): number {
  return median(cell.rounds.map((round) => figure(round) ?? Number.NaN));
}

function cellAt(cells: readonly Cell[], system: string, at: Cell['at']): Cell | undefined {
  return cells.find(
    (cell) => cell.system === system && Object.entries(at).every(([name, value]) => cell.at[name] === value),
  );
}

function inFlightText(inFlight: number): string {
  return `${inFlight.toLocaleString('en-US').replaceAll(',', ' ')} in flight`;
}
