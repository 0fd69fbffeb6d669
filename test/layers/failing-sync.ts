/**
 * failing-sync: the package as it is, in a process of its own, while the real file system fails: calls by choice, through
 * a preloaded library; calls that strace interrupts; an image that runs out of space underneath. The witness of what was
 * acknowledged is outside; each log is then opened again, in the same boot, from the disk, and after a remount.
 *
 * Only cases in which the disk did fail are counted: numbers go on until as many have as are wanted.
 */
import { casesOf, type Layer, type LayerTask } from '../full/layer.js';
import { compilerLacks } from '../support/native.js';
import { inScratch } from '../support/scratch.js';
import { type CallsOptions, tryCalls } from './failing-calls.js';
import { inPlace, mountedLacks } from './failing-place.js';
import { tryInterrupted } from './interrupted-calls.js';
import { straceLacks } from './kill9.js';
import { inThinPlace, type ThinOptions, thinLacks, tryThinImage } from './thin-image.js';

const CALLS = 'calls that failed';
const SAME_BOOT = 'opened in the same boot';
const DROPPED = 'opened after drop_caches';
const REMOUNTED = 'opened after a remount';
const THIN = 'thin images that ran out';
const INTERRUPTED = 'calls interrupted';

const CALL_CASES = 1200;
const THIN_CASES = 120;
const INTERRUPTED_CASES = 40;
/** Cases for which the cache is dropped at a time. */
const BATCH = 40;

type Figures = Record<string, number>;

export const layer: Layer = {
  name: 'failing-sync',
  title:
    'the real thing on a real file system that fails, opened in the same boot, from disk, and mounted again',
  targets: {
    [CALLS]: CALL_CASES,
    [SAME_BOOT]: CALL_CASES,
    [DROPPED]: CALL_CASES,
    [REMOUNTED]: CALL_CASES,
    [THIN]: THIN_CASES,
    [INTERRUPTED]: INTERRUPTED_CASES,
  },
  parts: 2,
  minutes: 17,
  isWaiting: true,
  lacking: () => {
    const preload = process.platform === 'linux' ? compilerLacks() : 'LD_PRELOAD works on Linux only';
    const mounted = mountedLacks();
    const why = {
      [CALLS]: preload,
      [SAME_BOOT]: preload,
      [DROPPED]: preload ?? mounted,
      [REMOUNTED]: preload ?? mounted,
      [THIN]: thinLacks(),
      [INTERRUPTED]: straceLacks(),
    };
    const all = Object.entries(why).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return Object.fromEntries(
      all.length === Object.keys(why).length ? [['all', preload ?? ''], ...all] : all,
    );
  },
  run: async (task) => ({
    ...(await runCalls(task)),
    ...(await runThinImages(task)),
    ...(await runInterrupted(task)),
  }),
};

/** Plays cases until as many have failed as the task wants; `play` resolves with how many of its numbers did. */
async function playUntil(
  task: LayerTask,
  what: string,
  cases: number,
  batch: number,
  play: (numbers: readonly number[]) => Promise<number>,
): Promise<number> {
  const wanted = [...casesOf(task, cases)].length;
  let [tried, failed] = [0, 0];
  while (failed < wanted && tried < 2 * wanted + 10) {
    const count = Math.min(batch, wanted - failed);
    failed += await play(Array.from({ length: count }, (_, i) => task.part + task.parts * (tried + i)));
    tried += count;
    task.progress(`${failed} ${what}, ${tried - failed} not reached`);
  }
  return failed;
}

export async function runCalls(task: LayerTask, options: CallsOptions = {}): Promise<Figures> {
  if (layer.lacking?.()[CALLS] !== undefined) return {};
  const figures = { [SAME_BOOT]: 0, [DROPPED]: 0, [REMOUNTED]: 0 };
  return inPlace(async (place) => {
    const failed = await playUntil(task, CALLS, CALL_CASES, BATCH, async (numbers) => {
      const done = await tryCalls(place, numbers, task.seed, options);
      figures[SAME_BOOT] += done.opened['the same boot'];
      figures[DROPPED] += done.opened.drop_caches;
      figures[REMOUNTED] += done.opened['a remount'];
      return done.failed;
    });
    return { [CALLS]: failed, ...figures };
  });
}

export async function runThinImages(task: LayerTask, options: ThinOptions = {}): Promise<Figures> {
  if (layer.lacking?.()[THIN] !== undefined) return {};
  return inThinPlace(async (place) => {
    const failed = await playUntil(task, THIN, THIN_CASES, 1, async ([number = 0]) =>
      Number(await tryThinImage(place, number, task.seed, options)),
    );
    return { [THIN]: failed };
  });
}

export async function runInterrupted(task: LayerTask): Promise<Figures> {
  if (layer.lacking?.()[INTERRUPTED] !== undefined) return {};
  return inScratch(async (folder) => {
    const failed = await playUntil(task, INTERRUPTED, INTERRUPTED_CASES, 1, async ([number = 0]) =>
      Number(await tryInterrupted(folder, number, task.seed)),
    );
    return { [INTERRUPTED]: failed };
  });
}
