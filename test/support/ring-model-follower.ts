/** ring-model-follower: the steps that who waits for news can take; see ring-model. */
import { CLOSED, die, type Model, type Move, type WrongOrder } from './ring-model-state.js';

export function followerMoves(model: Model, total: number, wrong: WrongOrder | undefined, move: Move): void {
  const go = (name: string, to: string, change?: (next: Model) => void): void =>
    move(`f.${name}`, (next) => {
      change?.(next);
      next.follower = to;
    });
  const isOver = model.durable >= total || model.state >= CLOSED;
  const looksFirst = wrong === 'follower looks before it announces';
  switch (model.follower) {
    case 'F1':
      go('F1', looksFirst ? 'F3' : 'F2', (next) => {
        next.noted = next.news;
      });
      break;
    case 'F2':
      go('F2', looksFirst ? 'F4' : 'F3', (next) => {
        next.followed = 1;
      });
      break;
    case 'F3':
      go('F3', isOver ? 'done' : looksFirst ? 'F2' : 'F4');
      break;
    case 'F4':
      go('F4', model.news === model.noted ? 'asleep' : 'F1');
      break;
  }
  if (model.worker === 'dead' && model.followerTold === 0 && model.follower === 'asleep') {
    go('gone', wrong === 'death is not told' ? 'asleep' : 'F1', (next) => {
      next.followerTold = 1;
      die(next, wrong);
      if (wrong === 'death is not told') next.follower = 'asleep';
    });
  }
}
