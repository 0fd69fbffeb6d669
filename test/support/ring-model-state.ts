/** ring-model-state: what the model of the ring protocol knows of each thread at a moment, and the orders it can get wrong. */
export type WrongOrder =
  | 'parks after looking'
  | 'wakes before publishing'
  | 'sleeps without comparing'
  | 'state after consume'
  | 'no look at the state'
  | 'completes before waking only by chance'
  | 'detached after chunks'
  | 'death is not told'
  | 'follower looks before it announces'
  | 'teller forgets to count'
  | 'state without ring';

export interface ModelSize {
  readonly producers: number;
  readonly appends: number;
  /** Whether there is a follower, which waits for the last record. */
  readonly follower: boolean;
  /** What may happen at any moment, once: the worker dies, the log is closed, a sync fails; producers leave early. */
  readonly dies?: boolean;
  readonly closes?: boolean;
  readonly fails?: boolean;
  readonly deserts?: boolean;
}

export const OPEN = 0;
export const CLOSING = 1;
export const CLOSED = 2;
export const POISONED = 3;
export const DEAD = 4;

export interface Producer {
  pc: string;
  published: number;
  completed: number;
  bell: number;
  detached: number;
  left: number;
  seen: number;
  rejected: number;
  refused: number;
  /** 0: no wait; 1: waiting; 2: woken and not yet heard. */
  wait: number;
  immediate: number;
  noted: number;
  told: number;
  taken: number;
  forgotten: number;
}

export interface Model {
  producers: Producer[];
  state: number;
  bell: number;
  durable: number;
  followed: number;
  news: number;
  worker: string;
  at: number;
  isAsleep: number;
  sawDetached: number;
  sawEmpty: number;
  mayDie: number;
  mayClose: number;
  mayFail: number;
  follower: string;
  noted: number;
  followerTold: number;
}

export type Move = (name: string, change: (next: Model) => void) => void;

export function get<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`There is no ${index}.`);
  return item;
}

/** thread.ts workerGone: advance(DEAD), which tells the followers whatever FOLLOWED says. */
export function die(next: Model, wrong: WrongOrder | undefined): void {
  if (next.state >= CLOSED) return;
  next.state = DEAD;
  next.followed = 0;
  if (wrong !== 'teller forgets to count') next.news++;
  if (next.follower === 'asleep') next.follower = 'F1';
}

export function wakeFollower(next: Model): void {
  if (next.follower === 'asleep') next.follower = 'F1';
}
