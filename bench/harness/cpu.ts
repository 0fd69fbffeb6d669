/** cpu: CPU time of this process, the thread that asks and all the others apart, in microseconds. */
import { readFileSync } from 'node:fs';

export interface CpuTime {
  /** Of the thread that asks; undefined where the system does not tell threads apart. */
  readonly thread: number | undefined;
  readonly process: number;
}

export function cpuTime(): CpuTime {
  const { user, system } = process.cpuUsage();
  return { thread: threadUs(), process: user + system };
}

/** Of the main thread, whose id is that of the process: nanoseconds on a CPU come first in its line (Documentation/scheduler/sched-stats.rst). */
function threadUs(): number | undefined {
  try {
    const [ns] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(ns) / 1000;
  } catch {
    return undefined;
  }
}
