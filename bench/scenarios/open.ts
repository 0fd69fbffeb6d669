/**
 * open: appends that come at a rate of their own, whatever becomes of those before; latency counts from when each was due.
 * The rates are shares of what the system reached with many callers.
 */
import { measureCells, type Planned, roundMs } from '../harness/rounds.js';
import type { SystemKind } from '../harness/system.js';
import type { Cell } from '../report/results.js';
import { median } from '../report/statistics.js';
import { PAYLOAD_BYTES } from './closed.js';
import { ofRole, present, type Scenario } from './scenario.js';

const SHARES = [0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95];
const QUICK_SHARES = [0.1, 0.5, 0.9];
const ARRIVALS = ['constant', 'poisson'] as const;
const PEERS = 2;
const QUICK_PEERS = 1;

export const open: Scenario = {
  name: 'open',
  what: 'appends at 10 to 95 % of the highest rate, evenly and at random (Poisson)',
  hasPeers: true,
  estimateMs: ({ isQuick, kinds }) =>
    roundMs(
      planned(
        systemsOf({}, kinds, isQuick).map((name) => [name, 1e5]),
        isQuick,
      ),
    ) * (isQuick ? 1 : 2),
  run({ directory, isQuick, kinds, progress, before }) {
    const rates = systemsOf(before, kinds, isQuick).map((name): [string, number] => [
      name,
      saturation(name, before.closed),
    ]);
    return measureCells(planned(rates, isQuick), isQuick ? 1 : 2, directory, progress);
  },
};

function planned(
  rates: readonly (readonly [system: string, perSecond: number])[],
  isQuick: boolean,
): Planned[] {
  return ARRIVALS.flatMap((arrivals) =>
    (isQuick ? QUICK_SHARES : SHARES).flatMap((load) =>
      rates.map(([system, most]): Planned => {
        const perSecond = Math.max(1, Math.round(most * load));
        return {
          system,
          at: { load, arrivals, perSecond },
          beside: { load, arrivals },
          load: { kind: 'open', arrivals, perSecond, ms: isQuick ? 200 : 1000, payloadBytes: PAYLOAD_BYTES },
        };
      }),
    ),
  );
}

/** ringwal, the yardstick, and the fastest peers. */
function systemsOf(
  before: Readonly<Record<string, readonly Cell[]>>,
  kinds: readonly SystemKind[],
  isQuick: boolean,
): string[] {
  const peers = ofRole('peer', kinds).sort(
    (a, b) => saturation(b, before.closed) - saturation(a, before.closed),
  );
  return [...present(['ringwal', 'yardstick'], kinds), ...peers.slice(0, isQuick ? QUICK_PEERS : PEERS)];
}

/** The highest rate that it has reached with any number of callers. */
function saturation(system: string, closed: readonly Cell[] = []): number {
  const rates = closed
    .filter((cell) => cell.system === system)
    .map(({ rounds }) => median(rounds.map(({ recordsPerSecond }) => recordsPerSecond)));
  return rates.length === 0 ? 100_000 : Math.max(...rates);
}
