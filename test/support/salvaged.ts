/** salvaged: a damaged disk salvaged into a new one, which is then opened and read. */

import type { SalvageReport } from '../../dist/src/salvage/report.js';
import { salvageLog } from '../../dist/src/salvage/salvage-log.js';
import { boot, type Disk, diskOf, open, sameDisk } from '../recovery/disk.js';
import { simulatedEnvironment } from './engine-harness.js';
import type { RecoveredRecord } from './oracle.js';
import type { FaultPlan } from './sim-fault.js';
import { SimStorage } from './sim-storage.js';

export interface Salvaged {
  readonly report: SalvageReport;
  /** What the new log gives. */
  readonly records: readonly RecoveredRecord[];
  readonly disk: Disk;
}

/** Salvages, checks that the damaged files are as before, and opens the new log in the strictest mode. */
export async function salvaged(
  disk: Disk,
  options: { maxFillers?: number; beforeEpoch?: number; check?: () => void } = {},
  plan: FaultPlan = () => undefined,
): Promise<Salvaged> {
  const source = boot(disk, { plan });
  const target = new SimStorage();
  const report = await salvageLog(source, target, {
    segmentBytes: 0,
    maxFillers: 10_000,
    beforeEpoch: Number.POSITIVE_INFINITY,
    environment: simulatedEnvironment(7),
    check: () => {},
    ...options,
  });
  if (!sameDisk(diskOf(source), disk)) throw new Error('a damaged file was changed');
  for (const storage of [source, target]) {
    if (storage.violations.length > 0) throw new Error(storage.violations[0]);
    if (storage.openFiles.length > 0) throw new Error(`left open: ${storage.openFiles}`);
  }
  const made = diskOf(target);
  if (report.savedRecords === 0) {
    if (made.size > 0) throw new Error('files were made for nothing');
    return { report, records: [], disk: made };
  }
  const log = await open(boot(made), { recovery: 'absolute', mustInclude: report.lastLsn });
  const { firstLsn, lastLsn } = log.engine.summary;
  if (firstLsn !== report.firstLsn || lastLsn !== report.lastLsn)
    throw new Error(
      `the log is ${firstLsn} to ${lastLsn}, told were ${report.firstLsn} to ${report.lastLsn}`,
    );
  return { report, records: await log.readAll(), disk: made };
}
