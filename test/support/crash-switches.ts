/**
 * crash-switches: which parts of the crash model (M1 to M9, see sim-storage) a disk image after a crash exercises, so that
 * a sweep can tell how much it has tried of each.
 */
import { type CrashChoices, DURABLE, TORN_TO_GARBAGE, TORN_TO_ZEROS } from './crash-choices.js';
import type { FailedSync } from './sim-inode.js';
import type { SimStorage } from './sim-storage.js';

export const SWITCHES = [
  'M1 sectors lost',
  'M1 sectors torn to zeros',
  'M1 sectors torn to garbage',
  'M2 size and data apart',
  'M3 names lost',
  'M4 names of synced files lost',
  'M5 after syncs',
  'M6 after recycling',
  'M7 after a failed sync, lost',
  'M7 after a failed sync, partial',
  'M7 after a failed sync, reverted',
  'M8 after a short write',
  'M9 pages lost',
] as const;

export type Switch = (typeof SWITCHES)[number];

const FAILED: Readonly<Record<FailedSync, Switch>> = {
  lost: 'M7 after a failed sync, lost',
  partial: 'M7 after a failed sync, partial',
  revert: 'M7 after a failed sync, reverted',
};

/** What all images of this machine have behind them. */
export function switchesBefore(storage: SimStorage, failedSync: FailedSync = 'lost'): Switch[] {
  const found = new Set<Switch>();
  for (const { kind, name, outcome } of storage.operations) {
    const isOk = outcome === 'ok';
    const hasFailed = !isOk && outcome !== 'crash' && outcome !== 'violation';
    const isSync = kind === 'sync' || kind === 'syncGroup';
    if (isSync && isOk) found.add('M5 after syncs');
    if (isSync && hasFailed) found.add(FAILED[failedSync]);
    // A segment's file on its way to a new segment, with all that it held.
    if (kind === 'link' && isOk && name.endsWith('.wal')) found.add('M6 after recycling');
    if ((kind === 'write' || kind === 'writeGroup') && hasFailed) found.add('M8 after a short write');
  }
  return [...found];
}

/** What this image in particular has lost; each once. */
export function switchesOf({ all }: CrashChoices, picks: ArrayLike<number>): Set<Switch> {
  const found = new Set<Switch>();
  let hasOldSector = false;
  let hasNewSector = false;
  let hasOldSize = false;
  let hasNewSize = false;
  for (let i = 0; i < all.length; i++) {
    const choice = all[i];
    const pick = picks[i] ?? 0;
    if (choice === undefined) continue;
    const isNewest = pick === choice.newest;
    const operation = choice.operations[pick] ?? DURABLE;
    if (choice.kind === 'sector') {
      if (isNewest) hasNewSector = true;
      else if (operation === TORN_TO_ZEROS) found.add('M1 sectors torn to zeros');
      else if (operation === TORN_TO_GARBAGE) found.add('M1 sectors torn to garbage');
      else hasOldSector = true;
    } else if (choice.kind === 'size') {
      if (isNewest) hasNewSize = true;
      else hasOldSize = true;
    } else if (choice.kind === 'page') {
      if (!isNewest) found.add('M9 pages lost');
    } else if (!isNewest) {
      found.add('M3 names lost');
      const target = choice.values[choice.newest];
      if (target !== undefined && target.durable.length > 0) found.add('M4 names of synced files lost');
    }
  }
  if (hasOldSector) found.add('M1 sectors lost');
  if ((hasOldSize && hasNewSector) || (hasNewSize && hasOldSector)) found.add('M2 size and data apart');
  return found;
}
