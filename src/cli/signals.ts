/** signals: what a signal to the process does: the first one ends what the command does, a later one the process. */
import { Interrupted } from './io.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** `npx` and `timeout` hand on what the terminal, or they themselves, have sent to all: that is one signal and not two. */
const TOGETHER_MS = 500;

/** What is needed of the process. */
export interface Signalled {
  readonly pid: number;
  on(name: string, heed: (name: string) => void): unknown;
  off(name: string, heed: (name: string) => void): unknown;
  kill(pid: number, name: string): unknown;
}

export function heedSignals(
  process: Signalled,
  interrupt: (reason: Interrupted) => void,
  now: () => number = () => performance.now(),
): void {
  let firstMs: number | undefined;
  const heed = (name: string): void => {
    if (firstMs === undefined) {
      firstMs = now();
      interrupt(new Interrupted(`The process got ${name}.`));
    } else if (now() - firstMs > TOGETHER_MS) {
      // Who sends another one does not want to wait: the system does what it does without us.
      for (const one of SIGNALS) process.off(one, heed);
      process.kill(process.pid, name);
    }
  };
  for (const name of SIGNALS) process.on(name, heed);
}
