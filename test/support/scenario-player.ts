/**
 * scenario-player: plays a scenario: from start to start of the process, each of which must find what was promised.
 */
import { RingwalError } from '../../dist/src/errors.js';
import { BLOCK_BYTES } from '../../dist/src/format/segment-header.js';
import type { ResolvedOptions } from '../../dist/src/options.js';
import { noPredecessor } from '../../dist/src/recovery/continuation.js';
import { layOutSegment, publishSegment } from '../../dist/src/segment/prepare.js';
import { SegmentWriter } from '../../dist/src/segment/segment-writer.js';
import { CursorModel } from './cursor-model.js';
import { recoverAll, simulatedEnvironment, TINY_OPTIONS } from './engine-harness.js';
import { identity, readFrames } from './frames.js';
import { OracleRelay } from './io-relay.js';
import { LogHistory } from './log-history.js';
import { Oracle } from './oracle.js';
import { Prng } from './prng.js';
import type { Action, Scenario } from './scenario.js';
import { Image } from './sim-image.js';
import { SimMachine } from './sim-machine.js';
import type { SimProcess } from './sim-process.js';
import { lookFromOutside, read, tail } from './sim-readers.js';
import { close, look, openProcess, rest } from './sim-scheduler.js';
import { SimStorage } from './sim-storage.js';
import { type SimWorld, said } from './sim-world.js';
import { StepClock } from './step-clock.js';

export interface ScenarioFigures {
  /** Further disks that power cuts may have left, which were opened and checked. */
  readonly images: number;
  readonly crashes: number;
  readonly failures: number;
  readonly operations: number;
  /** Of all that was done to the disk: the same seed gives the same. */
  readonly hash: number;
}

/** Openings in a row that may fail or stop with the machine. */
const ATTEMPTS = 20;
/** Disks that each power cut may have left besides the one that the scenario goes on with. */
const OTHER_IMAGES = 2;

type Crash = Extract<Action, { do: 'crash' }>;

/** Throws at the first broken promise. */
export async function playScenario(scenario: Scenario): Promise<ScenarioFigures> {
  const player = new ScenarioPlayer(scenario, await startOf(scenario));
  try {
    return await player.play();
  } catch (error) {
    const { sim } = player.world.machine;
    throw new Error(`${said(error)}\n--- the last operations\n${sim.log(60)}`, { cause: error });
  }
}

class ScenarioPlayer {
  readonly world: SimWorld;
  readonly #scenario: Scenario;
  #process: SimProcess | undefined;
  #openings = 0;
  #images = 0;
  /** How the next stop of the machine goes on. */
  #crash: Crash | undefined;

  constructor(scenario: Scenario, image: Image) {
    const { tearsToZeros, tearsToGarbage, tearsPages, firstLsn, failedSync, ringCount } = scenario;
    const model = { tearsToZeros, tearsToGarbage, hasPowerSafeOverwrite: !tearsPages };
    this.#scenario = scenario;
    this.world = {
      machine: new SimMachine(image, failedSync, model),
      clock: new StepClock(),
      oracle: new OracleRelay([new Oracle({ truncation: 'exact', firstLsn })]),
      history: new LogHistory(firstLsn),
      cursors: new CursorModel(),
      options: { ...TINY_OPTIONS, ...scenario.options },
      ringCount,
      forced: 0,
      payloads: 0,
      failure: undefined,
    };
  }

  async play(): Promise<ScenarioFigures> {
    const { machine } = this.world;
    await this.#open();
    for (const action of this.#scenario.actions) {
      await this.#act(action);
      await this.#afterwards();
    }
    // What there is in the end survives a power cut, and a closing.
    const end = this.#scenario.seed;
    await this.#act({ do: 'rest', seed: end });
    await this.#afterwards();
    machine.heal();
    await this.#act({ do: 'crash', nth: 0, power: true, seed: end, drains: true });
    await this.#afterwards();
    read(this.#running(), this.#running().state.firstLsn);
    await this.#act({ do: 'close', seed: end, power: true });
    await this.#afterwards();
    await this.#act({ do: 'close', seed: end, power: false });
    const { crashes, failures, operations, hash } = machine;
    return { images: this.#images, crashes, failures, operations, hash };
  }

  async #act(action: Action): Promise<void> {
    const process = this.#running();
    const { engine, state } = process;
    const { machine, clock } = this.world;
    switch (action.do) {
      case 'append':
        return process.append(action);
      case 'large':
        return process.large(action.producer, action.bytes);
      case 'begin':
      case 'commitTx':
      case 'abortTx':
        return process.transaction(action.do, action.producer);
      case 'appendTx':
        return process.appendTo(action.producer, action.bytes);
      case 'sync':
        return process.sync(action.producer);
      case 'publish':
        return process.producers[action.producer]?.publish();
      case 'drain':
        return process.drain(action.producer);
      case 'step':
        return void process.step();
      case 'hurry':
        return state.hurry();
      case 'nudge':
        engine.nudge();
        return void engine.review();
      case 'rotate':
        return process.rotate();
      case 'mark':
        return process.mark();
      case 'clock':
        return clock.advance(action.us, action.wallUs);
      case 'finish': {
        const prng = new Prng(action.seed);
        for (let i = 0; i < action.count; i++) machine.steps.finish(prng.below(8));
        return;
      }
      case 'rest':
        return rest(process, new Prng(action.seed), () => !process.isBeingCut);
      case 'truncate': {
        const lsn = Math.max(1, state.durableLsn + 1 - action.back);
        return process.truncate(lsn, action.force === true ? 'force' : 'before');
      }
      case 'gc': {
        const { segments } = engine.view();
        const segment = segments[action.segment % Math.max(1, segments.length)];
        return segment && process.truncate(segment.firstLsn, { segment: segment.number });
      }
      case 'cut':
        return process.cut(Math.max(state.firstLsn - 1, state.durableLsn - action.back));
      case 'read':
        return read(process, Math.max(state.firstLsn, state.durableLsn - action.back));
      case 'tail':
        return tail(process, Math.max(state.firstLsn, state.durableLsn + 1 - action.back));
      case 'look':
        return lookFromOutside(process);
      case 'cursor':
      case 'deleteCursor':
        return process.cursor(action.do, action.name);
      case 'ack':
        return process.cursor('ack', action.name, action.back);
      case 'fault':
        return machine.fail(action.nth, action.code, action.mode);
      case 'heal':
        return machine.heal();
      case 'crash':
        this.#crash = action;
        return machine.crashAt(action.nth);
      case 'close':
        return this.#close(action);
    }
  }

  /** Looks at what an action came to; when the machine has stopped, it is started again. */
  async #afterwards(): Promise<void> {
    const { machine } = this.world;
    if (this.#process !== undefined) await look(this.#process);
    if (machine.isCrashed) await this.#restart();
  }

  async #restart(): Promise<void> {
    const { power = true, seed = 0, drains = true } = this.#crash ?? {};
    this.#process?.end(drains);
    this.#process = undefined;
    this.#crash = undefined;
    if (power)
      for (let i = 1; i <= OTHER_IMAGES; i++) await this.#checkImage(this.world.machine.image(seed + i));
    this.world.machine.restart(power, seed);
    await this.#open();
  }

  /** Another disk that the power cut may have left: it must be as good as the one that the scenario goes on with. */
  async #checkImage(image: Image): Promise<void> {
    const { oracle, history, options } = this.world;
    const storage = SimStorage.boot(image);
    const { records, nextLsn, log } = await recoverAll(storage, options);
    const frames = await readFrames(storage, log.engine.view());
    const problems = history.check(frames, log.state.firstLsn);
    if (!log.engine.summary.created || oracle.durableLsn > 0)
      problems.push(...oracle.check(records, nextLsn));
    problems.push(...storage.violations);
    if (problems.length > 0)
      throw new Error(`after a power cut: ${problems.join('\n')}\n--- since\n${storage.log()}`);
    this.#images++;
  }

  async #close({ seed, power }: Extract<Action, { do: 'close' }>): Promise<void> {
    const { machine } = this.world;
    const process = this.#running();
    await close(process, new Prng(seed));
    if (machine.isCrashed) return;
    process.end(false);
    this.#process = undefined;
    machine.restart(power, seed);
    await this.#open();
  }

  /** Opens the log, until it is open: when the machine stops on the way, or something fails, once more. */
  async #open(): Promise<void> {
    const { machine } = this.world;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const prng = new Prng(this.#scenario.seed + ++this.#openings);
      machine.onHit = () => {};
      let process: SimProcess | undefined;
      try {
        process = await openProcess(this.world, this.#scenario.seed * 100 + this.#openings, prng);
      } catch (error) {
        this.#failedToOpen(error);
        continue;
      }
      if (process !== undefined) {
        this.#process = process;
        return this.#check(process);
      }
      const { power = true, seed = 0 } = this.#crash ?? {};
      this.#crash = undefined;
      machine.restart(power, seed + attempt);
    }
    throw new Error(`the log does not open in ${ATTEMPTS} attempts`);
  }

  /** It may fail with the disk, and leaves nothing open then. */
  #failedToOpen(error: unknown): void {
    const { machine } = this.world;
    const isFine = error instanceof RingwalError && error.code === 'RINGWAL_IO' && machine.hits.length > 0;
    if (!isFine) throw error;
    if (machine.sim.openFiles.length > 0)
      throw new Error(`a failed opening left open: ${machine.sim.openFiles}`);
    if (machine.sim.violations.length > 0) throw new Error(machine.sim.violations.join('\n'));
    machine.heal();
    machine.restart(false, 0);
  }

  /** What an opening has found is what there must be. */
  async #check({ engine, state }: SimProcess): Promise<void> {
    const { machine, oracle, history, cursors, forced } = this.world;
    const { summary } = engine;
    const view = engine.view();
    const frames = await machine.sim.spared(() => readFrames(machine.sim, view));
    const found = frames.filter(({ lsn }) => lsn >= view.firstLsn);
    const problems = history.reopened(frames, view.firstLsn);
    if (!summary.created || this.#openings > 1) {
      const records = found.map(({ lsn, type, flags, content }) => ({
        lsn,
        payload: identity(type, flags, content),
      }));
      oracle.reopened(records, summary.lastLsn + 1);
    }
    if (history.checkpointLsn !== summary.checkpointLsn)
      problems.push(`the last checkpoint is ${summary.checkpointLsn}, not ${history.checkpointLsn}`);
    if (machine.hits.length === 0) problems.push(...cursors.check(engine.cursors.list()));
    for (const { name, position } of engine.cursors.list()) {
      const isHeld = position !== undefined && position + 1 < state.firstLsn && state.firstLsn > forced;
      if (isHeld && cursors.isCertain(name))
        problems.push(`cursor ${name} stands at ${position}, and the log begins with ${state.firstLsn}`);
    }
    if (problems.length > 0) throw new Error(`opening ${this.#openings}: ${problems.join('\n')}`);
  }

  #running(): SimProcess {
    if (this.#process === undefined) throw new Error('the log is not open');
    return this.#process;
  }
}

/** The disk that a scenario starts from: empty, or with a log whose first LSN is another than 1. */
async function startOf({ firstLsn, firstSegment: number }: Scenario): Promise<Image> {
  if (firstLsn === 1) return Image.empty;
  const storage = new SimStorage();
  const environment = simulatedEnvironment(1);
  const { segmentBytes }: ResolvedOptions = TINY_OPTIONS;
  const logId = environment.randomBytes(16);
  const draft = await layOutSegment(storage, { number, epoch: 1, logId, segmentBytes, environment });
  const place = { end: BLOCK_BYTES, lastLsn: firstLsn - 1, lastChecksum: 0 };
  const writer = new SegmentWriter(draft, place, { padGroups: false, environment });
  writer.stageLink(noPredecessor(firstLsn, firstLsn));
  writer.write();
  writer.sync();
  await publishSegment(storage, number);
  return storage.liveImage();
}
