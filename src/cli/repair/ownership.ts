/** ownership: gives a repaired log to the owner of the damaged one, so that root may repair a service's log. */
import { chmod, chown, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Mode of `from` for `to`; and its owner for `to` and all files in it, where that can be given. */
export async function giveTo(from: string, to: string): Promise<void> {
  const { uid, gid, mode } = await stat(from);
  if (process.getuid?.() === 0) {
    for (const name of await readdir(to)) await chown(join(to, name), uid, gid);
    await chown(to, uid, gid);
  }
  await chmod(to, mode & 0o7777);
}
