/** ring-model-producer: the steps that a producer can take: publish, park, drain, leave; see ring-model. */
import {
  CLOSED,
  die,
  get,
  type Model,
  type ModelSize,
  type Move,
  OPEN,
  type Producer,
  type WrongOrder,
} from './ring-model-state.js';

export function producerMoves(
  model: Model,
  i: number,
  size: ModelSize,
  wrong: WrongOrder | undefined,
  move: Move,
): void {
  const own = get(model.producers, i);
  const step = (name: string, change: (me: Producer, next: Model) => void): void =>
    move(`p${i}.${name}`, (next) => change(get(next.producers, i), next));
  const go = (name: string, to: string, change?: (me: Producer, next: Model) => void): void =>
    step(name, (me, next) => {
      change?.(me, next);
      me.pc = to;
    });
  const publish = (me: Producer): void => {
    me.published++;
    me.left--;
  };
  const pending = own.published - own.seen - own.rejected;
  const leaves = (): string => (size.deserts && own.left === 0 ? 'X0' : 'L1');
  switch (own.pc) {
    case 'idle':
      if (own.left > 0) go('append', 'P0');
      if (own.immediate)
        go('immediate', 'D0', (me) => {
          me.immediate = 0;
        });
      if (own.wait === 2)
        go('awake', 'D0', (me) => {
          me.wait = 0;
          me.bell = 0;
        });
      if (model.worker === 'dead' && own.told === 0) {
        go('gone', wrong === 'death is not told' ? 'idle' : 'D0', (me, next) => {
          me.told = 1;
          die(next, wrong);
        });
      }
      if (own.left === 0 && pending === 0 && own.detached === 0) go('leave', 'X0');
      break;
    case 'P0':
      if (model.state !== OPEN)
        go('refused', 'idle', (me) => {
          me.left--;
          me.refused++;
        });
      else go('open', wrong === 'wakes before publishing' ? 'P1' : 'P');
      break;
    case 'P':
      go('publish', wrong === 'wakes before publishing' ? leaves() : 'P1', publish);
      break;
    case 'P1': {
      const to = wrong === 'wakes before publishing' ? 'P' : leaves();
      go('load', model.bell === 1 ? 'P2' : to);
      break;
    }
    case 'P2':
    case 'X2': {
      const to = own.pc === 'X2' ? 'done' : wrong === 'wakes before publishing' ? 'P' : leaves();
      go('swap', model.bell === 1 ? `${own.pc[0]}3` : to, (_, next) => {
        next.bell = 0;
      });
      break;
    }
    case 'P3':
    case 'X3': {
      const to = own.pc === 'X3' ? 'done' : wrong === 'wakes before publishing' ? 'P' : leaves();
      go('notify', to, (_, next) => {
        next.isAsleep = 0;
      });
      break;
    }
    case 'L1':
      if (pending === 0 || own.wait > 0) go('nothing', 'idle');
      else if (wrong === 'parks after looking') go('look', own.completed !== own.seen ? 'L5' : 'L0');
      else
        go('park', 'L2', (me) => {
          me.bell = 1;
        });
      break;
    case 'L0':
      go('park', 'L4', (me) => {
        me.bell = 1;
      });
      break;
    case 'L2':
      go('look', own.completed !== own.seen ? 'L5' : 'L3');
      break;
    case 'L3':
      go('state', model.state >= CLOSED && wrong !== 'no look at the state' ? 'L5' : 'L4');
      break;
    case 'L4':
      if (own.bell === 1 || wrong === 'sleeps without comparing')
        go('wait', 'idle', (me) => {
          me.wait = 1;
        });
      else go('differs', 'L5');
      break;
    case 'L5':
      go('unpark', 'idle', (me) => {
        me.bell = 0;
        me.immediate = 1;
      });
      break;
    case 'D0':
      if (wrong === 'state after consume')
        go('consume', 'D1', (me) => {
          me.seen = me.completed;
        });
      else
        go('state', 'D1', (me, next) => {
          me.noted = next.state;
        });
      break;
    case 'D1':
      if (wrong === 'state after consume')
        go('state', 'D2', (me, next) => {
          me.noted = next.state;
        });
      else
        go('consume', 'D2', (me) => {
          me.seen = me.completed;
        });
      break;
    case 'D2':
      go('settle', 'L1', (me) => {
        if (me.noted >= CLOSED) me.rejected = me.published - me.seen;
        me.noted = 0;
      });
      break;
    case 'X0':
      go('detach', 'X1', (me) => {
        me.detached = 1;
        me.rejected = me.published - me.seen;
      });
      break;
    case 'X1':
      go('load', model.bell === 1 ? 'X2' : 'done');
      break;
  }
}
