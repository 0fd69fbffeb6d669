/**
 * full-disk: a log is opened on a disk that has no room: what holds nothing is given up for it, and nothing else. Else a log
 * that had filled its disk could not be opened to be truncated.
 */
import { expect, it } from 'vitest';
import { segmentName } from '../../dist/src/format/segment-header.js';
import { EngineHarness, payloadOf, recoverAll } from '../support/engine-harness.js';
import type { FaultPlan } from '../support/sim-fault.js';
import { SimStorage } from '../support/sim-storage.js';

/** Segment 1 with LSNs 1 to 3, and segment 2 as its spare; killed. `isSealed`: 2 is the next one, and empty, 3 the spare. */
async function killed(isSealed = false): Promise<SimStorage> {
  const storage = new SimStorage();
  const log = await EngineHarness.open(storage);
  for (const lsn of [1, 2, 3]) await log.append(payloadOf(lsn, 100));
  if (isSealed) await log.rotate();
  return storage;
}

/** Writes into a segment that is being made find no room as long as `isFull` of their bytes; asked before each of them. */
function full(isFull: (bytes: number) => boolean): FaultPlan {
  return ({ kind, name, bytes = 0 }) =>
    kind === 'write' && name.endsWith('.new') && isFull(bytes) ? { code: 'ENOSPC' } : undefined;
}

const lsnsOf = (records: readonly { lsn: number }[]): number[] => records.map(({ lsn }) => lsn);

it('the room of a spare that was never used is taken for the next segment', async () => {
  let storage = await killed();
  let isFull = true;
  const inTheWay = full(() => isFull);
  storage = storage.fork({
    plan: (operation) => {
      if (operation.kind === 'unlink' && operation.name === segmentName(2)) isFull = false;
      return inTheWay(operation);
    },
  });
  const { records, log } = await recoverAll(storage);
  expect(lsnsOf(records)).toEqual([1, 2, 3]);
  expect(log.engine.stats()).toMatchObject({ maintenanceErrors: 0, maintenanceError: undefined });
  await log.append(payloadOf(4, 100));
  await log.close();
  expect(lsnsOf((await recoverAll(SimStorage.boot(storage.durableImage()))).records)).toEqual([1, 2, 3, 4]);
});

it('without room for the zeros of a new segment its first blocks do', async () => {
  const storage = (await killed()).fork({ plan: full((bytes) => bytes > 4096) });
  expect(lsnsOf((await recoverAll(storage)).records)).toEqual([1, 2, 3]);
});

it.each([
  false,
  true,
])('without any room it is refused, and opens once there is some (the segment is sealed: %s)', async (isSealed) => {
  const storage = (await killed(isSealed)).fork({ plan: full(() => true) });
  for (const _ of [1, 2]) {
    await expect(EngineHarness.open(storage)).rejects.toMatchObject({
      ...{ code: 'RINGWAL_IO', cause: { code: 'ENOSPC' } },
    });
  }
  expect(storage.openFiles).toEqual([]);
  const names = await storage.fork().list();
  expect(names).toContain(segmentName(1));
  expect(names.includes(segmentName(2))).toBe(isSealed); // a sealed segment without its successor is no end of a log
  for (const later of [storage.fork(), SimStorage.boot(storage.durableImage())]) {
    expect(lsnsOf((await recoverAll(later)).records)).toEqual([1, 2, 3]);
  }
});
