/** closed: so many callers, each of which waits for its record: throughput, latency and size of groups, from 1 to 16 384. */
import type { Planned } from '../harness/rounds.js';
import { scenarioOfCells } from './scenario.js';

const IN_FLIGHT = [1, 3, 10, 32, 100, 316, 1000, 3162, 10_000, 16_384];
const QUICK_IN_FLIGHT = [1, 10, 100, 1000, 10_000];
export const PAYLOAD_BYTES = 128;

export const closed = scenarioOfCells(
  'closed',
  '1 to 16 384 callers, each of which waits for its record',
  true,
  ({ isQuick, kinds }) => {
    const cells = (isQuick ? QUICK_IN_FLIGHT : IN_FLIGHT).flatMap((inFlight) =>
      kinds
        .filter(({ mostInFlight = Number.POSITIVE_INFINITY }) => inFlight <= mostInFlight)
        .map(
          ({ name }): Planned => ({
            system: name,
            at: { inFlight },
            load: {
              kind: 'closed',
              inFlight,
              batch: 1,
              ms: isQuick ? 100 : 400,
              payloadBytes: PAYLOAD_BYTES,
            },
          }),
        ),
    );
    return { cells, rounds: isQuick ? 1 : 3 };
  },
);
