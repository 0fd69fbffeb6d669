/** cpus: how many CPUs this process may use at once: those that it is let run on, unless a quota makes them fewer. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Reads a file as text; throws when it can't. */
export type ReadTextSync = (path: string) => string;

/**
 * A whole number, or what a quota makes of it, which may be below 1. Quotas are those of Linux' control groups, both
 * versions, of the process's own group and of all above it as far as they are seen from here (in a container they hold what
 * the container may use); elsewhere none is known. Node's own count heeds them only in newer versions.
 */
export function usableCpus(
  read: ReadTextSync = (path) => readFileSync(path, 'utf8'),
  parallelism = availableParallelism(),
): number {
  return Math.min(parallelism, ...quotas(read));
}

/** All quotas that hold, in CPUs. */
function* quotas(read: ReadTextSync): Generator<number> {
  for (const line of (textOf(read, '/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, ...parts] = line.split(':');
    if (controllers === undefined || parts.length === 0) continue;
    const path = parts.join(':'); // a group may have one in its name
    const isUnified = controllers === '';
    if (!isUnified && !controllers.split(',').includes('cpu')) continue;
    for (const group of withParents(path)) {
      const words = isUnified
        ? textOf(read, `/sys/fs/cgroup${group}/cpu.max`)?.split(' ')
        : ['quota', 'period'].map((which) => textOf(read, `/sys/fs/cgroup/cpu${group}/cpu.cfs_${which}_us`));
      const [quotaUs, periodUs] = (words ?? []).map(Number); // NaN: `max`, or no such file
      if (quotaUs !== undefined && periodUs !== undefined && quotaUs > 0 && periodUs > 0)
        yield quotaUs / periodUs;
    }
  }
}

/** `/a/b`: that, `/a`, and the root, which is ''. */
function* withParents(path: string): Generator<string> {
  for (let group = path; group !== ''; group = group.slice(0, group.lastIndexOf('/')))
    if (group !== '/') yield group;
  yield '';
}

function textOf(read: ReadTextSync, path: string): string | undefined {
  try {
    return read(path).trim();
  } catch {
    return undefined;
  }
}
