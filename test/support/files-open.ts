/** files-open: which files this process has open, as Linux tells. */
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

const FDS = '/proc/self/fd';

/** How many descriptors of this process lead into `directory`; 0 where that can't be told. */
export function filesOpenIn(directory: string): number {
  if (process.platform !== 'linux') return 0;
  return readdirSync(FDS).filter((fd) => {
    try {
      return readlinkSync(join(FDS, fd)).startsWith(directory);
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}
