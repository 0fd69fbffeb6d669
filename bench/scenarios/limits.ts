/**
 * limits: what the speed bars are made of: ringwal beside the yardstick, the harness without any I/O, and the raw disk with
 * writes as large as a group of all that is in flight. More rounds than elsewhere.
 */
import type { Planned } from '../harness/rounds.js';
import { floorPayloadBytes } from '../systems/floor.js';
import { PAYLOAD_BYTES } from './closed.js';
import { scenarioOfCells } from './scenario.js';

export const IN_FLIGHT = [1, 10, 100, 1000, 10_000];
const SYSTEMS = ['ringwal', 'ringwal, only grows', 'yardstick', 'no I/O'];

export const limits = scenarioOfCells(
  'limits',
  'what the speed bars are made of, in more rounds',
  false,
  ({ isQuick }) => {
    const ms = isQuick ? 200 : 1000;
    const cells = IN_FLIGHT.flatMap((inFlight): Planned[] => [
      ...SYSTEMS.map(
        (system): Planned => ({
          ...{ system, at: { inFlight } },
          load: { kind: 'closed', inFlight, batch: 1, ms, payloadBytes: PAYLOAD_BYTES },
        }),
      ),
      {
        ...{ system: 'raw floor', at: { inFlight } },
        load: {
          ...{ kind: 'closed', inFlight: 1, batch: 1, ms },
          payloadBytes: floorPayloadBytes(PAYLOAD_BYTES, inFlight),
        },
      },
    ]);
    return { cells, rounds: isQuick ? 1 : 5 };
  },
);
