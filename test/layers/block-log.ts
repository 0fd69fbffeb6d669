/**
 * block-log: ext4 on a device that logs every write and every flush; after a writer's life the log is made into block
 * images that a power cut could have left: all writes before a flush, and any of those between it and the next one,
 * whole or in part. Each image is mounted, and the log in it opened; acknowledged by then is what the witness had
 * heard before that flush.
 *
 * Parts of writes are blocks of the file system: it does not promise to survive when single blocks are torn.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { casesOf, type Layer, type LayerFigures, type LayerTask } from '../full/layer.js';
import { type BlockLog, parseBlockLog } from '../support/block-images.js';
import { Disks, ext4, type FileSystem, makeImage, mountingLacks } from '../support/disks.js';
import { compiledProgram, compilerLacks } from '../support/native.js';
import { openedLog } from '../support/opening.js';
import { Prng } from '../support/prng.js';
import { inScratch, programPath } from '../support/scratch.js';
import { BrokenPromise, Witness } from '../support/witness.js';
import { optionsFrom, Writers } from '../support/writers.js';

const IMAGES = 'images';
/** Images of one writer's life. */
const PER_LIFE = 100;
const LIVES = 30;

export const layer: Layer = {
  name: 'block-log',
  title: 'ext4 on a device that logs writes and flushes: images of every kind that a power cut may leave',
  targets: { [IMAGES]: LIVES * PER_LIFE },
  parts: 3,
  minutes: 10,
  isWaiting: true,

  lacking: () => {
    const why = mountingLacks('mkfs.ext4') ?? fuseLacks();
    return why === undefined ? {} : { all: why };
  },

  run: (task) => runLives(task, PER_LIFE),
};

/** `count` images of each life. One that `isEarly` acknowledges what it has not synced. */
export async function runLives(task: LayerTask, count: number, isEarly = false): Promise<LayerFigures> {
  let images = 0;
  for (const number of casesOf(task, LIVES)) {
    const prng = new Prng(task.seed * 100_000 + number);
    const blockBytes = prng.pick([1024, 4096] as const);
    // Every image is written as a whole: the smaller the better.
    const system = {
      ...ext4(blockBytes, prng.pick(['ordered', 'writeback', 'journal'])),
      bytes: 16 * 1024 * 1024,
    };
    await inScratch(async (path) => {
      const disks = new Disks(path);
      try {
        const { log, lines, story } = await recordedLife(path, disks, system, prng, isEarly);
        images += await openImages({ path, disks, system, log, lines, story, prng, count, isEarly }, (done) =>
          task.progress(`${images + done} images`),
        );
      } finally {
        await disks.end();
      }
    });
  }
  return { [IMAGES]: images };
}

interface Recorded {
  readonly log: BlockLog;
  /** What the writer has written down, each line with the number of flushes before it. */
  readonly lines: readonly (readonly [flushes: number, line: string])[];
  readonly story: string;
}

/** A writer's life on a device that logs. */
async function recordedLife(
  path: string,
  disks: Disks,
  system: FileSystem,
  prng: Prng,
  isEarly: boolean,
): Promise<Recorded> {
  const [image, blocks, counter, device, mounted, witness] = [
    'image',
    'blocks',
    'counter',
    'device',
    'mounted',
    'witness',
  ].map((name) => join(path, name)) as [string, string, string, string, string, string];
  makeImage(image, system);
  mkdirSync(device);
  mkdirSync(mounted);
  await disks.track(device);
  const fuse = spawn(compiledProgram('block-log', ['fuse3']), [image, blocks, counter, device, '-f', '-s'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await isUp(fuse, join(device, 'disk'));
  await disks.mount(join(device, 'disk'), mounted, system);
  const writers = new Writers(
    join(mounted, 'log'),
    witness,
    optionsFrom(prng, isEarly ? ['fdatasync'] : ['fdatasync', 'direct', 'dsync', 'fsync']),
    prng,
    system.name,
  );
  const lines = await writers.live({
    end: { by: 'kill', ops: prng.between(60, 160), isClosed: prng.chance(0.5), isEarly },
    counter,
  });
  await disks.unmount(mounted);
  const closed = once(fuse, 'close');
  await disks.unmount(device);
  await closed;
  return {
    log: parseBlockLog(readFileSync(blocks), readFileSync(image)),
    lines: lines.map((line) => {
      const at = line.indexOf(' ');
      return [Number(line.slice(0, at)), line.slice(at + 1)];
    }),
    story: writers.story,
  };
}

interface ImageTask extends Recorded {
  readonly path: string;
  readonly disks: Disks;
  readonly system: FileSystem;
  readonly prng: Prng;
  readonly count: number;
  readonly isEarly: boolean;
}

/** Opens `count` images, with moments that ascend. Returns how many these were. */
async function openImages(task: ImageTask, progress: (done: number) => void): Promise<number> {
  const { path, disks, system, log, lines, story, prng, count, isEarly } = task;
  // Before the writer has opened its log there is nothing to be lost; but there may be half a directory.
  const first = lines.find(([, line]) => line.startsWith('o '))?.[0] ?? 0;
  const from = isEarly ? first : Math.max(0, first - 12);
  const last = log.flushes;
  const image = join(path, 'image');
  const mounted = join(path, 'mounted');
  for (let done = 0; done < count; done++) {
    const flush = from + Math.floor(((last - from + 1) * done) / count);
    const share = prng.pick([0, 0.2, 0.5, 0.8, 1]);
    const bytes = log.image(flush, prng, share);
    const fd = openSync(image, 'r+');
    writeSync(fd, bytes, 0, bytes.length, 0);
    closeSync(fd);
    const where = `image ${done}: flush ${flush} of ${last}, about ${share * 100} % of the writes after it`;
    await disks.mount(image, mounted, system);
    try {
      await openImage(join(mounted, 'log'), lines, flush);
    } catch (error) {
      throw new BrokenPromise(
        `${error instanceof Error ? error.message : String(error)}\n${where}\n${story}`,
      );
    } finally {
      await disks.unmount(mounted);
    }
    progress(done + 1);
  }
  rmSync(image);
  return count;
}

/** What was promised before the flush must be there; and the log goes on. */
async function openImage(directory: string, lines: Recorded['lines'], flush: number): Promise<void> {
  const witness = new Witness();
  for (const [flushes, line] of lines) if (flushes <= flush || /^[im] /.test(line)) witness.hear(line);
  witness.takeOpening();
  let lsn = 0;
  const opening = await openedLog(directory, async (append) => {
    lsn = await append('it goes on');
  });
  witness.check(opening, false);
  if (lsn !== opening.lastLsn + 1) throw new BrokenPromise(`LSN ${lsn} was given after ${opening.lastLsn}`);
}

async function isUp(fuse: ChildProcess, file: string): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (fuse.exitCode !== null) throw new Error(`block-log: the FUSE process ended with ${fuse.exitCode}`);
    try {
      statSync(file);
      return;
    } catch {
      await pause(2);
    }
  }
  throw new Error('block-log: the FUSE file system did not come up');
}

function fuseLacks(): string | undefined {
  try {
    accessSync('/dev/fuse', constants.W_OK);
  } catch {
    return 'no /dev/fuse';
  }
  if (programPath('fusermount3') === undefined) return 'not installed: fusermount3';
  return compilerLacks(['fuse3']);
}
