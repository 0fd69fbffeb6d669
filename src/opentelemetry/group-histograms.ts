/** group-histograms: histograms over the groups of a log, recorded as their promises resolve on this thread. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type Attributes, type Meter, ValueType } from '@opentelemetry/api';
import type { GroupMessage } from '../index.js';

const powersOfTwo = (first: number, last: number, perUnit = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => 2 ** (first + i) / perUnit);

/** 16 us to 8.4 s. */
const TIMES = powersOfTwo(4, 23, 1_000_000);
/** 1 to 1 048 576, the most that `maxGroupRecords` can be. */
const RECORDS = powersOfTwo(0, 20);

/** Records until the function that it returns is called. */
export function recordGroups(meter: Meter, directory: string, attributes: Attributes): () => void {
  const duration = meter.createHistogram('ringwal.sync.duration', {
    unit: 's',
    description: 'Write and sync together, of groups with records of the observing thread.',
    advice: { explicitBucketBoundaries: TIMES },
  });
  const size = meter.createHistogram('ringwal.group.size', {
    unit: '{record}',
    description: 'Records in a group, of groups with records of the observing thread.',
    valueType: ValueType.INT,
    advice: { explicitBucketBoundaries: RECORDS },
  });
  const record = (message: unknown): void => {
    const group = message as GroupMessage;
    if (group.directory !== directory) return;
    // Written, and not synced: its callers asked for no more.
    if (group.syncUs > 0) duration.record(group.syncUs / 1_000_000, attributes);
    size.record(group.groupRecords, attributes);
  };
  subscribe('ringwal:group', record);
  return () => {
    unsubscribe('ringwal:group', record);
  };
}
