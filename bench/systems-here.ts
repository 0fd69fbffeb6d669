/** systems-here: which systems can be measured on this machine, and whether each really syncs what it acknowledges. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemKind } from './harness/system.js';
import type { SystemReport } from './report/results.js';
import { KINDS } from './systems/index.js';
import { countSyncs } from './systems/sync-check.js';

const APPENDS = 20;

/** `directory`: for the checks. */
export async function lookAtSystems(
  directory: string,
): Promise<{ kinds: readonly SystemKind[]; systems: readonly SystemReport[] }> {
  const kinds: SystemKind[] = [];
  const systems: SystemReport[] = [];
  for (const kind of KINDS) {
    const { name, what, role } = kind;
    const lacking = await kind.lacking?.();
    if (lacking !== undefined) {
      systems.push({ name, what, role, lacking });
      continue;
    }
    kinds.push(kind);
    const own = join(directory, `syncs-${systems.length}`);
    mkdirSync(own);
    const syncs = role === 'limit' ? 'not a log' : await countSyncs(name, own, APPENDS);
    rmSync(own, { recursive: true, force: true });
    systems.push({ name, what, role, ...(typeof syncs === 'object' ? { syncs } : { uncounted: syncs }) });
  }
  return { kinds, systems };
}
