/**
 * sim-run: runs a scenario on the real engine: its generations one after the other, each on what the crash before has
 * left, and the oracle's judgement after each.
 */
import { crc32 } from 'node:zlib';
import { CrashChoices } from './crash-choices.js';
import { CursorModel } from './cursor-model.js';
import { EngineHarness } from './engine-harness.js';
import { HealableFault } from './io-faults.js';
import { BrokenPromise, IoPlayer } from './io-player.js';
import { OracleRelay } from './io-relay.js';
import { Oracle } from './oracle.js';
import { Prng } from './prng.js';
import { anyOf, crashAt, formatOperation } from './sim-fault.js';
import type { Image } from './sim-image.js';
import type { Generation, Scenario, ScenarioEnd } from './sim-scenario.js';
import { SimStorage } from './sim-storage.js';

export interface ScenarioFigures {
  readonly crashes: number;
  readonly faults: number;
  /** Of all operations of the storage, in order: the same for the same scenario. */
  readonly hash: number;
}

/** Throws BrokenPromise, with the operations of the generation that broke it, at the first promise that is broken. */
export async function runScenario(scenario: Scenario): Promise<ScenarioFigures> {
  const oracle = new OracleRelay([new Oracle({ truncation: 'exact' })]);
  const cursors = new CursorModel();
  let machine: SimStorage | Image | undefined;
  let [crashes, faults, hash] = [0, 0, 0];
  for (const [n, generation] of scenario.generations.entries()) {
    const { storage, player } = await runGeneration(scenario, generation, machine, oracle, cursors, n + 1);
    crashes++;
    faults += player.fault.hits.length;
    hash = crc32(storage.operations.map(formatOperation).join('\n'), hash);
    machine = afterwards(storage, generation.end);
  }
  hash = crc32(await settle(scenario, machine, oracle, cursors), hash);
  return { crashes, faults, hash };
}

async function runGeneration(
  scenario: Scenario,
  { steps, fault, end }: Generation,
  machine: SimStorage | Image | undefined,
  oracle: OracleRelay,
  cursors: CursorModel,
  seed: number,
): Promise<{ storage: SimStorage; player: IoPlayer }> {
  const healable = new HealableFault(fault?.nth ?? 0, fault?.code ?? '', fault?.mode ?? 'once');
  const stop = end.stopAt === undefined ? () => undefined : crashAt(end.stopAt);
  const storage = machineFrom(machine, { plan: anyOf(stop, healable.plan), failedSync: scenario.failedSync });
  const player = new IoPlayer(storage, healable, oracle, cursors, scenario.options, seed);
  player.isRandom = true;
  try {
    await player.open();
    await player.play(steps);
    if (end.stopAt === undefined) await player.recover();
  } catch (error) {
    // What a machine that has stopped says is heard by nobody.
    if (!storage.isCrashed) throw explained(error, storage);
  }
  // Answers that were on their way when it stopped have been given: they bind the log.
  await new Promise<void>((resolve) => setImmediate(resolve));
  await player.kill();
  if (storage.violations.length > 0)
    throw explained(new BrokenPromise(storage.violations.join('\n')), storage);
  return { storage, player };
}

function machineFrom(
  machine: SimStorage | Image | undefined,
  options: ConstructorParameters<typeof SimStorage>[0],
): SimStorage {
  if (machine === undefined) return new SimStorage(options);
  return machine instanceof SimStorage ? machine.fork(options) : SimStorage.boot(machine, options);
}

/** What is there after a generation: the machine with its cache, or the disk. */
function afterwards(storage: SimStorage, end: ScenarioEnd): SimStorage | Image {
  if (end.isKill && !storage.isCrashed) return storage;
  if (end.survival === 0) return storage.durableImage();
  const prng = new Prng(end.seed);
  const choices = new CrashChoices(storage, end);
  return choices.image(
    choices.all.map(({ newest, values }) =>
      end.survival === 1 || prng.chance(end.survival) ? newest : prng.below(values.length),
    ),
  );
}

/** The last opening, without faults: everything promised is there, stays, and the log goes on. */
async function settle(
  { options, failedSync }: Scenario,
  machine: SimStorage | Image | undefined,
  oracle: OracleRelay,
  cursors: CursorModel,
): Promise<string> {
  const storage = machineFrom(machine, { failedSync });
  const player = new IoPlayer(storage, new HealableFault(0, '', 'once'), oracle, cursors, options, 90);
  try {
    await player.open();
    await player.play([
      { do: 'read' },
      { do: 'append', bytes: 40 },
      { do: 'reopen' },
      { do: 'append', bytes: 40 },
    ]);
    await player.recover();
    await player.kill();
    const log = await EngineHarness.open(SimStorage.boot(storage.durableImage()), undefined, options, 99);
    const problems = oracle.check(await log.frames(), log.engine.summary.lastLsn + 1);
    problems.push(...cursors.check(log.engine.cursors.list()), ...(await log.checkReading()));
    if (problems.length > 0) throw new BrokenPromise(`after the last power cut: ${problems.join('\n')}`);
  } catch (error) {
    throw explained(error, storage);
  }
  return storage.operations.map(formatOperation).join('\n');
}

function explained(error: unknown, storage: SimStorage): Error {
  const said = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause !== undefined ? `\n  because of ${error.cause}` : '';
  return new BrokenPromise(`${said}${cause}\n--- the operations\n${storage.log(60)}`, { cause: error });
}
