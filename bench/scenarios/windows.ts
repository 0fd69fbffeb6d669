/** windows: group size against latency: the same load with every setting of the commit window. */
import type { Load } from '../harness/load.js';
import type { Planned } from '../harness/rounds.js';
import { PAYLOAD_BYTES } from './closed.js';
import { scenarioOfCells } from './scenario.js';

/** 0, the default: a group is what arrived during the last sync. */
const WINDOWS_US = [0, 50, 100, 200, 500, 1000, 2000];
const QUICK_WINDOWS_US = [0, 100, 1000];
const IN_FLIGHT = [1, 10, 100, 1000, 10_000];
const PER_SECOND = [1000, 20_000, 200_000, 1_000_000];
const BURSTS = [10, 1000];
const BURST_EVERY_MS = 3;

export const windows = scenarioOfCells(
  'windows',
  'group size against latency at each setting of the commit window',
  false,
  ({ isQuick }) => {
    const ms = isQuick ? 200 : 500;
    const any = { ms, payloadBytes: PAYLOAD_BYTES } as const;
    const loads: [Planned['at'], Load][] = [
      ...(isQuick ? [10, 1000] : IN_FLIGHT).map((inFlight): [Planned['at'], Load] => [
        { inFlight },
        { kind: 'closed', inFlight, batch: 1, ...any },
      ]),
      ...(isQuick ? [20_000] : PER_SECOND).map((perSecond): [Planned['at'], Load] => [
        { perSecond },
        { kind: 'open', arrivals: 'poisson', perSecond, ...any },
      ]),
      ...(isQuick ? [] : BURSTS).map((records): [Planned['at'], Load] => [
        { burst: records },
        { kind: 'bursts', records, everyMs: BURST_EVERY_MS, ...any },
      ]),
    ];
    const cells = loads.flatMap(([at, load]) =>
      (isQuick ? QUICK_WINDOWS_US : WINDOWS_US).map(
        (windowUs): Planned => ({
          ...{ system: 'ringwal', options: { windowUs }, at: { ...at, windowUs } },
          ...{ beside: at, load },
        }),
      ),
    );
    return { cells, rounds: isQuick ? 1 : 4 };
  },
);
