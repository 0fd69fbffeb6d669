/** advice: a setting is only recommended when it is worth it on this disk, and a disk that can't be trusted is told of. */
import { describe, expect, it } from 'vitest';
import { type Advice, adviceOf } from '../../dist/src/cli/bench/advice.js';
import { mountOf } from '../../dist/src/cli/bench/file-system.js';
import { HALT_POLL_FILE, haltPollUs } from '../../dist/src/cli/bench/idle-cpus.js';
import { cells } from '../../dist/src/cli/bench/plan.js';
import { type Figure, median } from '../../dist/src/cli/bench/rounds.js';
import { describeBench, optionsText } from '../../dist/src/cli/bench/text.js';
import { turnLine } from '../../dist/src/cli/bench/turns.js';
import { must } from '../support/must.js';

const disk = { type: 'ext4', device: '/dev/sda1', writeCache: 'write back', freeBytes: 2 ** 40 };
const MODES = ['direct', 'fdatasync'] as const;

/** Figures of all cells, changed by `change`; without a spread where it gives none. */
function figures(change: (figure: Figure) => Partial<Figure> = () => ({})): Figure[] {
  return cells(MODES).map(({ about, setting, load }) => {
    const isMode = about === 'sync';
    const usual: Figure = {
      ...{ about, setting, ...load, syncMode: isMode ? setting : 'direct' },
      ...{ recordsPerSecond: 1000 * load.inFlight, slowest: 0, fastest: 0 },
      ...{ p50Us: 150, p99Us: 300, syncP50Us: setting === 'fdatasync' ? 140 : 120, syncP99Us: 250 },
    };
    const changed = { ...usual, ...change(usual) };
    const { recordsPerSecond, slowest, fastest } = changed;
    return { ...changed, slowest: slowest || recordsPerSecond, fastest: fastest || recordsPerSecond };
  });
}

const advice = (change?: (figure: Figure) => Partial<Figure>): Advice =>
  must(adviceOf(figures(change), disk));

describe('advice', () => {
  it('is the defaults when nothing is worth an option', () => {
    const { sync, options, lines, warnings } = advice();
    expect(sync).toEqual({ mode: 'direct', p50Us: 120, p99Us: 250 });
    expect(options).toEqual({});
    expect(lines.join('\n')).toMatch(/Keep syncMode "auto", which takes 'direct' here/);
    expect(lines.join('\n')).toMatch(/Keep windowUs 0/);
    expect(lines.join('\n')).toMatch(/Keep recycle/);
    expect(lines.join('\n')).toMatch(/bring nothing here/);
    expect(warnings).toEqual([]);
  });

  it.each<[string, (figure: Figure) => Partial<Figure>, object, RegExp]>([
    [
      'another way to sync is quick, too, and better with many callers',
      ({ about, setting, inFlight }) =>
        about === 'sync' && setting === 'fdatasync'
          ? { syncP50Us: 125, ...(inFlight > 1 ? { recordsPerSecond: 2e6 } : {}) }
          : {},
      { syncMode: 'fdatasync' },
      /'fdatasync' has 2.0 times the rate of 'direct'/,
    ],
    [
      'another way to sync is better with many callers, and slow for one',
      ({ about, setting, inFlight }) =>
        about === 'sync' && setting === 'fdatasync' && inFlight > 1 ? { recordsPerSecond: 3e6 } : {},
      {},
      /For many callers use syncMode: 'fdatasync' .*, for few, .*'direct'/,
    ],
    [
      'it is hardly better',
      ({ about, setting, inFlight }) =>
        about === 'sync' && setting === 'fdatasync' && inFlight > 1 ? { recordsPerSecond: 1.05e6 } : {},
      {},
      /Keep syncMode "auto"/,
    ],
    [
      '"auto" took the slower way',
      ({ about }) => (about === 'presets' ? { syncMode: 'fdatasync' } : {}),
      { syncMode: 'direct' },
      /'direct' is faster than 'fdatasync', which "auto" took/,
    ],
    [
      'threads that stay awake have a better rate',
      ({ setting, recordsPerSecond }) =>
        setting === 'busyPollUs 0' ? { recordsPerSecond: recordsPerSecond / 1.5 } : {},
      {},
      /Keep busyPollUs: .* 1.5 times the rate alone, 1.5 times at 100/,
    ],
    [
      'threads that stay awake have a better rate at one load, and a worse one at another',
      ({ setting, recordsPerSecond, inFlight }) =>
        setting === 'busyPollUs 0'
          ? { recordsPerSecond: recordsPerSecond * (inFlight === 1 ? 0.5 : 1.5) }
          : {},
      {},
      /Keep busyPollUs: .* 2.0 times the rate alone, 0.7 times at 100/,
    ],
    [
      'threads that stay awake are in the way',
      ({ setting, recordsPerSecond }) =>
        setting === 'busyPollUs 0' ? { recordsPerSecond: 1.25 * recordsPerSecond } : {},
      { busyPollUs: 0 },
      /busyPollUs: 0: threads .* in the way here \(0.8 of the rate alone, 0.8 at 100 in flight\)/,
    ],
    [
      'it makes no difference whether threads stay awake',
      () => ({}),
      {},
      /no sure difference here \(1.0 of the rate alone, 1.0 at 100 in flight\); busyPollUs: 0 spares/,
    ],
    [
      'a window helps under both loads',
      ({ about, setting, recordsPerSecond }) =>
        about === 'windows' && setting === '200' ? { recordsPerSecond: 1.5 * recordsPerSecond } : {},
      { windowUs: 200 },
      /windowUs: 200 has 1.5 times the rate/,
    ],
    [
      'a window helps under one load only',
      ({ about, inFlight, recordsPerSecond }) =>
        about === 'windows' && inFlight === 1000 ? { recordsPerSecond: 1.5 * recordsPerSecond } : {},
      {},
      /Keep windowUs 0/,
    ],
    [
      'a window helps, but its slowest round is no better than the fastest without',
      ({ about, recordsPerSecond }) =>
        about === 'windows'
          ? {
              recordsPerSecond: 1.5 * recordsPerSecond,
              slowest: recordsPerSecond,
              fastest: 1.6 * recordsPerSecond,
            }
          : {},
      {},
      /Keep windowUs 0/,
    ],
    [
      'reused files are slow',
      ({ about, setting }) => (about === 'recycling' && setting === 'false' ? { recordsPerSecond: 4e6 } : {}),
      { recycle: false },
      /recycle: false has 4.0 times the rate/,
    ],
    [
      'large records want large rings',
      ({ about, setting }) =>
        about === 'large' && setting === 'highThroughput' ? { recordsPerSecond: 4e5 } : {},
      {},
      /`highThroughput` into the options: 2.0 times/,
    ],
    ['the disk is slow', () => ({ syncP50Us: 9000 }), {}, /A sync takes 9 ms: keep windowUs 0/],
  ])('when %s', (_, change, options, line) => {
    const given = advice(change);
    expect(given.options).toEqual(options);
    expect(given.lines.join('\n')).toMatch(line);
  });

  it('tells of CPUs that halt while the disk is waited for, when that makes an append alone much slower', () => {
    const told = (pollUs: number | undefined, p50Us: number): string | undefined =>
      must(
        adviceOf(
          figures(({ about }) => (about === 'presets' ? { p50Us, syncP50Us: 150 } : {})),
          disk,
          pollUs,
        ),
      ).lines.find((line) => line.startsWith('As root:'));
    const command = 'As root: echo 300000 > /sys/module/haltpoll/parameters/guest_halt_poll_ns';
    expect([told(0, 240), told(100, 240)]).toEqual([command, command]);
    expect([told(120, 240), told(undefined, 240), told(0, 180)]).toEqual([undefined, undefined, undefined]);
  });

  it.each<[number | undefined, Record<string, string>]>([
    [200, { driver: 'haltpoll\n', ns: '200000\n' }],
    [0, { driver: 'haltpoll\n', ns: '0\n' }],
    [undefined, { driver: 'haltpoll\n', ns: '' }],
    [undefined, { driver: 'intel_idle\n', ns: '200000\n' }],
    [undefined, {}],
  ])('knows for %s us that idle CPUs wait awake, from %o', async (expected, { driver, ns }) => {
    const read = async (path: string): Promise<string> =>
      must(path === HALT_POLL_FILE ? ns : path.endsWith('/current_driver') ? driver : undefined);
    expect(await haltPollUs(read)).toBe(expected);
  });

  it('is none without figures', () => {
    expect(adviceOf([], disk)).toBeUndefined();
  });

  it('warns of memory, of implausible syncs, containers, networks and uneven rounds, and then recommends nothing', () => {
    const warned = (fileSystem: Partial<typeof disk>, change?: (figure: Figure) => Partial<Figure>): Advice =>
      must(adviceOf(figures(change), { ...disk, ...fileSystem }));
    expect(warned({ type: 'tmpfs' }).warnings).toEqual([expect.stringMatching(/memory \(tmpfs\)/)]);
    expect(warned({ type: 'tmpfs' }).lines).toEqual([expect.stringMatching(/on a disk/)]);
    expect(warned({}, () => ({ syncP50Us: 3 })).warnings[0]).toMatch(/A sync in 3 us is implausibly fast/);
    expect(warned({ type: 'overlay' }).warnings[0]).toMatch(/Use a volume/);
    for (const type of ['nfs4', 'cifs', '9p', 'fuse.sshfs'])
      expect(warned({ type }).warnings[0]).toMatch(/what a sync means is up to its server/);
    const uneven = warned({}, ({ about, recordsPerSecond }) =>
      about === 'presets' ? { slowest: recordsPerSecond / 3 } : { recordsPerSecond: 2 * recordsPerSecond },
    );
    expect(uneven.warnings[0]).toMatch(/The rounds differ much/);
    expect(uneven).toMatchObject({ options: {}, lines: [expect.stringMatching(/keep the defaults/)] });
  });
});

describe('the text of a bench', () => {
  it('has options to copy, and fits into 80 columns', () => {
    expect(optionsText({})).toMatch(/const options = \{\};/);
    expect(optionsText({ syncMode: 'dsync', windowUs: 50, recycle: false })).toBe(
      "  const options = { syncMode: 'dsync', windowUs: 50, recycle: false };",
    );
    const all = figures(({ recordsPerSecond }) => ({
      recordsPerSecond: 300 * recordsPerSecond,
      p99Us: 123_400,
    }));
    const directory = '/var/lib/service/data/of/some/length';
    const text = describeBench(
      { hasColour: false, columns: 80 },
      directory,
      disk,
      all,
      must(adviceOf(all, disk)),
    );
    expect(text).toMatch(/Your disk syncs in 120 us \(median; p99 250 us\), syncMode direct/);
    expect(text).toMatch(/ext4 on \/dev\/sda1, write cache: write\s+back, 1 TiB free/);
    for (const name of ['lowLatency', 'durable', 'windowUs: 50', 'recycle: true', 'fdatasync'])
      expect(text).toContain(name);
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    for (const cell of cells(['fdatasync'])) {
      const line = turnLine({ done: 101, total: 102, leftMs: 119_000, cell });
      expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });
});

it('finds the mount of a path: the longest point that holds it, and the later of two', () => {
  const mounts = [
    '/dev/vda1 / ext4 rw 0 0',
    'tmpfs /data tmpfs rw 0 0',
    '/dev/vdb /data xfs rw 0 0',
    '/dev/vdc /my\\040disk btrfs rw 0 0',
  ].join('\n');
  expect(mountOf('/data/wal', mounts)).toEqual({ device: '/dev/vdb', type: 'xfs' });
  expect(mountOf('/database', mounts)).toEqual({ device: '/dev/vda1', type: 'ext4' });
  expect(mountOf('/my disk', mounts)).toEqual({ device: '/dev/vdc', type: 'btrfs' });
  expect(mountOf('/data', '')).toBeUndefined();
});

it('takes the middle of odd and even numbers of values', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, 0]);
});
