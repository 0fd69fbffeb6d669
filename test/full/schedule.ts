/**
 * schedule: in which order and how many at a time the parts of layers run: the longest ones first, so that none is left
 * when all others are done; beside them one more of those that mostly wait; at the end those that must be alone.
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
  const lane = async (takes: (layer: Layer) => boolean): Promise<void> => {
    for (;;) {
      const next = queue.findIndex(({ of }) => takes(of.layer));
      const [part] = next < 0 ? [] : queue.splice(next, 1);
      if (part === undefined) return;
      await run(part);
    }
  };
  const lanes = Array.from({ length: jobs }, () => lane(({ isAlone }) => isAlone !== true));
  if (jobs > 1) lanes.push(lane(({ isAlone, isWaiting }) => isAlone !== true && isWaiting === true));
  await Promise.all(lanes);
  await lane(({ isAlone }) => isAlone === true);
}
