/**
 * layer: what a layer of the test plan is: one way to try to break the promises of docs/GUARANTEES.md, with the
 * number of cases that a full run must reach. `npm run test:full` runs all of it; `npm test` a seeded share.
 */

/** One part of a layer's work: `part` of `parts`, which together cover everything and overlap in nothing. */
export interface LayerTask {
  readonly part: number;
  readonly parts: number;
  /** From 0 to 1: which share of the full number of cases to try. */
  readonly share: number;
  readonly seed: number;
  /** Says how far it is; shown while it runs. */
  readonly progress: (text: string) => void;
}

/** Cases tried, by what they are called in `targets`. */
export type LayerFigures = Readonly<Record<string, number>>;

export interface Layer {
  readonly name: string;
  /** What it does, in a line of the report. */
  readonly title: string;
  /** Least number of cases of a full run, all parts together. A run that reaches fewer has failed. */
  readonly targets: LayerFigures;
  /** Into how many parts a full run may be split, which run at the same time. */
  readonly parts: number;
  /** About how many minutes a full run takes, all parts together, two or three at a time: for their order. Nothing else comes of it. */
  readonly minutes: number;
  /** Whether nothing else may run at the same time: it measures memory, or needs both cores. */
  readonly isAlone?: boolean;
  /** Whether it waits more than it works: for processes to start and to end, and for disks. One such part runs beside. */
  readonly isWaiting?: boolean;
  /** What this machine lacks for it, or for some of its `targets`, by their names; all of them: `all`. */
  readonly lacking?: () => Readonly<Record<string, string>>;
  /** Throws at the first broken promise, with all that is needed to see it again. */
  run(task: LayerTask): Promise<LayerFigures>;
}

/** The numbers from 0 to `cases` - 1 that a task is to try, when each is a case of its own. */
export function* casesOf(task: LayerTask, cases: number): Generator<number> {
  const wanted = Math.ceil(cases * task.share);
  for (let i = task.part; i < wanted; i += task.parts) yield i;
}
