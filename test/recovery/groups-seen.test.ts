/** groups-seen: what a hostile or merely long segment costs to go through. */
import { expect, it } from 'vitest';
import { MARK } from '../../dist/src/format/group-header.js';
import type { ChainedSegment } from '../../dist/src/recovery/chain.js';
import { GroupsSeen } from '../../dist/src/recovery/groups-seen.js';
import type { Group } from '../../dist/src/segment/segment-cursor.js';

const segment = {
  name: '00000000000000000001.wal',
  link: {
    header: { firstLsn: 1, previousChecksum: 0 },
    body: { truncatedBefore: 0, checkpointLsn: 0 },
  },
} as ChainedSegment;

/** Milliseconds for so many groups, each of which says where the durable bytes end. */
function timeOf(groups: number, durableEnd: (i: number) => number): number {
  const seen = new GroupsSeen(segment);
  const body = new Uint8Array(16);
  const start = performance.now();
  for (let i = 0; i < groups; i++) {
    const header = {
      type: MARK,
      flags: 0,
      firstLsn: 1,
      records: 0,
      headerChecksum: i,
      durableEnd: durableEnd(i),
    };
    const offset = 4096 + 80 * i;
    const wrong = seen.visit({ kind: 'group', offset, end: offset + 80, header, body } as unknown as Group);
    if (wrong !== undefined) throw wrong;
  }
  return performance.now() - start;
}

// Class 64. 64 MiB of such groups took an hour to open; appends that wait for no sync leave them too.
it.each([
  ['nothing is ever called durable', () => 4096],
  ['each is called durable, a thousand groups late', (i: number) => 4096 + 80 * Math.max(0, i - 1000)],
])('the time to open a segment is linear in its groups when %s', (_, durableEnd) => {
  const least = (groups: number): number => Math.min(...[1, 2, 3].map(() => timeOf(groups, durableEnd)));
  const few = least(2500);
  expect(least(40_000) / few).toBeLessThan(80); // 16 times the groups; by the square it would be 256
});
