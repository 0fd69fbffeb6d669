/** rotation: what a new segment costs those who wait: the same load with a new one every 4 MiB, and with hardly any. */
import type { Planned } from '../harness/rounds.js';
import { PAYLOAD_BYTES } from './closed.js';
import { scenarioOfCells } from './scenario.js';

const MiB = 1024 * 1024;
export const SMALL_SEGMENT_BYTES = 4 * MiB;
const LARGE_SEGMENT_BYTES = 512 * MiB;
/** For what is written in a second; each system is warm only when it has filled some. */
const QUICK_LARGE_SEGMENT_BYTES = 128 * MiB;

export const rotation = scenarioOfCells(
  'rotation',
  'latency with a new segment every 4 MiB, and with hardly any',
  false,
  ({ isQuick }) => {
    const largeBytes = isQuick ? QUICK_LARGE_SEGMENT_BYTES : LARGE_SEGMENT_BYTES;
    const cells = [SMALL_SEGMENT_BYTES, largeBytes].map(
      (segmentBytes): Planned => ({
        system: 'ringwal',
        options: { segmentBytes },
        at: { segmentBytes },
        beside: 'both',
        load: {
          ...{ kind: 'closed', inFlight: 100, batch: 1, payloadBytes: PAYLOAD_BYTES },
          ...{ ms: isQuick ? 1000 : 4000, hasTimeline: true },
        },
      }),
    );
    return { cells, rounds: isQuick ? 1 : 5 };
  },
);
