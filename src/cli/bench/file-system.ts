/** file-system: what lies under a directory, as the kernel tells it: Linux; elsewhere little is known. */
import { readFile, realpath, statfs } from 'node:fs/promises';
import { basename } from 'node:path';

export interface FileSystem {
  /** `ext4`, `tmpfs`, ...; undefined: not known. */
  readonly type: string | undefined;
  readonly device: string | undefined;
  /** Whether the kernel flushes a cache of the device, `write back`, or thinks that there is none, `write through`. */
  readonly writeCache: string | undefined;
  readonly freeBytes: number;
}

export async function fileSystemOf(directory: string): Promise<FileSystem> {
  const path = await realpath(directory);
  const { bavail, bsize } = await statfs(path);
  const mount = mountOf(path, await readOr('/proc/self/mounts', ''));
  const writeCache = mount?.device.startsWith('/dev/') ? await writeCacheOf(mount.device) : undefined;
  return { type: mount?.type, device: mount?.device, writeCache, freeBytes: bavail * bsize };
}

/** The mount that holds `path`: the longest mount point that is a part of it, and of two the later one. */
export function mountOf(path: string, mounts: string): { device: string; type: string } | undefined {
  let best: { device: string; type: string; point: string } | undefined;
  for (const line of mounts.split('\n')) {
    const [device = '', escaped = '', type = ''] = line.split(' ');
    const point = escaped.replace(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const holds = path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
    if (point !== '' && holds && point.length >= (best?.point.length ?? 0)) best = { device, type, point };
  }
  return best && { device: best.device, type: best.type };
}

async function writeCacheOf(device: string): Promise<string | undefined> {
  const name = basename(await realpath(device).catch(() => device));
  // A partition has no queue of its own: it is that of the disk, the directory above where the link leads.
  for (const queue of [`${name}/queue`, `${name}/../queue`]) {
    const text = await readOr(`/sys/class/block/${queue}/write_cache`, '');
    if (text !== '') return text.trim();
  }
  return undefined;
}

function readOr(path: string, fallback: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => fallback);
}
