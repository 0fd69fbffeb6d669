/**
 * failures: workloads in which a sync fails, or a write after a part of it, and the log is opened again in the same boot,
 * over what that has left in the cache.
 */
import type { Workload } from '../../support/engine-sweep.js';
import type { FaultPlan, SimFault, SimOperationKind } from '../../support/sim-fault.js';
import type { FailedSync } from '../../support/sim-inode.js';
import { large, small, torn } from './payloads.js';

/** The group operation of this kind with this number fails, once; number 0 is recovery's own. */
function nth(kind: SimOperationKind, number: number, fault: SimFault): () => FaultPlan {
  return () => {
    let seen = 0;
    return (operation) => (operation.kind === kind && seen++ === number ? fault : undefined);
  };
}

/** Appends until the log has failed, and goes on with another that is opened in the same boot. */
const appendAndReopen: Workload['run'] = async (open) => {
  const log = await open();
  for (let i = 0; i < 5; i++) {
    log.submit(small(i * 10), 0);
    log.submit(large(i * 10 + 1).subarray(0, 2000), 1);
    await log.commit();
  }
  const again = await open();
  for (let i = 0; i < 6; i++) await again.append(large(100 + i));
  const third = await open();
  await third.append(small(200));
};

function failingSync(failedSync: FailedSync, number: number): Workload {
  return {
    name: `sync ${number} fails and leaves the data ${failedSync}; opened again in the same boot`,
    states: torn,
    faults: nth('syncGroup', number, { code: 'EIO' }),
    failedSync,
    run: appendAndReopen,
  };
}

function shortWrite(writtenBytes: number, code: string): Workload {
  return {
    name: `a write ends with ${code} after ${writtenBytes} bytes; opened again in the same boot`,
    states: torn,
    faults: nth('writeGroup', 3, { code, writtenBytes }),
    run: appendAndReopen,
  };
}

export const failures: readonly Workload[] = [
  ...(['lost', 'partial', 'revert'] as const).flatMap((mode) =>
    [1, 2, 4].map((number) => failingSync(mode, number)),
  ),
  shortWrite(0, 'EIO'),
  shortWrite(600, 'ENOSPC'),
  shortWrite(1500, 'EIO'),
];
