/** ring-model-worker: the steps that the I/O worker can take: take, sync, complete, sleep, end, die; see ring-model. */
import {
  CLOSED,
  CLOSING,
  get,
  type Model,
  type ModelSize,
  type Move,
  OPEN,
  POISONED,
  type Producer,
  type WrongOrder,
  wakeFollower,
} from './ring-model-state.js';

export function workerMoves(model: Model, size: ModelSize, wrong: WrongOrder | undefined, move: Move): void {
  const { worker, at } = model;
  if (worker === 'dead' || worker === 'done') return;
  const go = (name: string, to: string, change?: (next: Model) => void): void =>
    move(`w.${name}`, (next) => {
      change?.(next);
      next.worker = to;
    });
  if (model.mayDie)
    go('dies', 'dead', (next) => {
      next.mayDie = 0;
    });
  const ring = at < size.producers ? get(model.producers, at) : undefined;
  const me = (next: Model): Producer => get(next.producers, at);
  const onward = (next: Model): void => {
    next.at++;
  };
  const restart = (next: Model): void => {
    next.at = 0;
  };
  const hasTaken = model.producers.some(({ taken, completed }) => taken !== completed);
  const isEnding = worker.startsWith('E');
  const tell = worker[0];
  switch (worker) {
    case 'T': {
      if (ring === undefined) {
        if (hasTaken) go('group', 'C', restart);
        else go('idle', model.state === CLOSING ? 'E0' : 'S0', restart);
      } else if (ring.forgotten) go('none', 'T', onward);
      else if (wrong === 'detached after chunks')
        go('chunks', 'T2', (next) => {
          next.sawEmpty = Number(ring.published === ring.taken);
          me(next).taken = ring.published;
        });
      else
        go('detached', 'T2', (next) => {
          next.sawDetached = ring.detached;
        });
      break;
    }
    case 'T2':
      go(wrong === 'detached after chunks' ? 'detached' : 'chunks', 'T', (next) => {
        const own = me(next);
        if (wrong === 'detached after chunks') own.forgotten = next.sawEmpty & own.detached;
        else {
          own.forgotten = Number(next.sawDetached && own.published === own.taken);
          own.taken = own.published;
        }
        next.sawDetached = 0;
        next.sawEmpty = 0;
        next.at++;
      });
      break;
    case 'C':
      if (model.mayFail)
        go('fails', 'E1', (next) => {
          next.state = POISONED;
          next.mayFail = 0;
        });
      go('sync', 'C1', (next) => {
        next.durable = next.producers.reduce((sum, { taken }) => sum + taken, 0);
      });
      break;
    case 'E0':
      go('closed', 'E1', (next) => {
        next.state = CLOSED;
      });
      break;
    case 'C1':
      go('N2', model.followed ? 'C2' : 'C4');
      break;
    case 'E1':
      go('always', 'E2');
      break;
    case 'C2':
    case 'E2':
      go('N3', `${tell}3`, (next) => {
        next.followed = 0;
      });
      break;
    case 'C3':
    case 'E3':
      if (wrong === 'teller forgets to count') go('N5', `${tell}4`, wakeFollower);
      else
        go('N4', `${tell}3b`, (next) => {
          next.news++;
        });
      break;
    case 'C3b':
    case 'E3b':
      go('N5', `${tell}4`, wakeFollower);
      break;
    case 'C4':
    case 'E4':
      if (ring === undefined) go('told', isEnding ? 'done' : 'T', restart);
      else if (isEnding && wrong === 'state without ring') go('silent', 'E4', onward);
      else if (!isEnding && ring.taken === ring.completed) go('none', 'C4', onward);
      else if (isEnding) go('bell', ring.bell === 1 ? 'E5' : 'E4', ring.bell === 1 ? undefined : onward);
      else if (wrong === 'completes before waking only by chance')
        go('bell', ring.bell === 1 ? 'C4c' : 'C4d');
      else
        go('complete', 'C4b', (next) => {
          me(next).completed = ring.taken;
        });
      break;
    case 'C4c':
    case 'C4d':
      go('complete', worker === 'C4c' ? 'C5' : 'C4', (next) => {
        me(next).completed = get(next.producers, at).taken;
        if (worker === 'C4d') next.at++;
      });
      break;
    case 'C4b':
      go('bell', ring?.bell === 1 ? 'C5' : 'C4', ring?.bell === 1 ? undefined : onward);
      break;
    case 'C5':
    case 'E5':
      if (ring?.bell === 1)
        go('swap', `${tell}6`, (next) => {
          me(next).bell = 0;
        });
      else go('lost', `${tell}4`, onward);
      break;
    case 'C6':
    case 'E6':
      go('notify', `${tell}4`, (next) => {
        if (me(next).wait === 1) me(next).wait = 2;
        next.at++;
      });
      break;
    case 'S0':
      if (model.mayClose)
        go('close', 'T', (next) => {
          next.state = CLOSING;
          next.mayClose = 0;
        });
      go('park', 'S1', (next) => {
        next.bell = 1;
      });
      break;
    case 'S1': {
      if (ring === undefined) go('state', model.state !== OPEN ? 'S5' : 'S4', restart);
      else {
        const has = !ring.forgotten && ring.published !== ring.taken;
        // A ring that was left and is empty is dropped by the control port's close, which turns the event loop.
        const isLeft = !ring.forgotten && ring.detached === 1;
        go('look', has || isLeft ? 'S5' : 'S1', has || isLeft ? restart : onward);
      }
      break;
    }
    case 'S4':
      if (model.bell === 1)
        go('wait', 'asleep', (next) => {
          next.isAsleep = 1;
        });
      else go('differs', 'S5');
      break;
    case 'asleep':
      if (model.mayClose)
        go('close', 'S5', (next) => {
          next.state = CLOSING;
          next.mayClose = 0;
          next.isAsleep = 0;
        });
      if (!model.isAsleep) go('woken', 'S5');
      break;
    case 'S5':
      go('awake', 'T', (next) => {
        next.bell = 0;
        next.at = 0;
      });
      break;
  }
}
