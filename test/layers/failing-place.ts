/**
 * failing-place: where the logs of the layer failing-sync lie, and the moments at which they are opened again: in the
 * same boot; after the page cache was dropped; after the file system was mounted again.
 */
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Disks, ext4, makeImage, mountingLacks } from '../support/disks.js';
import { inScratch } from '../support/scratch.js';

export const MOMENTS = ['the same boot', 'drop_caches', 'a remount'] as const;
export type Moment = (typeof MOMENTS)[number];

const DROP_CACHES = '/proc/sys/vm/drop_caches';

export interface Place {
  /** Where the logs lie, and a directory elsewhere. */
  readonly path: string;
  readonly outside: string;
  readonly moments: readonly Moment[];
  /** Whether files can be written there past the cache. */
  readonly isDirect: boolean;
  reach(moment: Moment): Promise<void>;
}

/** Why file systems can't be mounted here, or the page cache not be dropped. */
export function mountedLacks(): string | undefined {
  return mountingLacks('mkfs.ext4') ?? writingLacks(DROP_CACHES);
}

/** Why nobody may write there: in a container, even root may not. */
export function writingLacks(path: string): string | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch {
    return `${path} can't be written`;
  }
}

/** Clean pages, names and inodes of all file systems go; what is dirty stays. */
export function dropCaches(): void {
  writeFileSync(DROP_CACHES, '3');
}

export async function inPlace<T>(task: (place: Place) => Promise<T>): Promise<T> {
  return mountedLacks() === undefined ? onImage(task) : inDirectory(task);
}

function onImage<T>(task: (place: Place) => Promise<T>): Promise<T> {
  const system = { ...ext4(4096, 'ordered'), bytes: 256 * 1024 * 1024 };
  return inScratch(async (outside) => {
    const disks = new Disks(outside);
    try {
      const [image, path] = [join(outside, 'image'), join(outside, 'mounted')];
      mkdirSync(path);
      makeImage(image, system);
      await disks.mount(image, path, system);
      const reach = async (moment: Moment): Promise<void> => {
        if (moment === 'drop_caches') dropCaches();
        if (moment !== 'a remount') return;
        await disks.unmount(path);
        await disks.mount(image, path, system);
      };
      return await task({ path, outside, moments: MOMENTS, isDirect: true, reach });
    } finally {
      await disks.end();
    }
  });
}

async function inDirectory<T>(task: (place: Place) => Promise<T>): Promise<T> {
  const outside = mkdtempSync(join(tmpdir(), 'ringwal-failing-'));
  try {
    const path = join(outside, 'logs');
    mkdirSync(path);
    const isDirect = canBeDirect(join(outside, 'probe'));
    return await task({ path, outside, moments: ['the same boot'], isDirect, reach: async () => {} });
  } finally {
    rmSync(outside, { recursive: true, force: true });
  }
}

function canBeDirect(path: string): boolean {
  try {
    closeSync(openSync(path, constants.O_CREAT | constants.O_RDWR | constants.O_DIRECT, 0o600));
    return true;
  } catch {
    return false;
  }
}
