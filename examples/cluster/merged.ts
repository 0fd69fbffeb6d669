/** merged: the records of several logs as one sequence, from any process, also while they are written. */
import { type LogReader, openReader } from 'ringwal';
import type { Stamped } from './fleet.js';

export interface MergedRecord extends Stamped {
  readonly directory: string;
  readonly lsn: number;
}

/**
 * All durable records, by time, and those of each log in the order of their LSNs. The time is what the writers' clocks
 * said: good for showing and for batch work. What depends on the order of two records belongs into the same log.
 */
export async function* merged(directories: readonly string[]): AsyncGenerator<MergedRecord, void, void> {
  const readers: LogReader[] = [];
  try {
    for (const directory of directories) readers.push(await openReader(directory));
    const sources = readers.map((reader, i) => recordsOf(reader, directories[i] ?? ''));
    const heads = await Promise.all(sources.map((source) => source.next()));
    for (;;) {
      let first: { readonly index: number; readonly record: MergedRecord } | undefined;
      for (const [index, { done, value: record }] of heads.entries()) {
        if (done !== true && (first === undefined || record.at < first.record.at)) first = { index, record };
      }
      if (first === undefined) return;
      yield first.record;
      heads[first.index] = (await sources[first.index]?.next()) ?? { done: true, value: undefined };
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
}

async function* recordsOf(reader: LogReader, directory: string): AsyncGenerator<MergedRecord, void, void> {
  for await (const { lsn, payload } of reader.read()) {
    yield { directory, lsn, ...(JSON.parse(Buffer.from(payload).toString()) as Stamped) };
  }
}
