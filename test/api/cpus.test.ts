/** cpus: appending threads stay awake where there are CPUs for it, and a quota is heeded wherever it is set. */
import { availableParallelism } from 'node:os';
import { expect, it } from 'vitest';
import { usableCpus } from '../../dist/src/cpus.js';
import { defaultBusyPollUs, resolveOptions } from '../../dist/src/options.js';

/** CPUs of a process that is let run on 8, and sees these files. */
function cpusWith(files: Record<string, string>): number {
  return usableCpus((path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`no ${path}`);
    return `${text}\n`;
  }, 8);
}

it('are those that the process is let run on, where no quota is known', () => {
  expect(cpusWith({})).toBe(8);
  expect(cpusWith({ '/proc/self/cgroup': '0::/' })).toBe(8);
  expect(cpusWith({ '/proc/self/cgroup': '0::/', '/sys/fs/cgroup/cpu.max': 'max 100000' })).toBe(8);
  expect(cpusWith({ '/proc/self/cgroup': 'nonsense\n1:cpu\n::', '/sys/fs/cgroup/cpu.max': '' })).toBe(8);
  expect(usableCpus()).toBeLessThanOrEqual(availableParallelism());
  expect(usableCpus()).toBeGreaterThan(0);
});

it('are fewer under a quota of the process’s control group, or of one above it', () => {
  const group = { '/proc/self/cgroup': '0::/a.slice/b.service' };
  expect(cpusWith({ ...group, '/sys/fs/cgroup/a.slice/b.service/cpu.max': '50000 100000' })).toBe(0.5);
  expect(cpusWith({ ...group, '/sys/fs/cgroup/a.slice/cpu.max': '300000 100000' })).toBe(3);
  expect(
    cpusWith({
      ...group,
      '/sys/fs/cgroup/a.slice/b.service/cpu.max': 'max 100000',
      '/sys/fs/cgroup/a.slice/cpu.max': '150000 100000',
      '/sys/fs/cgroup/cpu.max': '400000 100000',
    }),
  ).toBe(1.5);
  expect(cpusWith({ ...group, '/sys/fs/cgroup/a.slice/cpu.max': '3200000 100000' })).toBe(8);
  const named = { '/proc/self/cgroup': '0::/app.slice/dbus-:1.2-x.service' };
  expect(cpusWith({ ...named, '/sys/fs/cgroup/app.slice/dbus-:1.2-x.service/cpu.max': '50000 100000' })).toBe(
    0.5,
  );
});

it('are fewer under a quota of the first version of control groups, also where a container hides its place', () => {
  const lines = '5:memory:/docker/x\n4:cpu,cpuacct:/docker/x\n0::/';
  const quota = (directory: string, quotaUs: number) => ({
    '/proc/self/cgroup': lines,
    [`/sys/fs/cgroup/cpu${directory}/cpu.cfs_quota_us`]: `${quotaUs}`,
    [`/sys/fs/cgroup/cpu${directory}/cpu.cfs_period_us`]: '100000',
  });
  expect(cpusWith(quota('/docker/x', 200_000))).toBe(2);
  expect(cpusWith(quota('', 100_000))).toBe(1);
  expect(cpusWith(quota('', -1))).toBe(8);
  expect(cpusWith({ ...quota('', 100_000), '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '0' })).toBe(8);
});

it('have appending threads stay awake for their answers by default, where there are two', () => {
  const defaults = [0.5, 1, 1.9, 2, 8].map((cpus) => defaultBusyPollUs(cpus));
  expect(defaults).toEqual([0, 0, 0, 200, 200]);
  expect(resolveOptions().busyPollUs).toBe(defaultBusyPollUs(usableCpus()));
  expect(resolveOptions({ busyPollUs: 0 }).busyPollUs).toBe(0);
});
