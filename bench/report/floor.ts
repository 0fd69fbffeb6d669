/**
 * floor: the raw disk as a line among the systems. It has no callers to wait for: the scenario `limits` writes and syncs at
 * once what a group of all that is in flight would be, so each of its writes stands for as many records.
 */
import type { Measurement } from '../harness/load.js';
import type { Cell, Results } from './results.js';
import { alongAxis } from './spread.js';

export const FLOOR = 'raw floor';

/** The cells of the scenario `closed`, with the floor at every size of a group that was measured. */
export function closedWithFloor({ scenarios }: Results): Cell[] {
  const { closed = [], limits = [] } = scenarios;
  const floor = alongAxis(
    limits.filter(({ system }) => system === FLOOR),
    'inFlight',
  ).map(({ x, cell }): Cell => ({ ...cell, rounds: cell.rounds.map((round) => ofGroups(round, x)) }));
  if (closed.length === 0 || floor.length === 0) return [...closed];
  return [...closed.filter(({ system }) => system !== FLOOR), ...floor];
}

/** Writes as the records that they stand for. */
function ofGroups(round: Measurement, records: number): Measurement {
  const { appCpuUs, otherCpuUs } = round;
  return {
    ...round,
    records: round.records * records,
    recordsPerSecond: round.recordsPerSecond * records,
    groupRecords: records,
    ...(appCpuUs === undefined ? {} : { appCpuUs: appCpuUs / records }),
    ...(otherCpuUs === undefined ? {} : { otherCpuUs: otherCpuUs / records }),
  };
}
