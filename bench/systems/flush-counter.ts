/** flush-counter: how many flushes of its cache the disk below a directory has done, from /proc/diskstats. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Field 16 of the kernel's Documentation/admin-guide/iostats.rst, "flush requests completed", behind the two numbers
 * and the name of the device.
 */
const FLUSHES_COLUMN = 18;

/** Reads the counter; or why there is none. */
export function flushCounter(directory: string): (() => number) | string {
  const { dev } = statSync(directory);
  const disk = diskBelow(`${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`);
  if (disk === undefined) return `no block device is known below ${directory}`;
  if (flushesOf(disk) === undefined) return 'the kernel does not count flushes in /proc/diskstats';
  const cache = `/sys/dev/block/${disk}/queue/write_cache`;
  if (existsSync(cache) && readFileSync(cache, 'utf8').trim() === 'write through')
    return 'the disk has no volatile write cache, so that it is never flushed';
  return () => flushesOf(disk) ?? 0;
}

/**
 * The whole disk, as "major:minor": flushes of a partition, or of a device that is mapped to others, are counted there.
 */
function diskBelow(device: string): string | undefined {
  const path = `/sys/dev/block/${device}`;
  if (!existsSync(path)) return undefined;
  if (existsSync(join(path, 'partition'))) return numbersOf(join(realpathSync(path), '..'));
  const slaves = join(path, 'slaves');
  const [below] = existsSync(slaves) ? readdirSync(slaves) : [];
  return below === undefined ? device : diskBelow(numbersOf(join(slaves, below)));
}

function numbersOf(path: string): string {
  return readFileSync(join(path, 'dev'), 'utf8').trim();
}

function flushesOf(disk: string): number | undefined {
  const line = readFileSync('/proc/diskstats', 'utf8')
    .split('\n')
    .map((text) => text.trim().split(/ +/))
    .find(([major, minor]) => `${major}:${minor}` === disk);
  const flushes = line?.[FLUSHES_COLUMN];
  return flushes === undefined ? undefined : Number(flushes);
}
