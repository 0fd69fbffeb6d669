/** reopening: opens a writer's log again and again, each time held to all that was promised before, and uses it. */
import { digestOf, type openedByEngine, openedLog } from './opening.js';
import { BrokenPromise, type Opening, type Witness } from './witness.js';

/**
 * Opens, compares what is found with what was promised, and appends. Throws BrokenPromise; and what opening or appending
 * rejects with, in which case what opening had returned counts as promised all the same.
 */
export async function reopen(
  directory: string,
  witness: Witness,
  name: string,
  opened: typeof openedByEngine | typeof openedLog = openedLog,
): Promise<void> {
  let found: Opening | undefined;
  let lsn: number | undefined;
  const payload = `${name}: the log goes on`;
  try {
    await opened(directory, async (append, opening) => {
      found = opening;
      lsn = await append(payload);
    });
  } finally {
    if (found !== undefined) {
      witness.check(found, false);
      witness.begin(found);
      witness.hear(`i 0 record ${digestOf(Buffer.from(payload))}`);
      if (lsn !== undefined) witness.hear(`a 0 ${lsn}`);
    }
  }
  if (lsn !== (found?.lastLsn ?? 0) + 1)
    throw new BrokenPromise(`LSN ${lsn} was given after ${found?.lastLsn}`);
}

/** As `reopen`, on a disk that may refuse: false when it did, which it may do by RINGWAL_IO and RINGWAL_POISONED only. */
export async function mayReopen(directory: string, witness: Witness, name: string): Promise<boolean> {
  try {
    await reopen(directory, witness, name);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'RINGWAL_IO' || code === 'RINGWAL_POISONED') return false;
    throw error;
  }
}
