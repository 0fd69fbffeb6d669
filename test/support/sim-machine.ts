/**
 * sim-machine: the disk that a scenario runs on, from one start of the process to the next: which operation fails, at
 * which the machine stops, and what is there afterwards.
 */
import { crc32 } from 'node:zlib';
import { CrashChoices, type CrashModel } from './crash-choices.js';
import { type FaultMode, HealableFault } from './io-faults.js';
import { Prng } from './prng.js';
import { type FaultPlan, formatOperation, type SimOperation } from './sim-fault.js';
import type { Image } from './sim-image.js';
import type { FailedSync } from './sim-inode.js';
import { SimStorage } from './sim-storage.js';
import { StepStorage } from './step-storage.js';

export class SimMachine {
  readonly model: CrashModel;
  readonly #failedSync: FailedSync;
  sim: SimStorage;
  steps: StepStorage;
  #faults: HealableFault[] = [];
  /** Operations up to the one at which the machine stops; 0: none. */
  #crashIn = 0;
  /** Errnos of the operations that failed since the process started, in that order. */
  hits: string[] = [];
  /** Called before an operation fails. */
  onHit: (operation: SimOperation) => void = () => {};
  /** Over everything that was done to the disk. */
  hash = 0;
  operations = 0;
  crashes = 0;
  failures = 0;

  constructor(image: Image, failedSync: FailedSync, model: CrashModel) {
    this.model = model;
    this.#failedSync = failedSync;
    this.sim = SimStorage.boot(image, this.#settings());
    this.steps = new StepStorage(this.sim);
  }

  get isCrashed(): boolean {
    return this.sim.isCrashed;
  }

  get isFaulty(): boolean {
    return this.#faults.some((fault) => !fault.isHealed && fault.hits.length > 0 && fault.isLasting);
  }

  fail(nth: number, code: string, mode: FaultMode): void {
    const fault = new HealableFault(nth, code, mode);
    fault.onHit = (operation) => {
      this.hits.push(fault.hits.at(-1)?.code ?? '');
      this.failures++;
      this.onHit(operation);
    };
    this.#faults.push(fault);
  }

  heal(): void {
    for (const fault of this.#faults) fault.heal();
    this.#faults = [];
  }

  /** Stops at the `nth` operation from here on; 0: now. */
  crashAt(nth: number): void {
    this.#crashIn = nth;
    if (nth === 0) this.sim.crash();
  }

  /** The next process, on the same page cache or, with `power`, after a power cut to a state that `seed` picks. */
  restart(power: boolean, seed: number): void {
    this.#note();
    if (this.sim.isCrashed) this.crashes++;
    this.#crashIn = 0;
    this.hits = [];
    const settings = this.#settings();
    this.sim = power ? SimStorage.boot(this.image(seed), settings) : this.sim.fork(settings);
    this.steps = new StepStorage(this.sim);
  }

  /** A disk that a power cut may leave now. */
  image(seed: number): Image {
    const prng = new Prng(seed);
    const survival = prng.pick([0, 0.1, 0.5, 0.5, 0.9, 0.97, 1]);
    if (survival === 0) return this.sim.durableImage();
    const choices = new CrashChoices(this.sim, this.model);
    const picks = choices.all.map(({ kind, newest, values }) => {
      if (kind === 'page') return prng.chance(0.1) ? 1 : 0;
      return prng.chance(survival) ? newest : prng.below(values.length);
    });
    return choices.image(picks);
  }

  #settings() {
    return { plan: this.#plan, failedSync: this.#failedSync };
  }

  #note(): void {
    this.operations += this.sim.operations.length;
    for (const operation of this.sim.operations) this.hash = crc32(formatOperation(operation), this.hash);
  }

  readonly #plan: FaultPlan = (operation) => {
    if (this.#crashIn > 0 && --this.#crashIn === 0) return 'crash';
    for (const fault of this.#faults) {
      const said = fault.plan(operation);
      if (said !== undefined) return said;
    }
    return undefined;
  };
}
