/**
 * power-cut: real file systems on loop devices lose their power, by the shutdown ioctl without a flush of the journal,
 * while a writer works on them, opens its log, or has closed it; then they are mounted again, which replays the
 * journal, and the next writer opens the log there. The witness lies on another file system.
 *
 * What it can't see: a directory that was not synced (class 28). These file systems make the entry durable with the
 * file; only the simulated storage has such a loss, in the layers crash-states and simulation.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LogOptions } from '../../dist/src/index.js';
import { casesOf, type Layer } from '../full/layer.js';
import { Disks, ext4, type FileSystem, makeImage, mountingLacks, xfs } from '../support/disks.js';
import { Prng } from '../support/prng.js';
import { inScratch, programPath } from '../support/scratch.js';
import { type End, endFrom, optionsFrom, Writers } from '../support/writers.js';

const CUTS_EXT4 = 'cuts of ext4';
const CUTS_XFS = 'cuts of XFS';
/** Cuts in one directory. */
const CUTS = 10;

const EXT4 = ([1024, 4096] as const).flatMap((blockBytes) =>
  (['ordered', 'writeback', 'journal'] as const).map((data) => ext4(blockBytes, data)),
);
const EXT4_CASES = 126;
const XFS_CASES = 24;

type SyncModes = readonly NonNullable<LogOptions['syncMode']>[];
const DURABLE: SyncModes = ['fdatasync', 'direct', 'dsync', 'fsync', 'auto'];

export const layer: Layer = {
  name: 'power-cut',
  title: 'power cuts of real file systems, by shutdown of ext4 and XFS on loop devices',
  targets: { [CUTS_EXT4]: EXT4_CASES * CUTS, [CUTS_XFS]: XFS_CASES * CUTS },
  parts: 4,
  minutes: 14,
  isWaiting: true,

  lacking: () => {
    const why = mountingLacks('mkfs.ext4');
    if (why !== undefined) return { all: why };
    return programPath('mkfs.xfs') === undefined ? { [CUTS_XFS]: 'not installed: mkfs.xfs' } : {};
  },

  run: async (task) => {
    const figures = { [CUTS_EXT4]: 0, [CUTS_XFS]: 0 };
    const lacking = layer.lacking?.() ?? {};
    const kinds = [
      { what: CUTS_EXT4, cases: EXT4_CASES, systems: EXT4 },
      { what: CUTS_XFS, cases: XFS_CASES, systems: [xfs] },
    ] as const;
    for (const { what, cases, systems } of kinds) {
      if (lacking[what] !== undefined) continue;
      const numbers = [...casesOf(task, cases)];
      // One after another on the same image, as on a disk that is not new.
      for (const [index, system] of systems.entries()) {
        const own = numbers.filter((number) => Math.floor(number / task.parts) % systems.length === index);
        await onDisk(system, own.length, async (disk) => {
          for (const number of own) {
            await cuts(disk, new Prng(task.seed * 100_000 + number), CUTS, `${number}`);
            figures[what] += CUTS;
            task.progress(`${figures[what]} ${what}`);
          }
        });
      }
    }
    return figures;
  },
};

export interface MountedDisk {
  readonly system: FileSystem;
  readonly disks: Disks;
  readonly image: string;
  /** Where it is mounted. */
  readonly path: string;
  /** A directory elsewhere. */
  readonly outside: string;
}

export async function onDisk(
  system: FileSystem,
  wanted: number,
  task: (disk: MountedDisk) => Promise<void>,
): Promise<void> {
  if (wanted === 0) return;
  await inScratch(async (outside) => {
    const disks = new Disks(outside);
    try {
      const image = join(outside, 'image');
      const path = join(outside, 'mounted');
      mkdirSync(path);
      makeImage(image, system);
      await disks.mount(image, path, system);
      await task({ system, disks, image, path, outside });
    } finally {
      await disks.end();
    }
  });
}

/** Power cuts one after another in one directory. Each is checked by the next writer, the last one by one more. */
export async function cuts(
  disk: MountedDisk,
  prng: Prng,
  count: number,
  name: string,
  modes: SyncModes = DURABLE,
  endOf: (prng: Prng) => End = (random) => endFrom(random, 'listener'),
): Promise<Writers> {
  const { system, disks, image, path, outside } = disk;
  const witness = join(outside, `witness-${name}`);
  const writers = new Writers(join(path, name), witness, optionsFrom(prng, modes), prng, system.name);
  for (let cut = 0; cut < count; cut++) {
    const end = endOf(prng);
    await writers.live({ end, onEnd: () => disks.cut(path) });
    // A process alone has died: the same system goes on.
    if (end.by === 'kill') continue;
    await disks.unmount(path);
    await disks.mount(image, path, system);
  }
  await writers.live({ end: { by: 'kill', acks: 1 } });
  return writers;
}
