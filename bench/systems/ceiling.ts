/** ceiling: the harness alone: promises made, and resolved together at the next turn of the event loop; no I/O. */
import type { System } from '../system.js';

export function openCeiling(): System {
  let waiting: (() => void)[] = [];
  let groups = 0;
  let records = 0;
  const flush = (): void => {
    const group = waiting;
    waiting = [];
    groups++;
    records += group.length;
    for (const resolve of group) resolve();
  };
  return {
    name: 'no I/O',
    append: () =>
      new Promise<void>((resolve) => {
        if (waiting.push(resolve) === 1) setImmediate(flush);
      }),
    groups: async () => ({ groups, records }),
    close: async () => {},
  };
}
