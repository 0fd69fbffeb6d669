/** idle-cpus: how CPUs of a virtual machine wait for something to do: Linux with the `haltpoll` driver; else not known. */
import { readFile } from 'node:fs/promises';

/** What is written to make them wait awake for longer; as root. */
export const HALT_POLL_FILE = '/sys/module/haltpoll/parameters/guest_halt_poll_ns';
const DRIVER_FILE = '/sys/devices/system/cpu/cpuidle/current_driver';

/** Reads a file as text. */
export type ReadText = (path: string) => Promise<string>;

/**
 * How long a CPU waits awake before it halts, in us; undefined: another driver decides, or it is not known. A CPU that
 * halts has to be brought back by the host, with what it had in its caches gone.
 */
export async function haltPollUs(
  read: ReadText = (path) => readFile(path, 'utf8'),
): Promise<number | undefined> {
  try {
    if ((await read(DRIVER_FILE)).trim() !== 'haltpoll') return undefined;
    const ns = Number.parseInt(await read(HALT_POLL_FILE), 10);
    return Number.isNaN(ns) ? undefined : ns / 1000;
  } catch {
    return undefined;
  }
}
