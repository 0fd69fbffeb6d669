/** ceiling: the harness alone: promises made, and resolved together at the next turn of the event loop; no I/O. */
import type { SystemKind } from '../harness/system.js';

export const ceiling: SystemKind = {
  name: 'no I/O',
  what: 'promises resolved at the next turn of the event loop, nothing written: what the harness itself can do',
  role: 'limit',
  async open() {
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
      append: () =>
        new Promise<void>((resolve) => {
          if (waiting.push(resolve) === 1) setImmediate(flush);
        }),
      groups: async () => ({ groups, records }),
      close: async () => {},
    };
  },
};
