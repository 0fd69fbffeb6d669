/** decoder-segments: whole small segments for `decoder-fuzz`, forged: each group may lie, and all checksums are right. */
import { LogEngine } from '../../dist/src/engine/log-engine.js';
import { encodeLink, encodeMark, encodeSeal } from '../../dist/src/format/group-body.js';
import { DATA, LINK as LINK_TYPE, MARK, SEAL } from '../../dist/src/format/group-header.js';
import { DirectoryReader } from '../../dist/src/reader/log-reader.js';
import { LogState } from '../../dist/src/ring/log-state.js';
import { salvageLog } from '../../dist/src/salvage/salvage-log.js';
import { SegmentCursor } from '../../dist/src/segment/segment-cursor.js';
import { simulatedEnvironment, TINY_OPTIONS } from '../support/engine-harness.js';
import { MemoryStorage } from '../support/memory-storage.js';
import type { Prng } from '../support/prng.js';
import {
  type Family,
  frames,
  groupOf,
  INFLATED_BYTES,
  type Input,
  KEY,
  LINK,
  mutate,
  SALT,
  segmentHeader,
} from './decoder-inputs.js';

const NAME = '00000000000000000001.wal';

/** LINK, some groups, chained to each other; one of the headers, bodies or the first block tells lies. */
export function forgedSegment(prng: Prng): Uint8Array {
  const count = prng.between(1, 6);
  const liar = prng.below(2 * (count + 1) + 2);
  const parts: Uint8Array[] = [segmentHeader(liar === 0 ? prng : undefined)];
  let at = 4096;
  let firstLsn = 1;
  let previousChecksum = 0;
  let durableEnd = 4096;
  for (let i = 0; i <= count; i++) {
    const type =
      i === 0 ? LINK_TYPE : i < count || prng.chance(0.5) ? prng.pick([DATA, DATA, DATA, MARK]) : SEAL;
    const records = type === DATA ? prng.between(1, 4) : 0;
    const body =
      type === DATA
        ? Uint8Array.from(frames(prng, records))
        : type === MARK
          ? encodeMark({ truncatedBefore: prng.below(2), clean: prng.chance(0.3) })
          : type === SEAL
            ? encodeSeal({
                successorSalt: SALT,
                successorNumber: 2,
                index: [{ firstLsn: 1, offset: 4224, openBack: 0 }],
              })
            : encodeLink(LINK);
    if (liar === 2 * i + 1) mutate(body, prng);
    const fields = { type, firstLsn, records, previousChecksum, durableEnd, durableLsn: firstLsn - 1 };
    const group = groupOf(body, fields, liar === 2 * i + 2 ? prng : undefined);
    previousChecksum = new DataView(group.buffer).getUint32(60, true);
    firstLsn += records;
    if (type !== MARK || prng.chance(0.5)) durableEnd = at;
    at += group.length;
    durableEnd = Math.min(durableEnd, at);
    parts.push(group);
  }
  if (prng.chance(0.7)) parts.push(new Uint8Array(Math.max(0, 16_384 - at)));
  const whole = Buffer.concat(parts);
  return new Uint8Array(whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.length));
}

function walk(prng: Prng): Input {
  const bytes = forgedSegment(prng);
  return {
    bytes,
    run: async () => {
      const file = await new MemoryStorage(new Map([[NAME, bytes]])).open(NAME, 'read');
      const from = { offset: 4096, nextLsn: 1, lastChecksum: 0 };
      const cursor = new SegmentCursor(file, KEY, bytes.length, from, 512);
      for (let steps = 0; ; steps++) {
        if (steps > bytes.length) throw new Error('a walk has more steps than bytes');
        const step = cursor.next();
        if (step.kind === 'stop') return;
        if (step.kind === 'more') await cursor.fill();
      }
    },
  };
}

/** What opens, reads and saves logs, all over one forged file, or two that are alike. */
function open(prng: Prng): Input {
  const bytes = forgedSegment(prng);
  const files = new Map([[NAME, bytes]]);
  if (prng.chance(0.2)) files.set('00000000000000000002.wal', forgedSegment(prng));
  const way = prng.below(4);
  return {
    bytes: Buffer.concat([...files.values()]),
    run: async () => {
      const storage = new MemoryStorage(files);
      const environment = simulatedEnvironment(3);
      if (way < 2) {
        const recovery = way === 0 ? 'tolerate-torn-tail' : 'point-in-time';
        const options = { ...TINY_OPTIONS, recovery } as const;
        const engine = await LogEngine.open(options, { storage, state: new LogState(), environment });
        await engine.maintenanceIdle();
        await engine.close();
      } else if (way === 2) {
        const key = async (): Promise<Uint8Array> => new Uint8Array(32).fill(9);
        const isWriterAlive = async (): Promise<boolean> => false;
        const terms = { directory: '', storage, isWriterAlive, key, maxInflatedBytes: INFLATED_BYTES };
        const reader = await DirectoryReader.open(terms);
        await reader.readAll().finally(() => reader.close());
      } else {
        const terms = {
          segmentBytes: 0,
          maxFillers: 100,
          beforeEpoch: Number.POSITIVE_INFINITY,
          environment,
        };
        await salvageLog(storage, new MemoryStorage(), { ...terms, check: () => {} });
      }
    },
  };
}

export const SEGMENTS: readonly Family[] = [
  { name: 'segments walked', count: 80_000, make: walk },
  { name: 'logs opened, read and salvaged', count: 20_000, make: open },
];
