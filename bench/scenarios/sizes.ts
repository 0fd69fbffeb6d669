/** sizes: records from 16 bytes to a MiB, as many in flight as make 16 MiB or a thousand. */
import type { Planned } from '../harness/rounds.js';
import { ofRole, present, scenarioOfCells } from './scenario.js';

const BYTES = [16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];
const QUICK_BYTES = [16, 1024, 65_536];
const MOST_IN_FLIGHT = 1000;
const MOST_BYTES_IN_FLIGHT = 16 * 1024 * 1024;

export const sizes = scenarioOfCells('sizes', 'records of 16 bytes to 1 MiB', true, ({ isQuick, kinds }) => {
  // The peers are left to the whole run: to open each takes longer than what a quick one measures.
  const peers = isQuick ? [] : ofRole('peer', kinds);
  const systems = [...present(['ringwal', 'ringwal direct', 'yardstick'], kinds), ...peers];
  const cells = (isQuick ? QUICK_BYTES : BYTES).flatMap((payloadBytes) => {
    const inFlight = Math.min(MOST_IN_FLIGHT, Math.floor(MOST_BYTES_IN_FLIGHT / payloadBytes));
    return kinds
      .filter(({ name, mostInFlight }) => systems.includes(name) && mostInFlight === undefined)
      .map(
        ({ name }): Planned => ({
          system: name,
          at: { payloadBytes },
          load: { kind: 'closed', inFlight, batch: 1, ms: isQuick ? 200 : 400, payloadBytes },
        }),
      );
  });
  return { cells, rounds: isQuick ? 1 : 2 };
});
