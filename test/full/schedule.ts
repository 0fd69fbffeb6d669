/**
 * schedule: in which order and how many at a time the parts of layers run: the longest ones first, so that none is left
 * when all others are done; beside them one more of those that mostly wait, for as long as there are any; at the end those
 * that must be alone.
 */
import type { Layer } from './layer.js';

export interface Part<T extends { readonly layer: Layer }> {
  readonly of: T;
  readonly part: number;
  readonly parts: number;
}

/** Too little to be worth a process for each part. */
const SMALL_SHARE = 0.05;

export function partsOf<T extends { readonly layer: Layer }>(all: readonly T[], share: number): Part<T>[] {
  const minutes = ({ of, parts }: Part<T>): number => of.layer.minutes / parts;
  return all
    .flatMap((of) => {
      const parts = share < SMALL_SHARE ? 1 : of.layer.parts;
      return Array.from({ length: parts }, (_, part) => ({ of, part, parts }));
    })
    .sort((a, b) => minutes(b) - minutes(a));
}

/** Has `run` called for each part, `jobs` at a time. Resolves when all have ended; `run` must not reject. */
export async function schedule<T extends { readonly layer: Layer }>(
  parts: readonly Part<T>[],
  jobs: number,
  run: (part: Part<T>) => Promise<void>,
): Promise<void> {
  const queue = [...parts];
  const take = (takes: (layer: Layer) => boolean): Part<T> | undefined => {
    const next = queue.findIndex(({ of }) => takes(of.layer));
    return next < 0 ? undefined : queue.splice(next, 1)[0];
  };
  const lane = async (next: () => Part<T> | undefined): Promise<void> => {
    for (let part = next(); part !== undefined; part = next()) await run(part);
  };
  const isAlone = (layer: Layer): boolean => layer.isAlone === true;
  const waits = (layer: Layer): boolean => !isAlone(layer) && layer.isWaiting === true;
  const works = (layer: Layer): boolean => !isAlone(layer) && layer.isWaiting !== true;
  const minutesLeft = (takes: (layer: Layer) => boolean): number =>
    queue.reduce((sum, { of, parts }) => sum + (takes(of.layer) ? of.layer.minutes / parts : 0), 0);
  // The lane of those that wait is to have work until the end: the others take only what is more than that.
  const workOrWait = (): Part<T> | undefined => {
    const [waiting, working] = [minutesLeft(waits), minutesLeft(works)];
    const isTooMuch = jobs === 1 || waiting > (waiting + working) / (jobs + 1);
    return isTooMuch ? (take(waits) ?? take(works)) : (take(works) ?? take(waits));
  };
  const lanes = Array.from({ length: jobs }, () => lane(workOrWait));
  if (jobs > 1) lanes.push(lane(() => take(waits)));
  await Promise.all(lanes);
  await lane(() => take(isAlone));
}
