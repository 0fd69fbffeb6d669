/** bars: how far ringwal is from what it must reach; every figure a ratio within one round of one run. */
import type { Measurement } from '../harness/load.js';
import { IN_FLIGHT } from '../scenarios/limits.js';
import { SMALL_SEGMENT_BYTES } from '../scenarios/rotation.js';
import { whole } from './page/formats.js';
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
  const all = [
    ...(limits ? limitsBars(limits) : []),
    ...(closed ? peerBars(closed, peers, limits ?? []) : []),
    ...(bulk ? bulkBars(bulk) : []),
    ...(rotation ? [rotationBar(rotation)] : []),
    ...(windows ? windowBars(windows) : []),
    ...(recovery ? [scanBar(recovery)] : []),
  ];
  return all.filter((one) => one !== undefined);
}

/** How it stands to the disk, the yardstick and the harness. */
function limitsBars(limits: readonly Cell[]): (Bar | undefined)[] {
  const at = (system: string, inFlight: number) => cellAt(limits, system, { inFlight });
  const overYardstick = (system: string, musts: readonly number[]) =>
    IN_FLIGHT.map((inFlight, i) => {
      const yardstick = at('yardstick', inFlight);
      return bar(
        { bar: `${system}: rate over the yardstick`, where: inFlightText(inFlight) },
        { above: at(system, inFlight), below: yardstick, figure: rate },
        { atLeast: musts[i] as number },
        rateLimit(inFlight, limits, yardstick),
      );
    });
  const most = IN_FLIGHT.at(-1) as number;
  return [
    bar(
      { bar: 'p50 over the raw floor', where: '1 in flight' },
      { above: at('ringwal', 1), below: at('raw floor', 1), figure: p50 },
      { atMost: 1.12 },
    ),
    ...overYardstick('ringwal', OVER_YARDSTICK),
    ...overYardstick('ringwal, only grows', GROWING_OVER_YARDSTICK),
    bar(
      { bar: 'rate over the harness without I/O', where: inFlightText(most) },
      { above: at('ringwal', most), below: at('no I/O', most), figure: rate },
      { atLeast: 0.7 },
    ),
    ...IN_FLIGHT.map((inFlight) => {
      const [harness, yardstick] = [at('no I/O', inFlight), at('yardstick', inFlight)];
      return bar(
        { bar: "appending thread's CPU over the yardstick's", where: inFlightText(inFlight) },
        { above: at('ringwal', inFlight), below: yardstick, figure: appCpu },
        { atMost: 0.6 },
        // What the harness costs alone, with a promise an append and nothing else.
        harness && yardstick && medianOf(harness, appCpu) / medianOf(yardstick, appCpu),
      );
    }),
  ];
}

function peerBars(
  closed: readonly Cell[],
  peers: readonly string[],
  limits: readonly Cell[],
): (Bar | undefined)[] {
  return IN_FLIGHT.map((inFlight) => {
    const best = bestOf(closed, peers, { inFlight }, rate);
    return bar(
      {
        bar: `rate over the best durable peer${best ? ` (${best.system})` : ''}`,
        where: inFlightText(inFlight),
      },
      { above: cellAt(closed, 'ringwal', { inFlight }), below: best, figure: rate },
      { atLeast: inFlight === 1 ? 1 : 1.5 },
      rateLimit(inFlight, limits, best),
    );
  });
}

function bulkBars(bulk: readonly Cell[]): (Bar | undefined)[] {
  const musts = [
    ['batches of 100', 0.6],
    ['64 KiB records', 0.9],
  ] as const;
  return musts.map(([what, atLeast]) =>
    bar(
      { bar: 'payload bytes/s over the disk at the same group size', where: what },
      {
        above: cellAt(bulk, 'ringwal', { what }),
        below: bestOf(bulk, ['raw floor', 'raw floor, direct'], { what }, bytes),
        figure: bytes,
      },
      { atLeast },
    ),
  );
}

function rotationBar(rotation: readonly Cell[]): Bar | undefined {
  const isSmall = ({ at }: Cell): boolean => at.segmentBytes === SMALL_SEGMENT_BYTES;
  const above = rotation.find(isSmall);
  const below = rotation.find((cell) => !isSmall(cell));
  return bar(
    { bar: 'p99.9 with rotation every 4 MiB over without', where: '100 in flight' },
    { above, below, figure: p999 },
    { atMost: 1.5 },
  );
}

function scanBar(recovery: readonly Cell[]): Bar | undefined {
  const of = (what: string) => recovery.find(({ at }) => at.what === what);
  const [cat, checksums] = [of('cat > /dev/null'), of('checksums alone, all cores')];
  return bar(
    { bar: 'verified scan over cat', where: 'all cores' },
    { above: of('verify, all cores'), below: cat, figure: bytes },
    { atLeast: 0.5 },
    // Not even bytes that need not be fetched are verified faster than that.
    cat && checksums && medianOf(checksums, bytes) / medianOf(cat, bytes),
  );
}

/** No commit window, the default, over whichever fixed one is best at each load. */
function windowBars(windows: readonly Cell[]): (Bar | undefined)[] {
  return windows
    .filter(({ at }) => at.windowUs === 0)
    .flatMap((none) => {
      const { windowUs: _, ...load } = none.at;
      const where = loadText(load);
      const fixed = windows.filter(
        ({ at }) => at.windowUs !== 0 && Object.entries(load).every(([name, value]) => at[name] === value),
      );
      const best = (figure: Figure, sign: 1 | -1): Cell | undefined =>
        [...fixed].sort((a, b) => sign * (medianOf(a, figure) - medianOf(b, figure)))[0];
      const over = (what: string, figure: Figure, below: Cell | undefined, must: Bar['must']) =>
        bar(
          { bar: `no window: ${what} over the best fixed one`, where },
          { above: none, below, figure },
          must,
        );
      return [
        over('rate', rate, best(rate, -1), { atLeast: 0.95 }),
        over('p99', p99, best(p99, 1), { atMost: 1.1 }),
      ];
    });
}

/** Of two cells, round by round; undefined where one was not measured. `limit`: what no engine could pass. */
function bar(
  name: Pick<Bar, 'bar' | 'where'>,
  { above, below, figure }: { above: Cell | undefined; below: Cell | undefined; figure: Figure },
  must: Bar['must'],
  limit?: number,
): Bar | undefined {
  if (above === undefined || below === undefined) return undefined;
  const ratios = above.rounds.map((round, i) => {
    const other = below.rounds[i];
    return (figure(round) ?? Number.NaN) / ((other && figure(other)) ?? Number.NaN);
  });
  if (ratios.some(Number.isNaN)) return undefined;
  return { ...name, ratios, must, ...(limit !== undefined && !Number.isNaN(limit) && { limit }) };
}

/**
 * In a closed loop no engine passes N / (sync time + turnaround): the disk's time for a group of all N, and the time in
 * which the harness resolves and makes N appends. As a share of the rate of `other`.
 */
function rateLimit(inFlight: number, limits: readonly Cell[], other: Cell | undefined): number | undefined {
  const [floor, harness] = [
    cellAt(limits, 'raw floor', { inFlight }),
    cellAt(limits, 'no I/O', { inFlight }),
  ];
  if (!floor || !harness || !other) return undefined;
  const syncSeconds = 1 / medianOf(floor, rate);
  const turnaroundSeconds = inFlight / medianOf(harness, rate);
  return inFlight / (syncSeconds + turnaroundSeconds) / medianOf(other, rate);
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
  return `${whole(inFlight)} in flight`;
}

/** A load of the scenario `windows`. */
function loadText({ inFlight, perSecond, burst }: Cell['at']): string {
  if (inFlight !== undefined) return inFlightText(Number(inFlight));
  return perSecond === undefined
    ? `bursts of ${whole(Number(burst))}`
    : `${whole(Number(perSecond))} records/s`;
}
