/** environment: the machine, the kernel and the file system that a run was made on. */
import { readFileSync, realpathSync } from 'node:fs';
import { cpus, release, type } from 'node:os';

export interface BenchEnvironment {
  readonly node: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly fileSystem: string;
  readonly writeCache: string;
  /** What lets idle CPUs rest; in a virtual machine, whether they wait awake first: it decides what a wake-up costs. */
  readonly idleCpus: string;
}

export function describeEnvironment(directory: string): BenchEnvironment {
  const mount = mountOf(realpathSync(directory));
  return {
    node: process.version,
    kernel: `${type()} ${release()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    fileSystem: mount === undefined ? 'unknown' : `${mount.type} on ${mount.device} (${mount.options})`,
    writeCache: mount === undefined ? 'unknown' : writeCacheOf(mount.device),
    idleCpus: idleCpus(),
  };
}

interface Mount {
  readonly device: string;
  readonly point: string;
  readonly type: string;
  readonly options: string;
}

/** The mount that holds `path`: the longest mount point that is a part of it. */
function mountOf(path: string): Mount | undefined {
  const mounts = readOr('/proc/mounts', '')
    .split('\n')
    .map((line): Mount => {
      const [device = '', point = '', type = '', options = ''] = line.split(' ');
      return { device, point, type, options };
    })
    .filter(
      ({ point }) => point !== '' && (path === point || path.startsWith(point === '/' ? '/' : `${point}/`)),
    );
  return mounts.sort((a, b) => a.point.length - b.point.length).at(-1);
}

function writeCacheOf(device: string): string {
  const name = device.replace('/dev/', '').replace(/p?\d+$/, '');
  return readOr(`/sys/block/${name}/queue/write_cache`, 'unknown').trim();
}

function idleCpus(): string {
  const driver = readOr('/sys/devices/system/cpu/cpuidle/current_driver', 'unknown').trim();
  const pollNs = readOr('/sys/module/haltpoll/parameters/guest_halt_poll_ns', '').trim();
  return driver === 'haltpoll' && pollNs !== '' ? `haltpoll, guest_halt_poll_ns ${pollNs}` : driver;
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}
