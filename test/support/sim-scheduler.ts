/**
 * sim-scheduler: what makes a process of a scenario go on: who takes the next step, which operation of the storage happens
 * next, and when time passes, as a seed says; and what must be true whenever all is quiet.
 */
import { LogEngine } from '../../dist/src/engine/log-engine.js';
import type { Prng } from './prng.js';
import { PRODUCERS, SimProcess } from './sim-process.js';
import { SimState, type SimWorld, said } from './sim-world.js';

/** Rounds after which what has not come to rest is hung. */
const PATIENCE = 3000;
/** Rounds without anything to do until disks are healed, and until that is a hang. */
const STUCK = 12;
/** Rounds after which a disk is healed that has everything tried again and again. */
const HEALED_AFTER = 400;

/** Lets everything happen that waits for nothing but its turn. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Opens the log. Undefined: the machine stopped meanwhile. Throws what opening does. */
export async function openProcess(
  world: SimWorld,
  seed: number,
  prng: Prng,
): Promise<SimProcess | undefined> {
  const { machine, clock, options } = world;
  const state = new SimState();
  const environment = clock.environment(seed);
  let outcome: { engine?: LogEngine; error?: unknown } | undefined;
  LogEngine.open(options, { storage: machine.steps, state, environment }).then(
    (engine) => {
      outcome = { engine };
    },
    (error: unknown) => {
      outcome = { error };
    },
  );
  for (let round = 0; outcome === undefined; round++) {
    await settled();
    if (machine.isCrashed) return undefined;
    if (round > PATIENCE) throw new Error('opening does not come to an end');
    machine.steps.finish(prng.below(8));
  }
  if (outcome.engine === undefined) throw outcome.error;
  return new SimProcess(world, outcome.engine, state);
}

/** Has everything happen that waits for nothing, and looks at what came of it. Once after each action. */
export async function look(process: SimProcess): Promise<void> {
  await settled();
  const { machine, history } = process.world;
  if (machine.isCrashed || process.isOver) return;
  await history.follow(machine.sim, process.engine.view());
  process.notify();
  if (machine.sim.violations.length > 0) process.blame(new Error(machine.sim.violations.join('\n')));
  if (process.world.failure !== undefined) throw process.world.failure;
}

/** Goes on until `isDone` and nothing is left to do, or the machine stops. */
export async function rest(
  process: SimProcess,
  prng: Prng,
  isDone: () => boolean = () => true,
): Promise<void> {
  const { machine, clock } = process.world;
  let stuck = 0;
  for (let round = 0; round < PATIENCE; round++) {
    const inFlight = process.inFlight;
    for (const producer of process.producers) producer.publish();
    const outcome = process.step();
    if (typeof outcome === 'object') clock.advance(outcome.windowUs);
    for (const n of PRODUCERS) if (prng.chance(0.7)) process.drain(n);
    const finished = Math.min(machine.steps.waiting, prng.between(0, 3));
    for (let i = 0; i < finished; i++) machine.steps.finish(prng.below(4));
    await look(process);
    if (machine.isCrashed) return;
    const isQuiet = outcome !== 'committed' && typeof outcome !== 'object' && machine.steps.waiting === 0;
    // What is tried again and again keeps nobody waiting for ever, once the disk is well.
    if (round % HEALED_AFTER === HEALED_AFTER - 1 && machine.isFaulty) machine.heal();
    if (!isQuiet) {
      stuck = 0;
      continue;
    }
    for (const n of PRODUCERS) process.drain(n);
    const left = process.inFlight;
    if (left === 0 && outcome !== 'no-segment' && isDone()) return;
    if (left < inFlight) continue;
    stuck++;
    clock.advance(300_000);
    if (!process.isClosed) process.engine.nudge();
    if (stuck > STUCK && machine.isFaulty) {
      machine.heal();
      stuck = 0;
    } else if (stuck > 2 * STUCK) break;
  }
  throw new Error(
    `hung: ${process.pending.join(', ')} not answered, ${process.producers.map((p) => p.inFlight)} in flight`,
  );
}

/** Closes the log; afterwards nothing may be pending, and nothing touch the storage. */
export async function close(process: SimProcess, prng: Prng): Promise<void> {
  const { machine, oracle, clock } = process.world;
  let outcome: { error?: unknown } | undefined;
  process.engine.close().then(
    () => {
      outcome = {};
    },
    (error: unknown) => {
      outcome = { error };
    },
  );
  for (let round = 0; ; round++) {
    for (let i = prng.between(0, 3); i > 0; i--) machine.steps.finish(prng.below(4));
    if (prng.chance(0.3)) for (const n of PRODUCERS) process.producers[n]?.drain();
    if (machine.steps.waiting === 0) clock.advance(300_000);
    await look(process);
    if (machine.isCrashed) return;
    if (outcome !== undefined) {
      for (const producer of process.producers) {
        producer.drain();
        producer.fail();
      }
      if (process.pending.length === 0 && machine.steps.waiting === 0) break;
    }
    if (round > PATIENCE) throw new Error(`hung: closing; ${process.pending.join(', ')}`);
  }
  if (outcome.error !== undefined && machine.hits.length === 0)
    throw new Error(`closing failed: ${said(outcome.error)}`, { cause: outcome.error });
  if (oracle.unanswered > 0) throw new Error(`${oracle.unanswered} appends are not answered at the end`);
  if (machine.sim.openFiles.length > 0) throw new Error(`left open: ${machine.sim.openFiles}`);
  await machine.sim.spared(() => machine.sim.close());
  clock.advance(10_000_000);
  await settled();
  await settled();
  if (machine.steps.waiting > 0) throw new Error('the storage is used after the log was closed');
}
