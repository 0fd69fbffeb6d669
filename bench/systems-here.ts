/** systems-here: which systems can be measured on this machine, and whether each really syncs what it acknowledges. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import PQueue from 'p-queue';
import type { SystemKind } from './harness/system.js';
import type { SystemReport } from './report/results.js';
import { countSyncs } from './systems/sync-check.js';

/** At a time: a check waits more than it works, and strace sees each one's own processes only. */
const CHECKS = 4;

/** `directory`: for the checks, each of so many `appends`. */
export async function lookAtSystems(
  directory: string,
  appends: number,
  all: readonly SystemKind[],
): Promise<{ kinds: readonly SystemKind[]; systems: readonly SystemReport[] }> {
  const queue = new PQueue({ concurrency: CHECKS });
  const systems = await queue.addAll(
    all.map((kind, i) => () => look(kind, appends, join(directory, `syncs-${i}`))),
  );
  return { kinds: all.filter((_, i) => systems[i]?.lacking === undefined), systems };
}

async function look(kind: SystemKind, appends: number, directory: string): Promise<SystemReport> {
  const { name, what, role } = kind;
  const lacking = await kind.lacking?.();
  if (lacking !== undefined) return { name, what, role, lacking };
  mkdirSync(directory);
  chmodSync(directory, 0o711); // as in hosted-system
  const syncs =
    role === 'limit' ? await tryToOpen(kind, directory) : await countSyncs(name, directory, appends);
  rmSync(directory, { recursive: true, force: true });
  if (syncs instanceof Error) return { name, what, role, lacking: syncs.message };
  return { name, what, role, ...(typeof syncs === 'object' ? { syncs } : { uncounted: syncs }) };
}

/** Limits are no logs that could sync too little; but not every file system lets each be opened. */
async function tryToOpen(kind: SystemKind, directory: string): Promise<string | Error> {
  try {
    const system = await kind.open(directory);
    await system.close();
    return 'not a log';
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
