/**
 * sim-readers: readers, tails and readers of other processes beside the engine of a scenario: what each of them sees is
 * the durable log, in order and whole, up to where it was told that the log goes, or an error that is true.
 */
import type { ReadView } from '../../dist/src/control/contract.js';
import { cutOff, untilCut } from '../../dist/src/read/cut-check.js';
import { lookAtLog } from '../../dist/src/read/look.js';
import { readGroups } from '../../dist/src/read/read-log.js';
import type { LogRecord } from '../../dist/src/read/record-assembler.js';
import { tailLog } from '../../dist/src/read/tail.js';
import { DirectoryReader } from '../../dist/src/reader/log-reader.js';
import { CLOSED } from '../../dist/src/ring/log-state.js';
import type { SeenRecord } from './frames.js';
import type { SimProcess } from './sim-process.js';

/** How readers may fail: records have gone meanwhile, by truncation or by a cut. */
const GONE = ['RINGWAL_TRUNCATED', 'RINGWAL_OUT_OF_RANGE'] as const;

/** Reads from `from` to what is durable now. */
export function read(process: SimProcess, from: number): void {
  const { engine, state, world } = process;
  const view = engine.view();
  if (from < view.firstLsn || from > view.durableLsn + 1) return;
  const expected = world.history.seen(from, view.durableLsn);
  const range = { from, to: view.durableLsn, transactions: 'committed' as const, decoder: undefined };
  const groups = readGroups(world.machine.steps, view, range, () => state.firstLsn);
  void process.call(
    `read from ${from}`,
    async () => {
      const found: SeenRecord[] = [];
      for await (const records of untilCut(groups, range.to, () => state.cutAfter(view.cuts))) {
        for (const record of records) {
          check(record, expected[found.length], `a read from ${from}`);
          found.push(record);
        }
      }
      if (found.length < expected.length)
        throw new Error(
          `a read from ${from} to ${range.to} saw ${found.length} of ${expected.length} records`,
        );
    },
    GONE,
  );
}

/** Follows the log from `from` on, as LogThread does, until it ends. */
export function tail(process: SimProcess, from: number): void {
  const { engine, state, world } = process;
  if (from < state.firstLsn || from > state.durableLsn + 1) return;
  let { cuts } = state;
  const newest = async (lsn: number): Promise<ReadView | undefined> => {
    await process.until(
      () => state.durableLsn >= lsn || state.state >= CLOSED || state.cutAfter(cuts) < lsn - 1,
    );
    if (state.state > CLOSED && state.durableLsn < lsn) throw state.refusal();
    if (process.isClosed) {
      if (state.durableLsn < lsn) return undefined;
      const { view } = await lookAtLog(world.machine.steps, async () => false);
      if (view.durableLsn < lsn) return undefined;
      return { ...view, durableLsn: Math.min(view.durableLsn, state.durableLsn), cuts: state.cuts };
    }
    return engine.view();
  };
  const next = async (lsn: number): Promise<ReadView | undefined> => {
    const view = await newest(lsn);
    const last = state.cutAfter(cuts);
    if (last < lsn - 1) throw cutOff(last);
    cuts = view?.cuts ?? cuts;
    return view;
  };
  const source = {
    next,
    firstLsn: () => state.firstLsn,
    check: () => {},
    whileThere: (groups: AsyncIterable<LogRecord[]>, view: ReadView) =>
      untilCut(groups, view.durableLsn, () => state.cutAfter(view.cuts)),
  };
  void process.call(
    `tail from ${from}`,
    async () => {
      let given = 0;
      for await (const record of tailLog(world.machine.steps, source, undefined, from, {})) {
        // One that is cut off is no surprise; that the tail then ends is told by its next step.
        if (state.cutAfter(cuts) < record.commitLsn) continue;
        check(record, world.history.seen(from)[given++], `a tail from ${from}`);
      }
    },
    GONE,
  );
}

/** Looks at the directory as another process does. */
export function lookFromOutside(process: SimProcess): void {
  const { state, world } = process;
  const { cuts } = state;
  const isWriterAlive = async (): Promise<boolean> => !process.isClosed;
  const source = { directory: '/', storage: world.machine.steps, isWriterAlive };
  void process.call(
    'a reader in another process',
    async () => {
      const reader = await DirectoryReader.open(source);
      const { firstLsn, lastLsn } = reader;
      const found = await reader.readAll();
      await reader.close();
      if (state.cuts !== cuts || process.isBeingCut) return;
      const expected = world.history.seen(firstLsn, reader.lastLsn);
      if (lastLsn > world.history.last)
        throw new Error(`a reader shows LSN ${lastLsn}, which is not durable`);
      if (found.length !== expected.filter(({ commitLsn }) => commitLsn <= lastLsn).length)
        throw new Error(
          `a reader showed ${found.length} of ${expected.length} records from ${firstLsn} to ${lastLsn}`,
        );
      found.forEach((record, i) => {
        check(record, expected[i], 'a reader in another process');
      });
    },
    GONE,
  );
}

function check(record: SeenRecord, expected: SeenRecord | undefined, who: string): void {
  const { lsn, commitLsn, payload } = record;
  if (expected === undefined) throw new Error(`${who} saw LSN ${lsn}, and nothing more was durable`);
  if (expected.lsn !== lsn || expected.commitLsn !== commitLsn)
    throw new Error(
      `${who} saw LSN ${lsn} (${commitLsn}), and not LSN ${expected.lsn} (${expected.commitLsn})`,
    );
  if (Buffer.compare(payload, expected.payload) !== 0)
    throw new Error(`${who} saw other bytes as LSN ${lsn}`);
}
