/** opening: opens a log in this process and says what is in it, as the witness wants to hear it. */
import { createHash } from 'node:crypto';
import { openLog } from '../../dist/src/index.js';
import type { Found, Opening } from './witness.js';

export function digestOf(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest('base64url').slice(0, 20);
}

/** Opens, reads, and lets `task` use the log before it is closed. */
export async function openedLog(
  directory: string,
  task?: (append: (payload: string) => Promise<number>, opening: Opening) => Promise<void>,
): Promise<Opening> {
  await using log = await openLog(directory, {
    segmentBytes: 65_536,
    ringBytes: 32_768,
    syncMode: 'fdatasync',
  });
  const records: Found[] = [];
  for await (const { lsn, commitLsn, payload } of log.read())
    records.push({ lsn, commitLsn, digest: digestOf(payload) });
  const { firstLsn, lastLsn } = log.recovery;
  const opening = { records, firstLsn, lastLsn, checkpointLsn: log.checkpointLsn };
  await task?.((payload) => log.append(payload), opening);
  return opening;
}
