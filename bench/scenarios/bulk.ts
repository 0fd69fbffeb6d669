/**
 * bulk: bytes a second in batches of 100 records and in records of 64 KiB, beside what the disk itself does with writes of
 * the size that ringwal's groups turn out to have.
 */
import { join } from 'node:path';
import { HostedSystem } from '../harness/hosted-system.js';
import { kindOf } from '../harness/kinds.js';
import type { ClosedLoad } from '../harness/load.js';
import { measureCells, type Planned } from '../harness/rounds.js';
import { floorPayloadBytes } from '../systems/floor.js';
import { present, type Scenario } from './scenario.js';

const LOADS: readonly (readonly [what: string, load: Omit<ClosedLoad, 'ms'>])[] = [
  ['batches of 100', { kind: 'closed', inFlight: 64, batch: 100, payloadBytes: 128 }],
  ['64 KiB records', { kind: 'closed', inFlight: 200, batch: 1, payloadBytes: 65_536 }],
];

const settings = (isQuick: boolean) => ({ ms: isQuick ? 300 : 1000, rounds: isQuick ? 1 : 5 });

export const bulk: Scenario = {
  name: 'bulk',
  what: 'bytes a second in batches and large records, beside the disk itself',
  hasPeers: false,
  estimateMs({ isQuick }) {
    const { ms, rounds } = settings(isQuick);
    return LOADS.length * (ms + rounds * 3 * 1.25 * ms);
  },
  async run({ directory, isQuick, kinds, progress }) {
    const { ms, rounds } = settings(isQuick);
    const cells: Planned[] = [];
    for (const [what, load] of LOADS) {
      const groupRecords = await groupRecordsOf({ ...load, ms }, join(directory, 'trial'));
      progress.advance(ms);
      const payloadBytes = floorPayloadBytes(load.payloadBytes, groupRecords);
      cells.push(
        { system: 'ringwal', at: { what }, load: { ...load, ms } },
        ...present(['raw floor', 'raw floor, direct'], kinds).map(
          (system): Planned => ({
            ...{ system, at: { what } },
            load: { kind: 'closed', inFlight: 1, batch: 1, ms, payloadBytes },
          }),
        ),
      );
    }
    return measureCells(cells, rounds, directory, progress);
  },
};

async function groupRecordsOf(load: ClosedLoad, directory: string): Promise<number> {
  const system = await HostedSystem.open(kindOf('ringwal'), directory);
  try {
    return (await system.measure(load)).groupRecords ?? 1;
  } finally {
    system.kill();
  }
}
