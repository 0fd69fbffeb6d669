/**
 * io-errors: SQLite's way: a workload is run again and again, and each time another call to its storage fails, with each
 * errno, once or for good, wholly or in part; and so is each call of the openings that follow. Afterwards
 * everything acknowledged must be there: in the same boot, where the page cache shows what is not on the disk, and
 * after a power cut to a state that is legal.
 */
import type { Layer, LayerTask } from '../full/layer.js';
import { CrashChoices } from '../support/crash-choices.js';
import { CursorModel } from '../support/cursor-model.js';
import { EngineHarness } from '../support/engine-harness.js';
import { ERRNOS, type FaultMode, HealableFault, modesOf } from '../support/io-faults.js';
import { BrokenPromise, IoPlayer } from '../support/io-player.js';
import { OracleRelay } from '../support/io-relay.js';
import { Oracle } from '../support/oracle.js';
import { Prng } from '../support/prng.js';
import { formatOperation, type SimOperation } from '../support/sim-fault.js';
import type { Image } from '../support/sim-image.js';
import { SimStorage } from '../support/sim-storage.js';
import { IO_WORKLOADS, type IoWorkload } from './io-error-workloads.js';

/** What a workload starts from: nothing, or what a crash has left of it, `steps` into it. */
interface Start {
  readonly workload: IoWorkload;
  readonly name: string;
  readonly image: Image | undefined;
  readonly oracle: OracleRelay;
  readonly cursors: CursorModel;
  readonly operations: readonly SimOperation[];
}

interface Case {
  readonly start: Start;
  readonly nth: number;
  readonly code: string;
  readonly mode: FaultMode;
}

/** Coprime to any number of cases there is: consecutive numbers are cases of different workloads. */
const STRIDE = 1_000_003;

export const layer: Layer = {
  name: 'io-errors',
  title:
    'each call to the storage fails, in 24 workloads and in recovery, with 8 errnos, once, for good and in part',
  targets: { 'calls that failed at work': 60_000, 'calls that failed while opening': 90_000 },
  parts: 6,
  minutes: 12,
  run: runIoErrors,
};

export async function runIoErrors(task: LayerTask): Promise<Record<string, number>> {
  const cases = await allCases();
  const figures = { 'calls that failed at work': 0, 'calls that failed while opening': 0 };
  const wanted = Math.ceil(cases.length * task.share);
  for (let i = task.part; i < wanted; i += task.parts) {
    const number = (i * STRIDE + task.seed) % cases.length;
    const one = cases[number] as Case;
    await tryCase(one, number);
    figures[
      one.start.image === undefined ? 'calls that failed at work' : 'calls that failed while opening'
    ]++;
    if (i % 5000 < task.parts) task.progress(`${i} of ${wanted} cases`);
  }
  return figures;
}

/** Every call of every workload and of the openings behind it, with all that can happen to it. */
export async function allCases(): Promise<Case[]> {
  const cases: Case[] = [];
  for (const workload of IO_WORKLOADS) {
    for (const start of await startsOf(workload)) {
      start.operations.forEach((operation, i) => {
        for (const mode of modesOf(operation))
          for (const code of ERRNOS) cases.push({ start, nth: i + 1, code, mode });
      });
    }
  }
  return cases;
}

async function startsOf(workload: IoWorkload): Promise<Start[]> {
  const starts: Start[] = [];
  const add = async (name: string, image: Image | undefined, oracle: OracleRelay, cursors: CursorModel) => {
    const fault = new HealableFault(0, '', 'once');
    const start = { workload, name, image, oracle, cursors, operations: fault.seen };
    await play(start, fault);
    starts.push(start);
  };
  await add('from the beginning', undefined, new OracleRelay([newOracle()]), new CursorModel());
  const { steps } = workload;
  for (const part of [1 / 2, 1]) {
    const player = new IoPlayer(
      new SimStorage(),
      new HealableFault(0, '', 'once'),
      new OracleRelay([newOracle()]),
      new CursorModel(),
      workload.options,
    );
    await player.open();
    await player.play(steps.slice(0, Math.ceil(steps.length * part)));
    await player.kill();
    const { storage, oracle, cursors } = player;
    const name = `the opening after ${part * 100} % of it`;
    await add(`${name}, process killed`, storage.liveImage(), oracle, cursors);
    await add(`${name}, power cut`, crashImage(storage, new Prng(steps.length)), oracle, cursors);
  }
  return starts;
}

function newOracle(): Oracle {
  return new Oracle({ truncation: 'exact' });
}

async function play(
  start: Start,
  fault: HealableFault,
  failedSync: 'lost' | 'revert' = 'lost',
): Promise<IoPlayer> {
  const { workload, image } = start;
  const options = { plan: fault.plan, failedSync };
  const storage = image === undefined ? new SimStorage(options) : SimStorage.boot(image, options);
  const seed = image === undefined ? 1 : 2;
  const player = new IoPlayer(
    storage,
    fault,
    start.oracle.fork(),
    start.cursors.fork(),
    workload.options,
    seed,
  );
  try {
    await player.open();
    if (image === undefined) await player.play(workload.steps);
    await player.recover();
    await player.kill();
    if (storage.violations.length > 0) throw new BrokenPromise(storage.violations.join('\n'));
  } catch (error) {
    throw new Error(`${said(error)}\n--- the calls\n${storage.log(60)}`, { cause: error });
  }
  return player;
}

async function tryCase({ start, nth, code, mode }: Case, number: number): Promise<void> {
  const prng = new Prng(number);
  try {
    const player = await play(
      start,
      new HealableFault(nth, code, mode),
      number % 2 === 0 ? 'lost' : 'revert',
    );
    if (player.fault.hits.length === 0) throw new Error('the call did not come; runs differ');
    await sameBoot(player, start);
    await powerCut(player, start, crashImage(player.storage, prng));
  } catch (error) {
    const operation = start.operations[nth - 1];
    const what = operation === undefined ? '' : formatOperation({ ...operation, outcome: 'ok' });
    const text = `case ${number}: ${start.workload.name}, ${start.name}: call ${nth} (${what}) fails with ${code}, ${mode}`;
    throw new Error(`${text}\n${said(error)}`, { cause: error });
  }
}

/** The process is gone, the page cache is as it was; the log takes appends again, which then survive a power cut. */
async function sameBoot(player: IoPlayer, start: Start): Promise<void> {
  const { workload } = start;
  const storage = player.storage.fork();
  const quiet = new HealableFault(0, '', 'once');
  const oracle = player.oracle.fork();
  const again = new IoPlayer(storage, quiet, oracle, player.cursors.fork(), workload.options, 3);
  await again.open();
  await again.play([{ do: 'append', bytes: 30 }]);
  await again.kill();
  await powerCut(again, start, storage.durableImage());
}

async function powerCut(player: IoPlayer, { workload }: Start, image: Image): Promise<void> {
  const storage = SimStorage.boot(image);
  const log = await EngineHarness.open(storage, undefined, workload.options, 99);
  const problems = player.oracle.check(await log.frames(), log.engine.summary.lastLsn + 1);
  problems.push(...player.cursors.check(log.engine.cursors.list()), ...storage.violations);
  if (problems.length > 0)
    throw new BrokenPromise(`after a power cut: ${problems.join('\n')}\n${storage.log()}`);
}

/** A disk that a power cut may leave now: nothing unsynced survived, all of it, or some. */
function crashImage(storage: SimStorage, prng: Prng): Image {
  const survival = prng.pick([0, 0.5, 0.5, 0.9, 1]);
  if (survival === 0) return storage.durableImage();
  const choices = new CrashChoices(storage);
  return choices.image(
    choices.all.map(({ newest, values }) =>
      prng.chance(survival) ? newest : survival === 1 ? newest : prng.below(values.length),
    ),
  );
}

function said(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause =
    error.cause === undefined || error.name === 'Error' ? '' : `\n  because of ${said(error.cause)}`;
  return `${error.message}${cause}`;
}
